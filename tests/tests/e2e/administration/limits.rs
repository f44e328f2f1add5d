//! Limits: the broker enforces what is set.

use rmq_tests::managed::{WAYS, managed};
use rmq_tests::tool::Tool;
use rmq_tests::vhost::Vhost;

#[test]
fn the_limits_that_are_set_are_those_that_clients_meet() {
    let cluster = managed();
    for way in WAYS {
        let vhost = Vhost::new(cluster);
        let done = |words: &[&str]| way.perm(cluster).arguments(words).run().expect(0);
        let declare = |queue: &str| -> Tool {
            vhost.tool("rmq-declare").arguments(&["--quiet", "--retry", "0", queue])
        };
        done(&["set-vhost-limits", "-p", &vhost.name, "--max-queues", "1"]);
        declare("one").run().expect(0);
        declare("two").run().expect(65).says("queue limit");
        done(&["set-vhost-limits", "-p", &vhost.name, "--max-queues", "none"]);
        declare("two").run().expect(0);
        done(&["set-user-limits", &vhost.name, "--max-connections", "0"]);
        let refused = declare("two").run();
        assert!(
            !refused.status.success() && refused.stderr.contains("limit"),
            "{}",
            refused.stderr
        );
        done(&["clear-user-limits", &vhost.name]);
        declare("two").run().expect(0);
    }
}
