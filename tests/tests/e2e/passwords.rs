//! No part of a password is shown or looked up, wherever it was put by mistake in a command line;
//! and none is sent to the wrong host.

use rmq_tests::brokers;
use rmq_tests::hostile::{self, Hostile, START_OK};
use rmq_tests::tool::{Ended, Tool};
use rmq_tests::vhost::{PASSWORD, Vhost};
use rmq_tests::wait::wait_until;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

const TOOLS: [&str; 3] = ["rmq-declare", "rmq-send", "rmq-recv"];

fn run(tool: &str, words: &[&str]) -> Ended {
    let words = [words, if tool == "rmq-recv" { &["--drain", "q"] } else { &["q"] }].concat();
    Tool::new(tool).arguments(&words).run()
}

#[track_caller]
fn shows_none(ended: &Ended, parts: &[&str]) {
    let said = format!("{}{}", String::from_utf8_lossy(&ended.stdout), ended.stderr);
    for part in parts {
        assert!(!said.contains(part), "{}: {said}", ended.command);
    }
}

#[test]
fn no_part_of_a_password_is_shown_of_a_url_that_is_none_in_any_tool() {
    let parts = ["S3cr3t", "P4ss", "w0rd", "99999"];
    for rest in [
        "bob:S3cr3t-P4ss",
        "bob:S3cr3t-P4ss/v",
        "bob:1,S3cr3t",
        "bob:1,S3cr3t:P4ss",
        "guest:pw@S3cr3t/w0rd@h",
        "guest:S3cr3t@P4ss@h",
        "bob:S3cr3t/P4ss@h",
        "bob:S3cr3t?P4ss@h",
        "bob:99999S3cr3t",
        "bob:[S3cr3t",
        "[S3cr3t]:P4ss",
        "S3cr3t:P4ss:w0rd",
        "S3cr3t!P4ss",
        "bob:S3cr3t@h\r",
    ] {
        let url = format!("amqp://{rest}");
        for tool in TOOLS {
            let refused = run(tool, &["--retry", "0", "--url", &url]).expect(64).says("--url: ");
            shows_none(&refused, &parts);
            let refused = Tool::new(tool).environment("AMQP_URL", &url).arguments(&["q"]).run();
            shows_none(&refused.expect(78), &parts);
        }
        let url = format!("http://{rest}");
        let refused = Tool::new("rmq-perm").arguments(&["--api", &url, "list-vhosts"]).run();
        shows_none(&refused.expect(64).says("--api: "), &parts);
        let perm = Tool::new("rmq-perm").environment("RABBITMQ_API_URL", &url);
        shows_none(&perm.arguments(&["list-vhosts"]).run().expect(78), &parts);
    }
}

#[test]
fn a_url_in_place_of_a_name_is_refused_and_shown_by_no_tool() {
    let parts = ["S3cr3t", "P4ss"];
    for url in [
        "amqp://bob:S3cr3t@h/v",
        "AMQPS://bob:S3cr3t@h",
        "http://bob:S3cr3t@h",
        "https://bob:S3cr3t-P4ss",
    ] {
        for tool in TOOLS {
            let refused = Tool::new(tool).arguments(&[url]).run().expect(64);
            shows_none(&refused.says("is a URL ("), &parts);
            let refused = Tool::new(tool).arguments(&["-p", url, "q"]).run().expect(64);
            shows_none(&refused.says("is a URL ("), &parts);
        }
        let lines: [&[&str]; 7] = [
            &["rmq-send", "-e", url],
            &["rmq-recv", "-e", url],
            &["rmq-recv", "q", url],
            &["rmq-declare", "--exchange", url],
            &["rmq-declare", "--bind", url, "q"],
            &["rmq-declare", "--delete", url],
            &["rmq-perm", "add-user", url],
        ];
        for line in lines {
            let refused = Tool::new(line[0]).arguments(&line[1..]).run();
            assert_eq!(refused.status.code(), Some(64), "{line:?}: {}", refused.stderr);
            shows_none(&refused, &parts);
        }
        // A file's name may be anything.
        let words = ["--dry-run", "q", url];
        shows_none(&Tool::new("rmq-send").arguments(&words).run().expect(74), &parts);
    }
    // A body is data.
    let body = "amqp://bob:S3cr3t@h/v";
    Tool::new("rmq-send").arguments(&["--dry-run", "-b", body, "q"]).run().expect(0);
}

