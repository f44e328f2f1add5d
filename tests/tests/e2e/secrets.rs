//! Where passwords come from, and must never appear; other settings in the environment and in
//! profiles.

use rmq_tests::brokers;
use rmq_tests::tool::{Ended, Tool};
use rmq_tests::vhost::{PASSWORD, Vhost};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::TempDir;

const TOOLS: [&str; 3] = ["rmq-declare", "rmq-send", "rmq-recv"];

/// A vhost of the shared broker with the queue `q`.
fn vhost() -> Vhost<'static> {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    vhost
}

/// The URL of `vhost` without user and password.
fn bare_url(vhost: &Vhost<'_>) -> String {
    format!("amqp://{}/{}", vhost.cluster.hosts(), vhost.name)
}

/// A tool with its own configuration directory, which contains these profiles.
fn with_profiles(tool: &str, text: &str, mode: u32) -> (Tool, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rmq/profiles.toml");
    fs::create_dir(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    let home = directory.path().to_str().unwrap();
    (Tool::new(tool).environment("XDG_CONFIG_HOME", home), directory)
}

fn finish(tool: Tool, name: &str) -> Ended {
    tool.arguments(if name == "rmq-recv" { &["--drain", "q"] } else { &["q"] }).run()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_password_comes_from_the_environment_a_file_a_credential_or_a_profile() {
    let vhost = vhost();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("password");
    // As editors, printf and systemd leave it: with or without the line end.
    for text in [format!("{PASSWORD}\n"), PASSWORD.to_owned(), format!("{PASSWORD}\r\nmore\n")] {
        fs::write(&file, text).unwrap();
        for name in TOOLS {
            let words = ["--user", &vhost.name, "--password-file", path(&file)];
            let tool = Tool::new(name).environment("AMQP_URL", &bare_url(&vhost));
            finish(tool.arguments(&words), name).expect(0);
        }
    }
    for name in TOOLS {
        finish(Tool::new(name).environment("AMQP_URL", &vhost.url()), name).expect(0);
        // A unit's `--password-file ${CREDENTIALS_DIRECTORY}/password`, here by a shell.
        let script = "exec \"$0\" \"$@\" --password-file $CREDENTIALS_DIRECTORY/password";
        let tool = Tool::program("sh")
            .arguments(&["-c", script, path(&rmq_tests::tool::binary(name))])
            .arguments(&["--url", &bare_url(&vhost), "--user", &vhost.name])
            .environment("CREDENTIALS_DIRECTORY", path(directory.path()));
        finish(tool, name).expect(0);
        let (url, user) = (bare_url(&vhost), &vhost.name);
        for password in
            [format!("password = '{PASSWORD}'"), format!("password-file = '{}'", path(&file))]
        {
            let text = format!("[here]\nurl = '{url}'\nuser = '{user}'\n{password}\n");
            let (tool, _kept) = with_profiles(name, &text, 0o600);
            finish(tool.arguments(&["--url", "@here"]), name).expect(0);
            let (tool, _kept) = with_profiles(name, &text, 0o600);
            finish(tool.environment("AMQP_URL", "@here"), name).expect(0);
        }
    }
}

#[test]
fn a_password_never_shows_in_ps_in_help_or_in_what_is_said_of_a_failed_login() {
    let vhost = vhost();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("password");
    let wrong = "n0t-the-p4ssw0rd";
    fs::write(&file, wrong).unwrap();
    let url = vhost.url().replace(PASSWORD, wrong);
    let text = format!("[here]\nurl = '{url}'\n");
    for name in TOOLS {
        let in_file = ["-v", "--user", &vhost.name, "--password-file", path(&file)];
        let by_file = Tool::new(name).environment("AMQP_URL", &bare_url(&vhost));
        let by_environment = Tool::new(name).environment("AMQP_URL", &url).arguments(&["-v"]);
        let (by_profile, _kept) = with_profiles(name, &text, 0o600);
        for tool in [
            by_file.arguments(&in_file),
            by_environment,
            by_profile.arguments(&["-v", "--url", "@here"]),
        ] {
            let refused = finish(tool, name).expect(77);
            assert!(!refused.stderr.contains(wrong), "{}", refused.stderr);
            assert!(refused.stderr.contains(&vhost.name), "{}", refused.stderr);
        }
        let help = Tool::new(name).environment("AMQP_URL", &url).arguments(&["--help"]).run();
        let help = String::from_utf8(help.expect(0).stdout).unwrap();
        assert!(!help.contains(wrong), "{help}");
    }
    for words in [&[][..], &["-v"]] {
        let (send, _kept) = with_profiles("rmq-send", &text.replace(wrong, PASSWORD), 0o600);
        let send = send.arguments(words).arguments(&["--url", "@here", "q"]).open_input().start();
        vhost.connection_of(send.pid());
        for what in ["cmdline", "comm"] {
            let shown = fs::read(format!("/proc/{}/{what}", send.pid())).unwrap();
            assert!(!String::from_utf8_lossy(&shown).contains(PASSWORD));
        }
        let sent = send.finish().expect(0);
        assert!(!sent.stderr.contains(PASSWORD), "{}", sent.stderr);
    }
}

#[test]
fn profiles_with_a_password_that_others_can_read_are_refused_with_the_chmod_that_mends_it() {
    let vhost = vhost();
    let text = format!("[here]\nurl = '{}'\n", vhost.url());
    for name in TOOLS {
        for mode in [0o640, 0o604, 0o644] {
            let (tool, directory) = with_profiles(name, &text, mode);
            let file = directory.path().join("rmq/profiles.toml");
            let refused = finish(tool.arguments(&["--url", "@here"]), name).expect(78);
            refused.says(&format!("chmod 600 {}\n", path(&file)));
            // And that fixes it.
            let chmod = Tool::program("chmod").arguments(&["600", path(&file)]);
            chmod.run().expect(0);
            let home = path(directory.path());
            let tool = Tool::new(name).environment("XDG_CONFIG_HOME", home);
            finish(tool.arguments(&["--url", "@here"]), name).expect(0);
        }
    }
}

#[test]
fn a_profile_that_is_not_there_is_78_with_the_names_of_those_that_are() {
    let text = "[prod]\nurl = 'amqp://h1'\n[test]\nurl = 'amqp://h2'\n";
    for name in TOOLS {
        let (tool, _kept) = with_profiles(name, text, 0o644);
        let refused = finish(tool.arguments(&["--url", "@nope"]), name).expect(78);
        refused.says("no profile nope").says("prod, test");
        let directory = tempfile::tempdir().unwrap();
        let tool = Tool::new(name).environment("XDG_CONFIG_HOME", path(directory.path()));
        let refused = finish(tool.arguments(&["--url", "@nope"]), name).expect(78);
        refused.says("rmq/profiles.toml: No such file or directory");
    }
}

#[test]
fn a_bad_url_is_64_on_the_command_line_and_78_elsewhere_and_says_where_it_stands() {
    for name in TOOLS {
        let bad = format!("http://me:{PASSWORD}@h/");
        let refused = finish(Tool::new(name).arguments(&["--url", &bad]), name).expect(64);
        let refused = refused.says("--url: it does not begin with amqp://");
        assert!(!refused.stderr.contains(PASSWORD), "{}", refused.stderr);
        let refused = finish(Tool::new(name).environment("AMQP_URL", &bad), name).expect(78);
        let refused = refused.says("$AMQP_URL: it does not begin with amqp://");
        assert!(!refused.stderr.contains(PASSWORD), "{}", refused.stderr);
        let (tool, _kept) = with_profiles(name, &format!("[here]\nurl = '{bad}'\n"), 0o600);
        let refused = finish(tool.arguments(&["--url", "@here"]), name).expect(78);
        let refused = refused.says("profile here in ").says(": it does not begin with amqp://");
        assert!(!refused.stderr.contains(PASSWORD), "{}", refused.stderr);
    }
}
