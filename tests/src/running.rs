//! A running program: watched, fed, signalled, and never left behind.

use crate::tool::{Ended, Input, Tool};
use crate::wait::wait_until;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::io::{Read, Write};
use std::process::{Child, ChildStdout, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A running program. Killed when dropped before it has ended.
#[derive(Debug)]
pub struct Running {
    child: Child,
    command: String,
    /// Data to be written to its standard input; dropped to end the input.
    feed: Option<Sender<Vec<u8>>>,
    /// How many pieces of data are not written yet; `None` once it accepts no more.
    unwritten: Arc<Mutex<Option<usize>>>,
    stdout: Heard,
    stderr: Heard,
    started: Instant,
    timeout: Duration,
    group: bool,
}

/// What has been read from a pipe so far.
#[derive(Debug, Default)]
struct Heard {
    bytes: Arc<Mutex<Vec<u8>>>,
    thread: Option<JoinHandle<()>>,
}

impl Heard {
    fn from(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let all = bytes.clone();
        let thread = std::thread::spawn(move || {
            let mut block = vec![0; 1 << 16];
            while let Ok(length @ 1..) = pipe.read(&mut block) {
                all.lock().expect("no panic while it was held").extend_from_slice(&block[..length]);
            }
        });
        Heard { bytes, thread: Some(thread) }
    }

    fn so_far(&self) -> Vec<u8> {
        self.bytes.lock().expect("no panic while it was held").clone()
    }

    fn all(&mut self) -> Vec<u8> {
        if let Some(thread) = self.thread.take() {
            thread.join().expect("reading a pipe");
        }
        std::mem::take(&mut *self.bytes.lock().expect("no panic while it was held"))
    }
}

impl Running {
    pub(crate) fn start(tool: Tool) -> Self {
        let Tool { mut command, input, output, timeout, group } = tool;
        let shown = format!("{command:?}");
        let listened_to = output.is_none();
        let (bytes, stdin) = match input {
            Input::Bytes(bytes) if bytes.is_empty() => (None, Stdio::null()),
            Input::Bytes(bytes) => (Some(bytes), Stdio::piped()),
            Input::Open => (None, Stdio::piped()),
            Input::Given(stdio) => (None, stdio),
        };
        command.stdin(stdin).stdout(output.unwrap_or_else(Stdio::piped)).stderr(Stdio::piped());
        let started = Instant::now();
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{shown}: {error}"));
        let unwritten = Arc::new(Mutex::new(Some(0)));
        let feed = child.stdin.take().map(|mut stdin| {
            let (feed, todo) = channel::<Vec<u8>>();
            let unwritten = unwritten.clone();
            // A thread, because a program that stops reading must not block the test; one that ends
            // before it has read everything is judged by the test.
            std::thread::spawn(move || {
                for bytes in todo {
                    let written = stdin.write_all(&bytes);
                    let mut unwritten = unwritten.lock().expect("no panic while it was held");
                    *unwritten = unwritten.filter(|_| written.is_ok()).map(|count| count - 1);
                    if unwritten.is_none() {
                        break;
                    }
                }
            });
            feed
        });
        let feed = match bytes {
            Some(bytes) => {
                *unwritten.lock().expect("no panic while it was held") = Some(1);
                feed.expect("its standard input").send(bytes).expect("the thread that feeds it");
                None
            }
            None => feed,
        };
        let stdout = match listened_to.then(|| child.stdout.take()).flatten() {
            Some(pipe) => Heard::from(pipe),
            None => Heard::default(),
        };
        let stderr = Heard::from(child.stderr.take().expect("its standard error"));
        Running { child, command: shown, feed, unwritten, stdout, stderr, started, timeout, group }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to it or, if it has its own process group, to the whole group.
    ///
    /// # Panics
    /// When it is gone.
    #[track_caller]
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        let sent =
            if self.group { kill_process_group(pid, signal) } else { kill_process(pid, signal) };
        sent.expect("a process to signal");
    }

    /// Writes to its standard input, and waits until the data is in the pipe.
    ///
    /// # Panics
    /// When that is not open, or the program does not read for too long.
    #[track_caller]
    pub fn write(&mut self, bytes: &[u8]) {
        self.feed(bytes);
        let what = format!("{} to read: {}", self.command, self.stderr());
        wait_until(self.timeout, &what, || {
            matches!(*self.unwritten.lock().expect("no panic while it was held"), None | Some(0))
        });
    }

    /// Writes to its standard input as fast as it reads, while the test continues.
    ///
    /// # Panics
    /// When that is not open.
    #[track_caller]
    pub fn feed(&mut self, bytes: &[u8]) {
        let feed = self.feed.as_ref().expect("a standard input that is open");
        if let Some(count) = &mut *self.unwritten.lock().expect("no panic while it was held") {
            *count += 1;
        }
        // If the thread has ended, the program has, too, which waiting for it will show.
        let _ = feed.send(bytes.to_vec());
    }

    /// Ends its standard input after everything is written.
    pub fn end_input(&mut self) {
        self.feed = None;
    }

    /// The pipe to which it writes, after [`Tool::output_to_pipe`].
    ///
    /// # Panics
    /// When it was taken already.
    pub fn take_output(&mut self) -> ChildStdout {
        self.child.stdout.take().expect("a pipe it writes to")
    }

    /// What it has written so far.
    pub fn stdout(&self) -> Vec<u8> {
        self.stdout.so_far()
    }

    /// What it has written to standard error so far.
    pub fn stderr(&self) -> String {
        text(&self.stderr.so_far())
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.status().is_none()
    }

    fn status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("wait for a child")
    }

    /// Waits until it has written this many bytes.
    ///
    /// # Panics
    /// When it has not in time.
    #[track_caller]
    pub fn wait_stdout(&self, bytes: usize) {
        let what = format!("{bytes} bytes from {}", self.command);
        wait_until(self.timeout, &what, || self.stdout.so_far().len() >= bytes);
    }

    /// Waits until it has written this to standard error.
    ///
    /// # Panics
    /// When it has not in time.
    #[track_caller]
    pub fn wait_stderr(&self, said: &str) {
        let what = format!("{said:?} from {}", self.command);
        wait_until(self.timeout, &what, || self.stderr().contains(said));
    }

    /// Ends its standard input and waits for its end.
    #[track_caller]
    pub fn finish(mut self) -> Ended {
        self.end_input();
        self.wait()
    }

    /// Waits for its end, without closing its standard input.
    ///
    /// # Panics
    /// When it has not ended within its time limit; it is killed then.
    #[track_caller]
    pub fn wait(mut self) -> Ended {
        let status = loop {
            if let Some(status) = self.status() {
                break status;
            }
            if self.started.elapsed() > self.timeout {
                let (command, timeout) = (&self.command, self.timeout);
                panic!("{command} still runs after {timeout:?}: {}", self.stderr());
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        let took = self.started.elapsed();
        let (stdout, stderr) = (self.stdout.all(), text(&self.stderr.all()));
        Ended { command: std::mem::take(&mut self.command), status, stdout, stderr, took }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After a normal end, both do nothing. Members of a group may be left.
        if self.group {
            let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
