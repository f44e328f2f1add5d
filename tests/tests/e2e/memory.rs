//! Memory that does not grow with the input.

use rmq_tests::brokers;
use rmq_tests::limits::status;
use rmq_tests::observe::Held;
use rmq_tests::scale::scale;
use rmq_tests::text::numbered;
use rmq_tests::vhost::Vhost;
use std::time::Duration;

/// More than any run needs; a tenth of what the input of the full form takes.
const MOST: usize = 48 << 20;

#[test]
fn a_million_lines_go_through_rmq_send_in_the_memory_of_a_thousand() {
    let vhost = Vhost::new(brokers::one());
    let directory = tempfile::tempdir().unwrap();
    let spool = directory.path().join("spool");
    let part = numbered(10_000);
    for words in [&[][..], &["--spool", spool.to_str().unwrap()]] {
        vhost.declare(&["--max-length", "1000"], "q");
        let sending = vhost.send(&["-v"]).arguments(words).arguments(&["q"]).open_input();
        let mut sending = sending.timeout(Duration::from_secs(300)).start();
        for _ in 0..scale().memory_lines / 10_000 {
            sending.write(&part);
        }
        vhost.wait_held("q", Held::ready(1000));
        let peak = status(sending.pid(), "VmHWM:") << 10;
        eprintln!("{words:?}: {} MiB at most", peak >> 20);
        let sent = sending.finish().expect(0);
        assert_eq!(sent.tally("confirmed"), scale().memory_lines);
        assert!(peak < MOST, "{peak} bytes");
        vhost.delete("q");
    }
}
