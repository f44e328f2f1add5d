//! `--progress`, seen in a terminal.

use rmq_tests::brokers;
use rmq_tests::terminal::Terminal;
use rmq_tests::tool::binary;
use rmq_tests::vhost::Vhost;

#[test]
fn a_long_run_shows_on_a_terminal_how_far_it_is_and_a_short_one_only_its_tally() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let send = binary("rmq-send").display().to_string();
    let script = format!("(seq 2500; sleep 4; echo end) | '{send}' --progress q; sleep 60");
    let terminal = Terminal::run("long", &[("AMQP_URL", &vhost.url())], &script);
    let shown = "rmq-send: 2,500 confirmed, ";
    terminal.wait("the progress", |screen| screen.contains(shown));
    // At the end the tally stands in its place.
    let screen = terminal.wait("the tally", |screen| screen.contains("read 2501, confirmed 2501"));
    assert!(!screen.contains(shown), "{screen}");
    let script = format!("echo one | '{send}' --progress q; sleep 60");
    let terminal = Terminal::run("short", &[("AMQP_URL", &vhost.url())], &script);
    let screen = terminal.wait("the tally", |screen| screen.contains("read 1, confirmed 1"));
    assert!(!screen.contains(" confirmed, 1/s"), "{screen}");
}

/// The number before `unit` on a screen.
fn number(screen: &str, unit: &str) -> Option<u64> {
    let before = screen.split_once(unit)?.0;
    before.rsplit(' ').next()?.replace(',', "").parse().ok()
}

#[test]
fn rates_are_those_of_the_last_seconds_without_decimals_and_what_waits_is_shown() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let [send, receive] = ["rmq-send", "rmq-recv"].map(|name| binary(name).display().to_string());
    // A thousand at once, and then forty a second, with a body of 99 bytes: what comes at first must
    // not make the rate thousands of thousands, and must be forgotten after five seconds.
    let body = "x".repeat(99);
    let script = format!(
        "(yes {body} | head -1000; while :; do for i in 1 2 3 4; do echo {body}; done; sleep 0.1; done) \
         | '{send}' --progress q"
    );
    let environment = [("AMQP_URL", &*vhost.url())];
    let sender = Terminal::run("rates", &environment, &script);
    let screen = sender.wait("the first rate", |screen| screen.contains(" confirmed, "));
    let [rate, bytes] = ["/s, ", " kB/s"].map(|unit| number(&screen, unit));
    assert!(rate.is_some_and(|rate| rate <= 1200), "{screen}");
    assert!(bytes.is_some_and(|bytes| bytes <= 120), "{screen}");
    let slow = |screen: &str| number(screen, "/s, ").is_some_and(|rate| (5..=45).contains(&rate));
    let screen = sender.wait("the rate of the last seconds", slow);
    assert!(!screen.contains('.'), "{screen}");
    let script = format!("'{receive}' --progress q | (head -c 5000 >/dev/null; sleep 60)");
    let receiver = Terminal::run("waits", &environment, &script);
    // The prefetch and the pipe are full: nothing is acknowledged any longer.
    receiver.wait("what waits", |screen| {
        screen.contains(" acknowledged, 0/s, 0 B/s, ") && screen.contains(" unacknowledged, 00:00:")
    });
}

#[test]
fn the_line_is_no_wider_than_the_terminal_and_not_there_where_messages_are_written_to_it() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let [send, receive] = ["rmq-send", "rmq-recv"].map(|name| binary(name).display().to_string());
    let environment = [("AMQP_URL", &*vhost.url())];
    let script = format!("stty cols 40; (seq 10000; sleep 60) | '{send}' --progress q");
    let terminal = Terminal::run("narrow", &environment, &script);
    let screen = terminal.wait("the progress", |screen| screen.contains("rmq-send: 10,000 conf"));
    assert!(screen.lines().all(|line| line.trim_end().chars().count() <= 40), "{screen}");
    drop(terminal);
    vhost.drain("q");
    let script = format!(
        "(for i in $(seq 30); do echo line $i; sleep 0.1; done | '{send}' --quiet q) & \
         '{receive}' --progress -n 30 q; sleep 60"
    );
    let terminal = Terminal::run("both", &environment, &script);
    let screen = terminal.wait("the tally", |screen| screen.contains("received 30, "));
    assert!(screen.contains("line 30\n") && !screen.contains("/s, "), "{screen}");
}

/// The lines of a screen that begin so.
fn rows<'a>(screen: &'a str, begin: &str) -> Vec<&'a str> {
    screen.lines().filter(|line| line.starts_with(begin)).collect()
}

#[test]
fn each_tool_of_a_pipeline_has_a_line_and_leaves_none_whichever_ends_first() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "a");
    vhost.declare(&[], "b");
    let [send, receive] = ["rmq-send", "rmq-recv"].map(|name| binary(name).display().to_string());
    vhost.send(&["a"]).input("x\n".repeat(2500)).run().expect(0);
    let environment = [("AMQP_URL", &*vhost.url())];
    // At the bottom of the screen, where a second line scrolls it.
    let script = format!(
        "seq 30; echo begin; '{receive}' --progress --timeout 9s a | ('{send}' --progress b; \
         echo after) ; echo end; sleep 60"
    );
    let terminal = Terminal::run("pipeline", &environment, &script);
    let (of_receiver, of_sender) = ("rmq-recv: 2,500 ack", "rmq-send: 2,500 conf");
    let both =
        |screen: &str| [of_receiver, of_sender].iter().all(|begin| rows(screen, begin).len() == 1);
    terminal.wait("both lines", both);
    // A line that stays is above them.
    vhost.close_all_connections("again");
    let screen = terminal.wait("the lines after a notice of each", |screen| {
        both(screen) && screen.matches("connected to ").count() == 2
    });
    let last: Vec<_> = screen.trim_end().lines().rev().take(2).collect();
    assert!(last.iter().all(|line| line.contains("/s, ")), "{screen}");
    assert_eq!(screen.matches("/s, ").count(), 4, "{screen}");
    let screen = terminal.wait("the end", |screen| screen.contains("\nend\n"));
    assert!(!screen.contains("/s, "), "{screen}");
    for line in ["rmq-recv: received 2", "rmq-send: read 2", "begin", "after"] {
        assert_eq!(rows(&screen, line).len(), 1, "{line}: {screen}");
    }
}