#[test]
fn what_other_clients_take_in_a_url_is_ignored_with_a_notice() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let url = format!("{}?channel_max=5&connection_attempts=3&heartbeat=5", vhost.url());
    for tool in TOOLS {
        let done = run(tool, &["--url", &url]).expect(0);
        done.says(
            "ignored, because only other clients support it: channel_max, connection_attempts\n",
        );
        assert!(run(tool, &["--quiet", "--url", &url]).expect(0).stderr.is_empty());
    }
}

#[test]
fn a_command_inherits_what_leads_to_the_broker_only_where_that_is_asked_for() {
    let vhost = Vhost::new(brokers::one());
    for queue in ["in", "out"] {
        vhost.declare(&[], queue);
    }
    let variables = ["AMQP_URL", "RABBITMQ_API_URL", "RABBITMQ_ERLANG_COOKIE"];
    for keep in [&[][..], &["--keep-env"]] {
        vhost.send(&["-b", "hello", "in"]).run().expect(0);
        let receive = vhost.receive(keep).arguments(&["--drain", "in", "--", "env"]);
        let receive = receive.environment("RABBITMQ_API_URL", "http://u:p@h");
        let receive = receive.environment("RABBITMQ_ERLANG_COOKIE", "COOKIE");
        let told = String::from_utf8(receive.run().expect(0).stdout).unwrap();
        for name in variables {
            let is_there = told.contains(&format!("\n{name}="));
            assert_eq!(is_there, !keep.is_empty(), "{name}: {told}");
        }
        assert!(told.contains("AMQP_QUEUE=in\n"), "{told}");
    }
    // A worker that forwards, in both ways that the page shows.
    let send = rmq_tests::tool::binary("rmq-send");
    let send = send.to_str().unwrap();
    vhost.send(&["-b", "one", "in"]).run().expect(0);
    vhost.receive(&["--drain", "--keep-env", "in", "--", send, "out"]).run().expect(0);
    vhost.send(&["-b", "two", "in"]).run().expect(0);
    let url = format!("AMQP_URL={}", vhost.url());
    vhost.receive(&["--drain", "in", "--", "env", &url, send, "out"]).run().expect(0);
    assert_eq!(vhost.drain("out"), b"one\ntwo\n");
    vhost.receive(&["--keep-env", "in"]).run().expect(64).says("require a command after --");
}

#[test]
fn a_password_file_and_a_key_that_others_can_read_give_a_notice() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("password");
    fs::write(&file, PASSWORD).unwrap();
    let path = file.to_str().unwrap();
    let bare = format!("amqp://{}/{}", vhost.cluster.hosts(), vhost.name);
    for (mode, is_told) in [(0o644, true), (0o640, true), (0o600, false), (0o400, false)] {
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        for tool in TOOLS {
            let words = ["--url", &bare, "--user", &vhost.name, "--password-file", path];
            let done = run(tool, &words).expect(0);
            let notice = format!(
                "{tool}: the password file {path}: others can read it; fix that with: chmod 600 \
                 {path}\n"
            );
            assert_eq!(done.stderr.contains(&notice), is_told, "{mode:o}: {}", done.stderr);
        }
    }
}

