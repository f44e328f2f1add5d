//! A terminal without a screen, by tmux.

use crate::tool::Tool;
use crate::wait::wait_for;
use std::time::Duration;

/// It ends when this is dropped.
pub struct Terminal(String);

impl Terminal {
    /// A terminal in which the shell runs `script`, with these variables; `name` distinguishes it
    /// from other terminals of this process.
    ///
    /// # Panics
    /// When tmux is not installed.
    pub fn run(name: &str, environment: &[(&str, &str)], script: &str) -> Self {
        let socket = format!("{name}-{}", std::process::id());
        let words =
            ["-L", &socket, "-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "20"];
        let tmux = Tool::program("tmux").arguments(&words).arguments(&[script]);
        let tmux =
            environment.iter().fold(tmux, |tmux, (name, value)| tmux.environment(name, value));
        tmux.environment("TERM", "xterm").run().expect(0);
        Terminal(socket)
    }

    /// Types a text, and then presses keys by their names, such as `Tab`.
    ///
    /// # Panics
    /// When the terminal is gone.
    pub fn types(&self, text: &str, keys: &[&str]) {
        let send = |words: &[&str]| {
            let tmux = Tool::program("tmux").arguments(&["-L", &self.0, "send-keys"]);
            tmux.arguments(words).run().expect(0);
        };
        send(&["-l", "--", text]);
        send(keys);
    }

    /// Waits until `is_there` is true of the screen, and returns its text.
    ///
    /// # Panics
    /// When that takes longer than 20 seconds; the message shows the last screen.
    pub fn wait(&self, what: &str, is_there: impl Fn(&str) -> bool) -> String {
        let mut last = String::new();
        wait_for(Duration::from_secs(20), what, || {
            let words = ["-L", &self.0, "capture-pane", "-p", "-J"];
            let screen = Tool::program("tmux").arguments(&words).run().expect(0).stdout;
            let screen = String::from_utf8(screen).unwrap();
            if screen != last {
                eprintln!("{screen}");
                last.clone_from(&screen);
            }
            Some(screen).filter(|screen| is_there(screen))
        })
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        Tool::program("tmux").arguments(&["-L", &self.0, "kill-server"]).run();
    }
}
