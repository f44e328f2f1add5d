//! How long a run is interrupted when the node that leads its queue is killed.

use rmq_tests::brokers;
use rmq_tests::running::Running;
use rmq_tests::text::{account, numbered};
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::wait_until;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(120);
/// How long after that the queue has a new leader.
const GOES_ON: Duration = Duration::from_secs(4);
/// The pause between two lines of the slow one, and how many there may be.
const SLOWLY: Duration = Duration::from_millis(10);
const MOST: usize = 12_000;

#[test]
fn a_killed_leader_stops_confirms_for_no_longer_than_the_election_and_four_seconds() {
    let cluster = brokers::three_to_break();
    let vhost = Vhost::new(&cluster);
    vhost.declare(&[], "fast");
    vhost.declare(&[], "slow");
    let leader = vhost.leader("fast");
    assert_eq!(vhost.leader("slow"), leader);
    // The senders are connected to the node that is killed, so everything in flight is sent again.
    let port = |node| cluster.variable(&format!("RMQ_NODE{node}_AMQP_PORT")).to_owned();
    let others = (1..=3).filter(|node| *node != leader);
    let hosts: Vec<String> =
        std::iter::once(leader).chain(others).map(|n| format!("127.0.0.1:{}", port(n))).collect();
    let url = vhost.url_through(&hosts.join(","));
    let start = |window, queue| {
        let words = ["--url", &url, "-v", "--tee", "--window", window, queue];
        vhost.send(&words).open_input().timeout(LONG).start()
    };
    // Such a large window shows what each message in it costs.
    let mut fast = start("4000", "fast");
    let mut slow = start("1000", "slow");
    let many = numbered(40_000);
    fast.feed(&many);
    let all = numbered(MOST);
    let mut lines = all.split_inclusive(|byte| *byte == b'\n');
    let mut fed = 0;
    let mut trickle = |slow: &mut Running| {
        let line = lines.next().expect("a line that is left");
        slow.feed(line);
        fed += line.len();
        std::thread::sleep(SLOWLY);
    };
    wait_until(LONG, "lines confirmed", || {
        trickle(&mut slow);
        fast.stdout().len() > 10_000 && slow.stdout().len() > 100
    });
    cluster.kill(&[leader]);
    wait_until(LONG, "new leaders", || {
        trickle(&mut slow);
        vhost.leader("fast") != leader && vhost.leader("slow") != leader
    });
    let elected = Instant::now();
    let before = [fast.stdout().len(), slow.stdout().len()];
    let mut took = [None, None];
    wait_until(LONG, "both going on", || {
        trickle(&mut slow);
        for (took, (run, before)) in took.iter_mut().zip([&fast, &slow].into_iter().zip(before)) {
            let all = run.stdout().len();
            if all > before || all == many.len() {
                took.get_or_insert(elected.elapsed());
            }
        }
        took.iter().all(Option::is_some)
    });
    let sent = [fast.finish().expect(0), slow.finish().expect(0)];
    cluster.start(&[leader]);
    for (took, sent) in took.iter().zip(&sent) {
        assert!(took.is_some_and(|took| took < GOES_ON), "{took:?}\n{}", sent.stderr);
        // One record tests whether the queue accepts any, not the whole window.
        assert!(sent.tally("nacked") < 50, "{}", sent.stderr);
        assert_eq!(sent.tally("confirmed"), sent.tally("read"), "{}", sent.stderr);
    }
    assert_eq!((sent[0].stdout.len(), sent[1].stdout.len()), (many.len(), fed));
    let account = account(&vhost.drain("fast"));
    assert_eq!((account.missing(40_000), account.torn), (vec![], 0));
}
