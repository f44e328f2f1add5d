//! Human-readable forms of a message: templates by name, and `--format pretty`.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::terminal::Terminal;
use rmq_tests::tool::binary;
use rmq_tests::vhost::Vhost;

#[test]
fn a_template_names_properties_headers_and_forms_of_the_body_and_has_defaults() {
    let vhost = Vhost::filled(brokers::one(), 0);
    let words = ["--message-id", "m1", "--content-type", "text/plain", "-H", "tries=3", "q"];
    vhost.send(&words).input("h\u{e9}\n").run().expect(0);
    vhost.send(&["q"]).input("x\n").run().expect(0);
    let template = "%{message_id:-none} %{content_type:--} %{header:tries:-0} %{correlation_id}|\
                    %{size} %{body_hex} %{body_base64} %{received_utc}\\n";
    let received = vhost.receive(&["--drain", "--format", template, "q"]).run().expect(0);
    let text = String::from_utf8(received.stdout).unwrap();
    let lines: Vec<_> = text.lines().map(|line| line.rsplit_once(' ').unwrap()).collect();
    assert_eq!(lines[0].0, "m1 text/plain 3 |3 68c3a9 aMOp");
    assert_eq!(lines[1].0, "none - 0 |1 78 eA==");
    assert!(lines.iter().all(|(_, time)| time.starts_with("20") && time.ends_with('Z')), "{text}");
    let slip = vhost.receive(&["--format", "%{mesage_id}\\n", "q"]).run().expect(64);
    slip.says("%{mesage_id} is not a template field; did you mean message_id?");
}

#[test]
fn a_name_that_is_something_else_is_told_with_the_command_that_was_meant() {
    let vhost = Vhost::filled(brokers::one(), 0);
    vhost.add_exchange("events", "topic");
    let meant = "no such queue in vhost ";
    let ended = vhost.receive(&["events"]).run().expect(65).says(meant);
    ended.says(" (it is an exchange: rmq-recv -e events)");
    let ended = vhost.receive(&["nothing"]).run().expect(65).says(meant);
    assert!(!ended.stderr.contains("exchange"), "{}", ended.stderr);
    let ended = vhost.send(&["q", "hello world"]).run().expect(74);
    ended.says(
        "read hello world: No such file or directory (to send it as a message: -b 'hello world')",
    );
    let ended = vhost.send(&["q", "./hello"]).run().expect(74);
    assert!(!ended.stderr.contains("-b"), "{}", ended.stderr);
}

#[test]
fn a_block_for_people_shows_what_is_set_on_a_terminal_and_nothing_that_steers_it() {
    let vhost = Vhost::filled(brokers::one(), 0);
    vhost.declare(&["--dead-letter-exchange", "", "--dead-letter-key", "q"], "work");
    let body = format!("{{\"order\":17,\"note\":\"\\u001b[31m{}\"}}", "x".repeat(200));
    vhost.send(&["--message-id", "m1", "-H", "tries=3", "work"]).input(body).run().expect(0);
    let reject = ["-n", "1", "--on-failure", "dead-letter", "work", "--", "false"];
    vhost.receive(&reject).run().expect(0);
    vhost.wait_held("q", Held::ready(1));
    vhost.send(&["q"]).input("\x1b[31mred\x07\n").run().expect(0);
    let receive = binary("rmq-recv").display().to_string();
    let script = format!("'{receive}' --peek 2 --format pretty q; sleep 60");
    let terminal = Terminal::run("pretty", &[("AMQP_URL", &vhost.url())], &script);
    let screen = terminal.wait("both messages", |screen| screen.contains("\\x1b[31mred\\x07"));
    for line in [
        "exchange (default), key q, ",
        "  message_id: m1",
        "  header tries: 3",
        "  death: rejected in work, 1 time, first 20",
        "      \"order\": 17,",
        "      \"note\": \"\\u001b[31mxxxxx",
        "xxxxx...",
    ] {
        assert!(screen.contains(line), "{line}: {screen}");
    }
    assert!(screen.lines().all(|line| line.chars().count() <= 120), "{screen}");
    vhost.wait_held("q", Held::ready(2));
    let words = ["--format", "pretty", "--ack-from", "nowhere", "q"];
    vhost
        .receive(&words)
        .run()
        .expect(64)
        .says("--ack-from and --format pretty cannot be combined");
}
