//! `wait`, and what the other commands say while a node starts.

use rmq_tests::brokers::release;
use rmq_tests::cluster::Cluster;
use rmq_tests::managed::{MANAGEMENT, WAYS, Way};
use rmq_tests::tool::Tool;
use rmq_tests::vhost::Vhost;
use std::sync::atomic::{AtomicBool, Ordering};

const WORDS: [&[&str]; 6] = [
    &["list-queues", "-v"],
    &["list-users"],
    &["list-bindings", "-v"],
    &["cluster-status", "--if-node-stops"],
    &["list-connections"],
    &["add-vhost", "again"],
];

/// Ends the probing, even if the test fails.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_script_that_runs_before_the_node_is_up_waits_for_it_and_nothing_is_called_a_bug() {
    let cluster = Cluster::up_with(1, &release(), &MANAGEMENT);
    let vhost = Vhost::new(&cluster);
    let perm = |way: Way, words: &[&str]| way.perm(&cluster).arguments(words);
    for way in WAYS {
        perm(way, &["wait"]).run().expect(0);
    }
    cluster.kill(&[1]);
    for way in WAYS {
        let told = perm(way, &["--retry", "500ms", "wait"]).run().expect(75);
        told.says("rmq-perm: wait: connect to ").says("; trying again, --retry 500ms");
    }
    // `wait` alone waits for a cookie that the node has yet to create.
    let missing = ["--cookie-file", "/nonexistent/cookie", "--retry", "500ms"];
    let asked = |word| Tool::new("rmq-perm").arguments(&missing).arguments(&[word]);
    asked("wait").run().expect(75).says("cookie file /nonexistent/cookie");
    asked("list-users").run().expect(78);
    let waiting = WAYS.map(|way| perm(way, &["--retry", "1m", "wait"]).start());
    let is_up = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _ending = Ending(&is_up);
        for way in WAYS {
            let (perm, is_up) = (&perm, &is_up);
            scope.spawn(move || {
                while !is_up.load(Ordering::Relaxed) {
                    for words in WORDS {
                        let ended = perm(way, &[&["--retry", "0"], words].concat()).run();
                        let status = ended.status.code();
                        let known = [Some(0), Some(69), Some(75)].contains(&status);
                        assert!(known, "{way:?} {words:?} {status:?} {}", ended.stderr);
                    }
                }
            });
        }
        cluster.start(&[1]);
        for (way, waiting) in WAYS.into_iter().zip(waiting) {
            waiting.wait().expect(0);
            // It can be used at once.
            perm(way, &["--retry", "0", "list-queues", "-p", &vhost.name]).run().expect(0);
            vhost.declare(&["--quiet", "--retry", "0"], way.name());
            vhost.send(&["--retry", "0", way.name()]).input("line\n").run().expect(0);
        }
    });
}
