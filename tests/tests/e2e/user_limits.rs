//! A user for whom the broker allows few channels. It does not propose that limit when a client
//! connects, and closes the connection over the first channel too many.

use rmq_tests::brokers;
use rmq_tests::vhost::Vhost;

#[test]
fn a_user_who_may_have_few_channels_declares_and_sends_all_the_same() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let rows: String = (0..40).map(|row| format!("r{row},classic\n")).collect();
    let file = format!("queue,type\n{rows}");
    for most in ["1", "3"] {
        let limits = format!("{{\"max-channels\": {most}}}");
        vhost.cluster.control(1, &["set_user_limits", &vhost.name, &limits]);
        for words in
            [&["--retry=20s", "q"][..], &["-e", "amq.topic", "-r", "k", "--allow-unroutable"]]
        {
            let sent = vhost.send(words).input("x\n").run().expect(0);
            // The broker says so once.
            assert!(sent.stderr.matches("lost the connection").count() <= 1, "{}", sent.stderr);
        }
        vhost.send(&["-b", "x", "nope"]).run().expect(65).says("no such queue");
        vhost.send(&["-b", "x", "-e", "nope"]).run().expect(65).says("exchange");
        let routed = "nope:x\nq:y\n";
        vhost.send(&["--routed", "-K:"]).input(routed).run().expect(65).says("no such queue");
        for words in [&["a", "b", "c"][..], &["--with-dlq", "w"]] {
            vhost.tool("rmq-declare").arguments(words).run().expect(0);
        }
        // A check may ask about a leader on a separate connection, which counts, too (4.3).
        let checked =
            vhost.tool("rmq-declare").arguments(&["--retry=3s", "--check", "a", "b"]).run();
        if checked.status.code() != Some(0) {
            assert_eq!(most, "1", "{}", checked.stderr);
            checked.expect(75).says("has reached the maximum allowed user limit of");
        }
        let declared = vhost.tool("rmq-declare").arguments(&["--csv", "-"]).input(&*file).run();
        let declared = declared.expect(0);
        assert!(declared.stderr.lines().count() < 5, "{}", declared.stderr);
    }
}
