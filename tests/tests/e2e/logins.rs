//! Passwords and certificates that are changed while a tool runs: each login uses the current ones.

use rmq_tests::brokers;
use rmq_tests::certificates::Valid;
use rmq_tests::managed::{Way, http_address, managed};
use rmq_tests::proxy::Proxy;
use rmq_tests::running::Running;
use rmq_tests::secured::{Listener, secured};
use rmq_tests::tool::Tool;
use rmq_tests::vhost::{PASSWORD, Vhost};
use rmq_tests::wait::wait_until;
use rustix::process::Signal;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A directory with a user's password, in a file that only we can read.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Place(tempfile::tempdir().unwrap());
        place.write("password", PASSWORD);
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.at(name), format!("{text}\n")).unwrap();
        fs::set_permissions(self.at(name), Permissions::from_mode(0o600)).unwrap();
    }

    fn file(&self) -> String {
        text(&self.at("password"))
    }

    /// The tool, which logs in as the user of `vhost` at these hosts.
    fn tool(&self, name: &str, vhost: &Vhost<'_>, hosts: &str) -> Tool {
        let url = format!("amqp://{hosts}/{}", vhost.name);
        let words = ["--url", &url, "--user", &vhost.name, "--password-file", &self.file()];
        Tool::new(name).arguments(&words)
    }
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// A vhost with the queue `q`.
fn vhost() -> Vhost<'static> {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    vhost
}

fn change_password(vhost: &Vhost<'_>, password: &str) {
    let perm = Way::Distribution.perm(vhost.cluster);
    perm.arguments(&["change-password", &vhost.name]).input(password).run().expect(0);
}

/// The broker closes the connections of the tools, which connect again.
fn lose(vhost: &Vhost<'_>, tools: &[&Running], times: usize) {
    vhost.close_all_connections("a test");
    for tool in tools {
        wait_until(Duration::from_secs(20), "connected again", || {
            tool.stderr().matches("connected to ").count() == times
        });
    }
}

#[test]
fn a_password_that_is_changed_in_its_file_is_used_at_the_next_login() {
    let (vhost, place) = (vhost(), Place::new());
    let spool = text(&place.at("spool"));
    let hosts = vhost.cluster.hosts();
    let receiving = place.tool("rmq-recv", &vhost, hosts).arguments(&["q"]).start();
    let sending = place.tool("rmq-send", &vhost, hosts);
    let mut sending = sending.arguments(&["--spool", &spool, "q"]).open_input().start();
    vhost.connection_of(receiving.pid());
    vhost.connection_of(sending.pid());
    let replace = |name: &str| fs::rename(place.at(name), place.at("password")).unwrap();
    let mut wanted = 0;
    for (turn, password) in ["rewritten", "renamed", "linked", "exchanged"].iter().enumerate() {
        change_password(&vhost, password);
        match *password {
            "renamed" => {
                place.write("next", password);
                replace("next");
            }
            "linked" => {
                fs::create_dir(place.at("1")).unwrap();
                place.write("1/password", password);
                symlink("1", place.at("data")).unwrap();
                symlink("data/password", place.at("link")).unwrap();
                replace("link");
            }
            // As Kubernetes does it.
            "exchanged" => {
                fs::create_dir(place.at("2")).unwrap();
                place.write("2/password", password);
                symlink("2", place.at("data_tmp")).unwrap();
                fs::rename(place.at("data_tmp"), place.at("data")).unwrap();
            }
            _ => place.write("password", password),
        }
        lose(&vhost, &[&receiving], turn + 1);
        // Only a run that has something to send connects again.
        sending.write(format!("{password}\n").as_bytes());
        wanted += password.len() + 1;
        receiving.wait_stdout(wanted);
    }
    let sent = sending.finish().expect(0);
    receiving.signal(Signal::TERM);
    let received = receiving.wait().expect_signal(Signal::TERM);
    for said in [sent.stderr, received.stderr] {
        assert!(!said.contains("others can read") && !said.contains("read the pass"), "{said}");
    }
}

#[test]
fn a_password_file_that_cannot_be_read_leaves_the_password_read_before_and_one_notice() {
    let (vhost, place) = (vhost(), Place::new());
    let receiving = place.tool("rmq-recv", &vhost, vhost.cluster.hosts()).arguments(&["q"]);
    let receiving = receiving.start();
    vhost.connection_of(receiving.pid());
    fs::remove_file(place.file()).unwrap();
    lose(&vhost, &[&receiving], 1);
    fs::write(place.file(), "").unwrap();
    lose(&vhost, &[&receiving], 2);
    let notice = "; logging in with the password that was read before\n";
    let said = receiving.stderr();
    assert_eq!(said.matches(notice).count(), 1, "{said}");
    assert!(said.contains(&format!("read the password from {}: No such file", place.file())));
    // Without an accepted password it waits for one, and does not end.
    change_password(&vhost, "another");
    vhost.close_connection_of(receiving.pid(), "a test");
    wait_until(Duration::from_secs(20), "lost", || {
        receiving.stderr().matches("lost the connection").count() == 3
    });
    place.write("password", "another");
    wait_until(Duration::from_secs(20), "connected", || {
        receiving.stderr().matches("connected to ").count() == 3
    });
    // Other users can read it now, which is reported once.
    fs::set_permissions(place.file(), Permissions::from_mode(0o644)).unwrap();
    lose(&vhost, &[&receiving], 4);
    lose(&vhost, &[&receiving], 5);
    receiving.signal(Signal::TERM);
    let said = receiving.wait().expect_signal(Signal::TERM).stderr;
    assert_eq!(said.matches("others can read it").count(), 1, "{said}");
    assert!(!said.contains("another"), "{said}");
}

