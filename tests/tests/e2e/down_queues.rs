//! A classic queue whose node is down is not lost: it comes back with its node.

use rmq_tests::brokers;
use rmq_tests::text::lines;
use rmq_tests::vhost::Vhost;
use std::fs;
use std::time::Duration;

/// The address of a node of the cluster.
fn node(vhost: &Vhost<'_>, node: usize) -> String {
    vhost.url_through(vhost.cluster.hosts().split(',').nth(node - 1).unwrap())
}

#[test]
fn a_classic_queue_whose_node_is_down_is_waited_for_and_never_missing() {
    let cluster = brokers::three_to_break();
    let vhost = Vhost::new(&cluster);
    let declare = vhost.tool("rmq-declare").arguments(&["--url", &node(&vhost, 2)]);
    declare.arguments(&["--type", "classic", "q"]).run().expect(0);
    let directory = tempfile::tempdir().unwrap();
    let spool = directory.path().join("spool");
    let spool = spool.to_str().unwrap();
    let url = node(&vhost, 1);
    cluster.kill(&[2]);
    let words = ["--url", &url, "--retry", "1s", "q"];
    let impatient = vhost.send(&words).input("zero\n").start();
    let mut sending = vhost.send(&["--url", &url, "q"]).input("one\n").start();
    let spooling = vhost.send(&["--url", &url, "--spool", spool, "q"]).input("two\n").start();
    let sent = impatient.wait().expect(75);
    let sent = sent.says(" (--retry 1s); sent but not confirmed 1");
    assert!(sent.took < Duration::from_secs(25), "{:?}", sent.took);
    assert!(sending.is_running());
    cluster.start(&[2]);
    sending.wait().expect(0);
    spooling.wait().expect(0);
    assert!(!fs::exists(directory.path().join("spool/rejected")).unwrap());
    let there = vhost.receive(&["--url", &url, "--drain", "q"]).run().expect(0).stdout;
    let mut there = lines(&there);
    there.sort();
    assert_eq!(there, [b"one", b"two"]);
    // One that is really missing is reported at once.
    vhost.send(&["--url", &url, "--routed", "-K:"]).input("none:x\n").run().expect(65);
}
