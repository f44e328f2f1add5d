//! Connections that something on the way cuts for being idle, as HAProxy's `timeout client` does.

use rmq_tests::brokers;
use rmq_tests::proxy::Proxy;
use rmq_tests::vhost::Vhost;
use std::time::{Duration, Instant};

const HINT: &str = "s without messages, as a proxy or a firewall cuts what is idle; heartbeat=";

#[test]
fn the_second_loss_of_a_connection_after_the_same_idle_time_gives_the_heartbeat_that_may_keep_it() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let proxy = Proxy::new(vhost.cluster.hosts(), Duration::ZERO);
    let idle = Duration::from_millis(2400);
    proxy.cut_idle(idle);
    let url = vhost.url_through(proxy.address());
    let receiving = vhost.receive(&["--url", &url, "q"]).start();
    let mut sending = vhost.send(&["--url", &url, "q"]).open_input().start();
    for running in [&receiving, &sending] {
        running.wait_stderr("lost the connection to ");
        running.wait_stderr(&format!("{HINT}2 in the URL may keep it"));
        let stderr = running.stderr();
        let first = stderr.lines().find(|line| line.contains("lost the connection to "));
        assert!(first.is_some_and(|line| !line.contains(HINT)), "{stderr}");
    }
    // The advice works: with it, the connection outlives what cut the others.
    let kept = vhost.receive(&["--url", &format!("{url}?heartbeat=2"), "q"]).start();
    let since = Instant::now();
    sending.end_input();
    sending.wait().expect(0);
    receiving.signal(rustix::process::Signal::TERM);
    receiving.wait();
    std::thread::sleep((idle * 2).saturating_sub(since.elapsed()));
    assert_eq!(kept.stderr(), "");
    kept.signal(rustix::process::Signal::TERM);
    kept.wait();
}

#[test]
fn losses_after_different_times_give_no_hint() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let receiving = vhost.receive(&["q"]).start();
    for (lost, idle) in [1200, 2600].into_iter().enumerate() {
        vhost.connection_of(receiving.pid());
        std::thread::sleep(Duration::from_millis(idle));
        vhost.close_connection_of(receiving.pid(), "a test");
        rmq_tests::wait::wait_until(Duration::from_secs(20), "another connection", || {
            receiving.stderr().matches("connected to ").count() == lost + 1
        });
    }
    receiving.signal(rustix::process::Signal::TERM);
    let stderr = receiving.wait().stderr;
    assert_eq!(stderr.matches("lost the connection to ").count(), 2, "{stderr}");
    assert!(!stderr.contains(HINT), "{stderr}");
}
