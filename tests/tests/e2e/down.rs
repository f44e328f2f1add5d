//! Queues that exist but cannot be used.

use rmq_tests::brokers::{self, release};
use rmq_tests::tool::Ended;
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::wait_until;
use std::time::Duration;

fn through(vhost: &Vhost<'_>, node: usize, words: &[&str]) -> Ended {
    let port = vhost.cluster.variable(&format!("RMQ_NODE{node}_AMQP_PORT"));
    let url = vhost.url_through(&format!("127.0.0.1:{port}"));
    let tool = vhost.tool("rmq-declare").arguments(&["--url", &url, "--retry", "3s"]);
    tool.arguments(words).run()
}

#[test]
fn a_queue_without_a_leader_or_a_node_is_down_and_is_deleted_without_being_asked() {
    let cluster = brokers::three_to_break();
    let vhost = Vhost::new(&cluster);
    through(&vhost, 2, &["--quiet", "--group-size", "1", "alone"]).expect(0);
    through(&vhost, 2, &["--quiet", "--type", "classic", "classic", "gone"]).expect(0);
    through(&vhost, 2, &["--quiet", "whole"]).expect(0);
    through(&vhost, 1, &["--quiet", "led", "led too"]).expect(0);
    let healthy = through(&vhost, 1, &["--check", "alone", "classic", "whole"]).expect(0);
    assert_eq!(healthy.stdout, b"alone\t0\t0\nclassic\t0\t0\nwhole\t0\t0\n");
    assert!(healthy.stderr.is_empty(), "{}", healthy.stderr);
    cluster.kill(&[2]);
    wait_until(Duration::from_secs(30), "another leader", || {
        through(&vhost, 1, &["--check", "whole"]).stdout == b"whole\t0\t0\n"
    });
    let told = through(&vhost, 1, &["--check", "alone", "classic", "whole", "nope"]).expect(1);
    let wanted = "alone\tdown\nclassic\tdown\nwhole\t0\t0\nnope\tmissing\n";
    assert_eq!(String::from_utf8_lossy(&told.stdout), wanted, "{}", told.stderr);
    assert!(told.took < Duration::from_secs(15), "{:?}", told.took);
    told.says("check alone in ").says("it has no leader");
    // A comparison, and a file, say the same.
    let told = through(&vhost, 1, &["--check", "--group-size", "1", "alone"]).expect(1);
    assert_eq!(told.stdout, b"alone\tdown\n");
    let shown = through(&vhost, 1, &["--dry-run", "alone"]).expect(1);
    assert!(shown.stdout.starts_with(b"queue\talone\tdown\t"), "{shown:?}");
    let pretended = through(&vhost, 1, &["--delete", "--dry-run", "alone", "whole"]).expect(0);
    assert_eq!(pretended.stdout, b"alone\tdown\nwhole\t0\t0\n");
    let deleted = through(&vhost, 1, &["--delete", "gone"]);
    let limit = Duration::from_secs(43);
    assert!(deleted.took < limit, "{:?}", deleted.took);
    if release() == "3.10" {
        deleted.expect(75).says("is down or inaccessible");
    } else {
        assert_eq!(deleted.expect(0).stdout, b"gone\tdeleted\t-\n");
    }
    // Only its leader could count them.
    let deleted = through(&vhost, 1, &["--delete", "alone"]);
    assert!(deleted.took < limit, "{:?}", deleted.took);
    assert!(!deleted.status.success() || deleted.stdout == b"alone\tdeleted\t-\n", "{deleted:?}");
    // A leader without its majority still answers how many messages it has.
    assert_eq!(vhost.leader("led"), 1);
    cluster.kill(&[3]);
    let led = through(&vhost, 1, &["--check", "led", "led too"]).expect(1);
    assert_eq!(led.stdout, b"led\tdown\nled too\tdown\n", "{}", led.stderr);
    led.says("its leader does not answer");
    cluster.start(&[2, 3]);
}

#[test]
fn a_queue_that_is_empty_and_unused_is_not_down_whatever_its_type_and_whoever_asks() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&["--quiet"], "quorum");
    vhost.declare(&["--quiet", "--single-active-consumer"], "single");
    vhost.declare(&["--quiet", "--type", "classic"], "classic");
    vhost.declare(&["--quiet", "--type", "stream"], "stream");
    let user = format!("{}-monitor", vhost.name);
    // It may not fetch, and 4.3 answers only users who have some permission on the queue.
    vhost.add_user(&user, ["^$", ".*", "^$"]);
    let names = ["quorum", "stream", "single", "classic", "stream", "quorum"];
    for (url, may_fetch) in [(vhost.url(), true), (vhost.url_for(&user), false)] {
        let tool = vhost.tool("rmq-declare").arguments(&["--url", &url, "--check"]);
        let told = tool.arguments(&names).run().expect(0);
        let wanted: String = names.iter().map(|name| format!("{name}\t0\t0\n")).collect();
        assert_eq!(String::from_utf8_lossy(&told.stdout), wanted);
        if may_fetch {
            assert!(told.stderr.is_empty(), "{}", told.stderr);
        } else {
            let wanted = format!(
                "check classic and 3 more in {0}: cannot find out if it has a leader: {user} \
                 lacks read in {0} (rmq-perm set -p {0} {user} CONFIGURE WRITE READ)",
                vhost.name
            );
            assert_eq!(told.stderr.lines().count(), 1, "{}", told.stderr);
            told.says(&wanted);
        }
    }
}
