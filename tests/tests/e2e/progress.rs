//! `--progress`, seen in a terminal.

use rmq_tests::brokers;
use rmq_tests::tool::{Tool, binary};
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::wait_for;
use std::time::Duration;

/// A terminal without a screen; gone when this is dropped.
struct Terminal(String);

impl Terminal {
    fn run(name: &str, url: &str, script: &str) -> Self {
        let socket = format!("{name}-{}", std::process::id());
        let words =
            ["-L", &socket, "-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "20"];
        let tmux = Tool::program("tmux").arguments(&words).arguments(&[script]);
        tmux.environment("AMQP_URL", url).environment("TERM", "xterm").run().expect(0);
        Terminal(socket)
    }

    fn wait(&self, what: &str, is_there: impl Fn(&str) -> bool) -> String {
        wait_for(Duration::from_secs(20), what, || {
            let words = ["-L", &self.0, "capture-pane", "-p", "-J"];
            let screen = Tool::program("tmux").arguments(&words).run().expect(0).stdout;
            Some(String::from_utf8(screen).unwrap()).filter(|screen| is_there(screen))
        })
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        Tool::program("tmux").arguments(&["-L", &self.0, "kill-server"]).run();
    }
}

#[test]
fn a_long_run_shows_on_a_terminal_how_far_it_is_and_a_short_one_only_its_tally() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let send = binary("rmq-send").display().to_string();
    let script = format!("(seq 2500; sleep 4; echo end) | '{send}' --progress q; sleep 60");
    let terminal = Terminal::run("long", &vhost.url(), &script);
    let shown = "rmq-send: 2,500 confirmed, ";
    terminal.wait("the progress", |screen| screen.contains(shown));
    // At the end the tally stands in its place.
    let screen = terminal.wait("the tally", |screen| screen.contains("read 2501, confirmed 2501"));
    assert!(!screen.contains(shown), "{screen}");
    let script = format!("echo one | '{send}' --progress q; sleep 60");
    let terminal = Terminal::run("short", &vhost.url(), &script);
    let screen = terminal.wait("the tally", |screen| screen.contains("read 1, confirmed 1"));
    assert!(!screen.contains(" confirmed, 1/s"), "{screen}");
}