#[test]
fn profiles_that_others_can_change_are_78_with_the_chmod_that_fixes_it() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let (folder, file) = (directory.path().join("rmq"), directory.path().join("rmq/profiles.toml"));
    fs::create_dir(&folder).unwrap();
    fs::write(&file, format!("[here]\nurl = '{}'\n", vhost.url())).unwrap();
    for (file_mode, folder_mode, at) in [
        (0o600, 0o700, None),
        (0o620, 0o700, Some(&file)),
        (0o602, 0o700, Some(&file)),
        (0o600, 0o770, Some(&folder)),
        (0o600, 0o703, Some(&folder)),
    ] {
        fs::set_permissions(&file, Permissions::from_mode(file_mode)).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(folder_mode)).unwrap();
        for tool in TOOLS {
            let words: &[&str] = if tool == "rmq-recv" { &["--drain", "q"] } else { &["q"] };
            let done = Tool::new(tool)
                .environment("XDG_CONFIG_HOME", directory.path().to_str().unwrap())
                .arguments(&["--url", "@here"])
                .arguments(words)
                .run();
            match at {
                None => drop(done.expect(0)),
                Some(at) => {
                    drop(
                        done.expect(78)
                            .says(&format!("fix that with: chmod go-w {}", at.display())),
                    );
                }
            }
        }
    }
}

#[test]
fn a_broker_that_offers_no_way_to_log_in_by_password_is_77_and_is_sent_none() {
    let hostile = Hostile::new(|peer| {
        peer.header()?;
        peer.send(&hostile::start_offering("EXTERNAL ANONYMOUS"))?;
        peer.behave()
    });
    for tool in TOOLS {
        let refused = run(tool, &["--url", &hostile.url()]).expect(77);
        assert!(refused.took < Duration::from_secs(5), "{:?}", refused.took);
        refused.says("it takes no password, and was not sent one; it offers EXTERNAL, ANONYMOUS");
    }
    assert_eq!(hostile.asked(START_OK), 0);
}

#[test]
fn amqplain_is_spoken_where_the_broker_offers_no_plain() {
    let cluster = brokers::one_to_break();
    let vhost = Vhost::new(&cluster);
    let offer = |mechanisms: &str| {
        cluster.erlang(&format!(
            "begin application:set_env(rabbit, auth_mechanisms, [{mechanisms}]), \"\" end"
        ));
    };
    let before = "'PLAIN', 'AMQPLAIN'";
    offer("'AMQPLAIN'");
    let ended = TOOLS.map(|tool| run(tool, &["--url", &vhost.url()]));
    let wrong = run("rmq-recv", &["--url", &vhost.url().replace(PASSWORD, "another")]);
    offer(before);
    for ended in ended {
        ended.expect(0);
    }
    shows_none(&wrong.expect(77).says("log in to "), &["another", "PLAIN - "]);
    wait_until(Duration::from_secs(5), "PLAIN again", || {
        run("rmq-recv", &["--url", &vhost.url()]).status.success()
    });
}

#[test]
fn a_password_file_that_others_can_read_is_reported_by_rmq_perm_too() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("password");
    fs::write(&file, "hunter2\n").unwrap();
    let path = file.to_str().unwrap();
    let notice = format!("rmq-perm: the password file {path}: others can read it; fix that with: ");
    let api = ["--retry", "0", "--api", "http://127.0.0.1:1"];
    let of_the_way = [&api[..], &["--user", "u", "--password-file", path, "list-vhosts"]].concat();
    let of_a_user = [&api[..], &["add-user", "--password-file", path, "u"]].concat();
    for (mode, is_told) in [(0o600, false), (0o644, true)] {
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        for words in [&of_the_way, &of_a_user] {
            let ended = Tool::new("rmq-perm").arguments(words).run().expect(69);
            assert_eq!(ended.stderr.contains(&notice), is_told, "{ended:?}");
            assert!(!ended.stderr.contains("hunter2"), "{ended:?}");
            let quiet = Tool::new("rmq-perm").arguments(&["--quiet"]).arguments(words).run();
            assert!(!quiet.expect(69).stderr.contains(&notice));
        }
    }
}
