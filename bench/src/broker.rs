//! The brokers used for measurements, and their queues.

use crate::measure;
use crate::tell;
use crate::wire::Wire;
use rmq_tests::cluster::Cluster;
use rmq_tests::machine;
use rmq_tests::secured::{Listener, Secured, secured};
use std::io::Result;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// A cluster for this run.
#[derive(Debug)]
pub struct Broker {
    cluster: Held,
}

#[derive(Debug)]
enum Held {
    Plain(Cluster),
    Secured(&'static Secured),
}

impl Broker {
    /// Starts one of `nodes` nodes.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn up(nodes: usize, release: &str) -> Broker {
        Broker { cluster: Held::Plain(Cluster::up(nodes, release)) }
    }

    /// Starts one node that also accepts TLS, with the release in `RMQ_RELEASE`.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn secured() -> Broker {
        Broker { cluster: Held::Secured(secured()) }
    }

    fn cluster(&self) -> &Cluster {
        match &self.cluster {
            Held::Plain(cluster) => cluster,
            Held::Secured(secured) => &secured.cluster,
        }
    }

    /// The TLS URL, and the file of the authority to trust; `None` without TLS.
    pub fn tls(&self) -> Option<[String; 2]> {
        let Held::Secured(secured) = &self.cluster else { return None };
        let url = format!("amqps://guest:guest@{}", secured.host(Listener::Good));
        Some([url, secured.authority.path()])
    }

    /// Puts the first node on one processor, and this program with everything it starts on another.
    ///
    /// # Errors
    /// When that fails.
    pub fn pin(&self) -> Result<()> {
        let own = std::process::id().to_string();
        for (processor, process) in [("0", self.cluster().variable("RMQ_NODE1_PID")), ("1", &own)] {
            let words = ["--all-tasks", "--cpu-list", "--pid", processor, process];
            measure::run_together(vec![measure::command("taskset", &words, None)?])?;
        }
        Ok(())
    }

    /// What is measured, and where, on one line.
    pub fn described(&self) -> String {
        let [broker, erlang] = self.cluster().versions();
        let ours = env!("CARGO_PKG_VERSION");
        let machine = machine::described();
        format!("rmq {ours}, RabbitMQ {broker} on Erlang/OTP {erlang}; {machine}")
    }

    /// rmq-perm with these words, configured for the first node and its cookie.
    ///
    /// # Errors
    /// When the path of this program is unknown.
    pub fn administer(&self, words: &[&str]) -> Result<Command> {
        let mut command = measure::command(&tool("rmq-perm")?, words, None)?;
        command.env("HOME", self.cluster().variable("RMQ_CLUSTER_HOME"));
        for name in ["ERL_EPMD_PORT", "RABBITMQ_NODENAME"] {
            command.env(name, self.cluster().variable(name));
        }
        Ok(command)
    }

    /// rabbitmqctl with these words.
    ///
    /// # Errors
    /// None so far.
    pub fn control(&self, words: &[&str]) -> Result<Command> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/cluster");
        let directory = self.cluster().directory().to_string_lossy().into_owned();
        let words = [&["ctl", "1", "--dir", &directory, "--", "--quiet"], words].concat();
        measure::command(script, &words, None)
    }

    /// Where the first node listens, on loopback.
    pub fn port(&self) -> &str {
        self.cluster().variable("RMQ_NODE1_AMQP_PORT")
    }

    /// The same as `HOST:PORT`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port())
    }

    /// The same as a URL.
    pub fn url(&self) -> String {
        format!("amqp://guest:guest@{}", self.address())
    }

    /// Creates an empty queue, replacing an earlier one. It is led by the first node.
    ///
    /// # Errors
    /// When that fails.
    pub fn empty(&self, queue: &str, kind: &str) -> Result<()> {
        self.declare(&["--delete", queue])?;
        self.declare(&["--type", kind, queue])
    }

    fn declare(&self, words: &[&str]) -> Result<()> {
        let output = Command::new(tool("rmq-declare")?)
            .args(["--quiet", "--url", &self.url()])
            .args(words)
            .output()?;
        if output.status.success() {
            return Ok(());
        }
        Err(std::io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))
    }

    /// Fills it with `count` messages.
    ///
    /// # Errors
    /// When that fails.
    pub fn fill(&self, queue: &str, body: &[u8], count: u64) -> Result<()> {
        Wire::connect(&self.address())?.publish(queue, body, count)
    }

    /// Waits until the queue holds `count` messages, for peers that await no confirm; returns when
    /// that was. If such a peer lost messages, returns when the last one arrived, and reports it.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub fn await_ready(&self, queue: &str, count: u64) -> Result<Instant> {
        const PATIENCE: Duration = Duration::from_secs(5);
        let mut wire = Wire::connect(&self.address())?;
        let (mut most, mut since) = (0, Instant::now());
        loop {
            let ready = u64::from(wire.ready(queue)?);
            if ready > most {
                (most, since) = (ready, Instant::now());
            }
            if most >= count {
                return Ok(since);
            }
            if since.elapsed() > PATIENCE {
                tell(&format!("{} of {count} unconfirmed messages were lost", count - most));
                return Ok(since);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// One of our tools, built like this program.
///
/// # Errors
/// When the path of this program is unknown.
pub fn tool(name: &str) -> Result<String> {
    let path: PathBuf = std::env::current_exe()?.with_file_name(name);
    Ok(path.to_string_lossy().into_owned())
}
