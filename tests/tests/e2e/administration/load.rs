//! A busy broker that logs.

use rmq_tests::managed::{WAYS, managed};
use rmq_tests::scale::scale;
use rmq_tests::vhost::Vhost;

#[test]
fn no_run_fails_while_messages_go_through_and_the_broker_logs() {
    let cluster = managed();
    let vhost = Vhost::new(cluster);
    vhost.declare(&["--quiet"], "busy");
    let lines = rmq_tests::tool::Tool::program("yes").output_to_pipe();
    let mut lines = lines.start();
    let sending = vhost.send(&["busy"]).input_from(lines.take_output()).start();
    let null = std::fs::File::options().write(true).open("/dev/null").unwrap();
    let receiving = vhost.receive(&["busy"]).output_to(null).start();
    let name = &vhost.name;
    for run in 0..scale().administrations {
        let way = WAYS[run % 2];
        // Each connection, and each permission set, makes the broker log.
        let pattern = format!("^run-{run}$|.*");
        let words = ["set", "-p", name, name, ".*", ".*", &pattern];
        if run % 4 < 2 {
            way.perm(cluster).arguments(&words).run().expect(0);
            vhost.tool("rmq-declare").arguments(&["--check", "busy"]).run().expect(0);
        }
        let told = way.perm(cluster).arguments(&["list", "-p", name]).run().expect(0);
        assert_eq!(String::from_utf8_lossy(&told.stdout).lines().count(), 1, "{told:?}");
    }
    for busy in &mut [sending, receiving, lines] {
        assert!(busy.is_running(), "{}", busy.stderr());
    }
}
