//! Running a program: our binaries, or any other in a pipeline with them.

use crate::running::Running;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

/// How long a program may take, unless the test says otherwise.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A program to run.
#[derive(Debug)]
pub struct Tool {
    pub(crate) command: Command,
    pub(crate) input: Input,
    pub(crate) output: Option<Stdio>,
    pub(crate) timeout: Duration,
    pub(crate) group: bool,
}

/// What a program reads.
#[derive(Debug)]
pub(crate) enum Input {
    /// These bytes.
    Bytes(Vec<u8>),
    /// What the test writes while it runs.
    Open,
    /// An existing stream.
    Given(Stdio),
}

impl Tool {
    /// One of our tools, with empty standard input.
    ///
    /// # Panics
    /// When it is not built.
    pub fn new(name: &str) -> Self {
        let path = binary(name);
        let built = path.is_file();
        assert!(built, "{} is missing: cargo build --workspace --bins", path.display());
        Self::program(path)
    }

    /// Any program.
    pub fn program(path: impl Into<PathBuf>) -> Self {
        let mut command = Command::new(path.into());
        // The environment of whoever runs the tests must not affect them.
        command.env_remove("AMQP_URL").env_remove("RABBITMQ_API_URL");
        let input = Input::Bytes(Vec::new());
        Tool { command, input, output: None, timeout: TIMEOUT, group: false }
    }

    /// One of our tools, with a separate disk of this size on `directory`, which no other process
    /// sees.
    pub fn on_a_small_disk(name: &str, directory: &std::path::Path, bytes: usize) -> Self {
        let script =
            "mount -t tmpfs -o size=\"$1\",mode=0700 tmpfs \"$2\" && shift 2 && exec \"$@\"";
        // Without privileges, a user namespace allows it.
        let mut words = vec!["--mount"];
        if !rustix::process::geteuid().is_root() {
            words.push("--map-root-user");
        }
        let (size, binary) = (bytes.to_string(), binary(name));
        let [directory, binary] = [directory, &binary].map(|path| path.to_str().expect("UTF-8"));
        words.extend(["--", "sh", "-c", script, "sh", &size, directory, binary]);
        Self::program("unshare").arguments(&words)
    }

    /// Appends words to its command line.
    #[must_use]
    pub fn arguments(mut self, words: &[&str]) -> Self {
        self.command.args(words);
        self
    }

    /// Appends words that need not be text.
    pub fn add(&mut self, words: &[&OsStr]) {
        self.command.args(words);
    }

    /// Sets a variable in its environment.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// It reads these bytes.
    #[must_use]
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Input::Bytes(bytes.into());
        self
    }

    /// It reads what the test writes to it while it runs.
    #[must_use]
    pub fn open_input(mut self) -> Self {
        self.input = Input::Open;
        self
    }

    /// It reads what another program writes.
    #[must_use]
    pub fn input_from(mut self, output: ChildStdout) -> Self {
        self.input = Input::Given(output.into());
        self
    }

    /// It reads from a pipe of the test's.
    #[must_use]
    pub fn input_from_pipe(mut self, pipe: std::io::PipeReader) -> Self {
        self.input = Input::Given(pipe.into());
        self
    }

    /// It writes to a file, and its output is not captured.
    #[must_use]
    pub fn output_to(mut self, file: File) -> Self {
        self.output = Some(file.into());
        self
    }

    /// It writes to a pipe that the test takes with [`Running::take_output`].
    #[must_use]
    pub fn output_to_pipe(mut self) -> Self {
        self.output = Some(Stdio::piped());
        self
    }

    /// It leads its own process group, which is signalled and killed as a whole, like a pipeline.
    #[must_use]
    pub fn own_group(mut self) -> Self {
        self.command.process_group(0);
        self.group = true;
        self
    }

    /// How long it may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Starts it.
    pub fn start(self) -> Running {
        Running::start(self)
    }

    /// Starts it and waits for its end.
    pub fn run(self) -> Ended {
        self.start().wait()
    }
}

/// Where cargo puts our binary with this name.
pub fn binary(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("the test's own path");
    let directory = own.parent().expect("a target directory");
    // The tests themselves are one directory deeper, in target/<profile>/deps.
    let above = directory.parent().filter(|_| directory.ends_with("deps"));
    above.unwrap_or(directory).join(name)
}

/// How a program ended, and its output.
#[derive(Debug)]
pub struct Ended {
    /// Its command line.
    pub command: String,
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output, if it was captured.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: String,
    /// How long it ran.
    pub took: Duration,
}

impl Ended {
    /// It exited with this status.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn expect(self, status: i32) -> Self {
        let Ended { command, status: ended, stderr, .. } = &self;
        assert_eq!(ended.code(), Some(status), "{command}: {ended}, not {status}: {stderr}");
        self
    }

    /// It was ended by this signal, which is not the same as an exit status over 128.
    ///
    /// # Panics
    /// When it was not.
    #[track_caller]
    pub fn expect_signal(self, signal: rustix::process::Signal) -> Self {
        let Ended { command, status, stderr, .. } = &self;
        let ended_by = status.signal();
        assert_eq!(ended_by, Some(signal.as_raw()), "{command}: {status}: {stderr}");
        self
    }

    /// It wrote this to standard error.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        let Ended { command, stderr, .. } = &self;
        assert!(stderr.contains(text), "{command} does not say {text:?}: {stderr}");
        self
    }

    /// A number in the tally on standard error, as in `resent 7`.
    ///
    /// # Panics
    /// When it is missing.
    #[track_caller]
    pub fn tally(&self, name: &str) -> usize {
        self.try_tally(name).unwrap_or_else(|| panic!("no tally with {name}: {}", self.stderr))
    }

    /// The same; `None` if it is missing.
    pub fn try_tally(&self, name: &str) -> Option<usize> {
        let words: Vec<&str> = self.stderr.split([' ', ',', '\n']).collect();
        let pairs = words.windows(2).rev();
        pairs.filter(|pair| pair[0] == name).find_map(|pair| pair[1].parse().ok())
    }
}
