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
