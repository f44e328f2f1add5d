//! How the broker's operator sees us, and what we report about the connection.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::proxy::Proxy;
use rmq_tests::vhost::Vhost;
use rustix::process::Signal;
use std::time::{Duration, Instant};

#[test]
fn the_brokers_own_list_shows_tool_version_host_and_pid_of_every_connection() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let hosts = vhost.cluster.hosts();
    // Slowed down a little at every step; otherwise rmq-declare would end before it is observed.
    let proxy = Proxy::new(hosts, Duration::from_millis(100));
    let slow = vhost.url().replace(hosts, proxy.address());
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let (host, version) = (host.trim(), env!("CARGO_PKG_VERSION"));
    for name in ["rmq-declare", "rmq-send", "rmq-recv"] {
        let url = if name == "rmq-declare" { &slow } else { &vhost.url() };
        let tool = vhost.tool(name).arguments(&["--url", url, "q"]).open_input();
        let running = tool.start();
        let pid = running.pid();
        let connection_name = format!("{name} {version} on {host}, pid {pid}");
        assert_eq!(vhost.connection_of(pid).name, connection_name);
        if name != "rmq-declare" {
            let words = ["-q", "list_connections", "vhost", "client_properties"];
            let list = vhost.cluster.control(1, &words);
            let mine = list.lines().find(|line| line.starts_with(&format!("{}\t", vhost.name)));
            let mine = mine.unwrap_or_else(|| panic!("it is not there: {list}"));
            let pid = pid.to_string();
            for (key, value) in [
                ("product", name),
                ("version", version),
                ("host", host),
                ("pid", &pid),
                ("connection_name", &connection_name),
            ] {
                assert!(mine.contains(&format!("{{\"{key}\",\"{value}\"}}")), "{key}: {mine}");
            }
        }
        if name == "rmq-recv" {
            running.signal(Signal::TERM);
            running.wait().expect_signal(Signal::TERM);
        } else {
            running.finish().expect(0);
        }
        vhost.wait_no_connections();
    }
}

#[test]
fn a_lost_connection_and_its_return_are_one_line_each_and_none_with_quiet() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let host = vhost.cluster.hosts();
    for (name, words) in [
        ("rmq-send", &[][..]),
        ("rmq-send", &["--quiet"]),
        ("rmq-recv", &[]),
        ("rmq-recv", &["--quiet"]),
    ] {
        let mut running = vhost.tool(name).arguments(words).arguments(&["q"]).open_input().start();
        let pid = running.pid();
        if name == "rmq-recv" {
            vhost.wait_held("q", Held { consumers: 1, ..Held::default() });
        }
        let before = vhost.connection_of(pid);
        vhost.close_connection_of(pid, "maintenance");
        rmq_tests::wait::wait_until(Duration::from_secs(10), "another connection", || {
            vhost.connections().iter().any(|connection| connection.pid != before.pid)
        });
        assert!(running.is_running());
        if words.is_empty() {
            running.wait_stderr("connected to ");
        }
        running.signal(Signal::TERM);
        let ended = running.wait().expect_signal(Signal::TERM);
        let lines: Vec<&str> = ended.stderr.lines().collect();
        if words.is_empty() {
            let lost = format!("{name}: lost the connection to {host}: ");
            assert!(lines[0].starts_with(&lost) && lines[0].contains("maintenance"), "{lines:?}");
            assert_eq!(lines[1..], [format!("{name}: connected to {host}")]);
        } else {
            assert!(lines.is_empty(), "{lines:?}");
        }
        vhost.wait_no_connections();
    }
}

#[test]
fn credentials_that_are_refused_when_it_comes_back_end_it_with_77() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    for name in ["rmq-send", "rmq-recv"] {
        let user = format!("{}-{name}", vhost.name);
        vhost.add_user(&user, [".*", ".*", ".*"]);
        let words = ["--url", &vhost.url_for(&user), "--retry", "forever", "q"];
        let running = vhost.tool(name).arguments(&words).open_input().start();
        vhost.connection_of(running.pid());
        vhost.cluster.erlang(&format!(
            "begin ok = rabbit_auth_backend_internal:change_password(<<\"{user}\">>, \
             <<\"another\">>, <<\"tests\">>), \"\" end"
        ));
        let changed = Instant::now();
        vhost.close_connection_of(running.pid(), "maintenance");
        let ended = running.wait().expect(77);
        let host = vhost.cluster.hosts();
        ended.says(&format!("{name}: log in to {host} as {user}: ")).says("lost the connection");
        assert!(changed.elapsed() < Duration::from_secs(10), "{:?}", changed.elapsed());
    }
}
