//! A classic queue lives on one node of a cluster, and is unavailable while that is down.

use rmq_tests::brokers;
use rmq_tests::text::numbered;
use rmq_tests::tool::Tool;
use rmq_tests::vhost::Vhost;
use rustix::process::Signal;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(180);

#[test]
fn a_follower_outlives_a_restart_of_its_queues_node_and_an_impatient_one_ends_with_75() {
    let cluster = brokers::three_to_break();
    let vhost = Vhost::new(&cluster);
    let home = cluster.hosts().split(',').next().unwrap_or_default();
    let declare = Tool::new("rmq-declare").arguments(&["--type", "classic", "q", "other"]);
    declare.environment("AMQP_URL", &vhost.url_through(home)).run().expect(0);
    let text = numbered(20);
    let half = numbered(10).len();
    vhost.send(&["q"]).input(&text[..half]).run().expect(0);
    let following = vhost.receive(&["q"]).timeout(LONG).start();
    let impatient = vhost.receive(&["--retry", "2s", "other"]).timeout(LONG).start();
    following.wait_stdout(half);
    cluster.stop(&[1]);
    // One node after another says that the queue is unavailable for now.
    impatient.wait().expect(75).says("receive from other: ").says("(--retry 2s)");
    cluster.start(&[1]);
    vhost.send(&["q"]).input(&text[half..]).timeout(LONG).run().expect(0);
    following.wait_stdout(text.len());
    following.signal(Signal::TERM);
    let followed = following.wait().expect_signal(Signal::TERM);
    assert!(followed.stdout == text, "{}", followed.stderr);
}