#[test]
fn a_login_refused_while_the_file_is_written_is_tried_once_more_and_else_ends_with_77() {
    let (vhost, place) = (vhost(), Place::new());
    // The login comes some time after the connection.
    let proxy = Proxy::new(vhost.cluster.hosts(), Duration::from_millis(500));
    let receiving = place.tool("rmq-recv", &vhost, proxy.address()).arguments(&["q"]).start();
    vhost.connection_of(receiving.pid());
    change_password(&vhost, "another");
    vhost.close_connection_of(receiving.pid(), "a test");
    wait_until(Duration::from_secs(20), "a second connection", || proxy.connections() == 2);
    place.write("password", "another");
    receiving.wait_stderr("connected to ");
    assert_eq!(proxy.connections(), 3);
    change_password(&vhost, "unknown");
    vhost.close_connection_of(receiving.pid(), "a test");
    receiving.wait().expect(77).says("log in to ");
    assert_eq!(proxy.connections(), 4);
}

#[test]
fn a_password_in_a_profile_is_read_anew_too_and_one_from_a_pipe_is_kept() {
    let (vhost, place) = (vhost(), Place::new());
    fs::create_dir(place.at("rmq")).unwrap();
    let url = format!("amqp://{}/{}", vhost.cluster.hosts(), vhost.name);
    let write = |password: &str| {
        let user = &vhost.name;
        let profile = format!("[it]\nurl='{url}'\nuser='{user}'\npassword='{password}'");
        place.write("rmq/profiles.toml", &profile);
    };
    write(PASSWORD);
    let profile = Tool::new("rmq-recv").environment("XDG_CONFIG_HOME", &text(place.0.path()));
    let profile = profile.arguments(&["--url", "@it", "q"]).start();
    let words = ["--url", &url, "--user", &vhost.name, "--password-file", "/dev/stdin", "q"];
    let mut pipe = Tool::new("rmq-recv").arguments(&words).open_input().start();
    pipe.write(format!("{PASSWORD}\n").as_bytes());
    pipe.end_input();
    vhost.connection_of(profile.pid());
    vhost.connection_of(pipe.pid());
    lose(&vhost, &[&profile, &pipe], 1);
    change_password(&vhost, "another");
    write("another");
    vhost.close_all_connections("a test");
    wait_until(Duration::from_secs(20), "connected", || {
        profile.stderr().matches("connected to ").count() == 2
    });
    pipe.wait().expect(77);
    profile.signal(Signal::TERM);
    profile.wait().expect_signal(Signal::TERM);
}

#[test]
fn rmq_perm_reads_the_password_file_anew_while_it_waits_for_the_management_api() {
    let (vhost, place) = (Vhost::new(managed()), Place::new());
    let perm = Way::Distribution.perm(vhost.cluster);
    perm.arguments(&["set-tags", &vhost.name, "administrator"]).run().expect(0);
    place.write("password", "wrong");
    let proxy = Proxy::new(&http_address(vhost.cluster), Duration::ZERO);
    proxy.stall();
    let api = format!("http://{}", proxy.address());
    let words = ["--api", &api, "--user", &vhost.name, "--password-file", &place.file()];
    let perm =
        Tool::new("rmq-perm").arguments(&words).arguments(&["--timeout", "1s", "list-vhosts"]);
    let perm = perm.start();
    wait_until(Duration::from_secs(20), "a connection", || proxy.connections() == 1);
    place.write("password", PASSWORD);
    proxy.resume();
    perm.wait().expect(0);
}

#[test]
fn a_client_certificate_that_is_renewed_is_shown_at_the_next_connection() {
    let secured = secured();
    let (vhost, place) = (Vhost::new(&secured.cluster), Place::new());
    vhost.declare(&[], "q");
    let authority = &secured.authority;
    let names = format!("DNS:{}", vhost.name);
    let [old, unfit, new] = ["renewed-old", "renewed-unfit", "renewed-new"]
        .map(|name| authority.sign(name, &vhost.name, &names, Valid::Now));
    let (cert, key) = (text(&place.at("cert")), text(&place.at("key")));
    let put = |from: &str, to: &str| {
        fs::copy(from, place.at("next")).unwrap();
        fs::set_permissions(place.at("next"), Permissions::from_mode(0o600)).unwrap();
        fs::rename(place.at("next"), to).unwrap();
    };
    put(&old.cert, &cert);
    put(&old.key, &key);
    let url = secured.url(Listener::Mutual, &vhost);
    let words = ["--cacert", &authority.path(), "--url", &url, "--cert", &cert, "--key", &key];
    let receiving = Tool::new("rmq-recv").arguments(&words).arguments(&["q"]).start();
    vhost.connection_of(receiving.pid());
    // Only half of it has been written.
    put(&unfit.cert, &cert);
    lose(&vhost, &[&receiving], 1);
    receiving.wait_stderr("; connecting with the certificates that were read before\n");
    put(&new.cert, &cert);
    put(&new.key, &key);
    lose(&vhost, &[&receiving], 2);
    receiving.signal(Signal::TERM);
    receiving.wait().expect_signal(Signal::TERM);
}
