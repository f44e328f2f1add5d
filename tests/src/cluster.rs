//! A throwaway cluster: a handle on `scripts/cluster`.

use crate::wait::wait_for;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// A cluster of this process, taken down when dropped. If the process ends without that (statics
/// are never dropped, and tests are killed), `--owner` ends the cluster a second later.
#[derive(Debug)]
pub struct Cluster {
    directory: PathBuf,
    environment: HashMap<String, String>,
    nodes: usize,
}

impl Cluster {
    /// Starts `nodes` nodes of RabbitMQ `release`.
    ///
    /// # Panics
    /// When they do not come up.
    pub fn up(nodes: usize, release: &str) -> Self {
        Self::up_with(nodes, release, &[])
    }

    /// The same with more options of `scripts/cluster up`.
    ///
    /// # Panics
    /// When they do not come up.
    pub fn up_with(nodes: usize, release: &str, options: &[&str]) -> Self {
        let count = nodes.to_string();
        let owner = std::process::id().to_string();
        let arguments = ["up", &count, "--release", release, "--owner", &owner];
        let output = script().args(arguments).args(options).output();
        let output = output.expect("run scripts/cluster");
        let directory = successful("up", output);
        let mut cluster =
            Cluster { directory: directory.trim().into(), environment: HashMap::new(), nodes };
        cluster.environment = cluster
            .script(&["env"])
            .lines()
            .filter_map(|line| line.strip_prefix("export ")?.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        cluster
    }

    /// The directory with all its files, which is removed with it.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Runs rabbitmqctl on a node, and returns its output.
    ///
    /// # Panics
    /// When it fails.
    pub fn control(&self, node: usize, words: &[&str]) -> String {
        let node = node.to_string();
        let mut script = script();
        script.args(["ctl", &node, "--dir"]).arg(&self.directory).arg("--").args(words);
        successful(&words.join(" "), script.output().expect("run scripts/cluster"))
    }

    /// How many nodes there are; they are numbered from 1.
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// A variable from `scripts/cluster env`.
    ///
    /// # Panics
    /// When there is no such variable.
    pub fn variable(&self, name: &str) -> &str {
        let value = self.environment.get(name);
        value.unwrap_or_else(|| panic!("scripts/cluster env has no {name}"))
    }

    /// The URL of all nodes, with neither user nor vhost.
    pub fn hosts(&self) -> &str {
        self.variable("AMQP_URL").split_once('@').expect("a URL with a user").1
    }

    /// Kills nodes by SIGKILL.
    pub fn kill(&self, nodes: &[usize]) {
        self.each("kill", nodes);
    }

    /// Stops nodes in an orderly way, and waits until they have stopped.
    pub fn stop(&self, nodes: &[usize]) {
        self.each("stop", nodes);
    }

    /// Starts nodes again, and waits until they are back in the cluster.
    pub fn start(&self, nodes: &[usize]) {
        self.each("start", nodes);
    }

    /// Stops nodes by SIGSTOP.
    pub fn pause(&self, nodes: &[usize]) {
        self.each("pause", nodes);
    }

    /// Resumes paused nodes.
    pub fn resume(&self, nodes: &[usize]) {
        self.each("resume", nodes);
    }

    /// Whether a node's process exists, whatever its state.
    pub fn is_running(&self, node: usize) -> bool {
        !self.script(&["env"]).contains(&format!("RMQ_NODE{node}_PID=\n"))
    }

    /// Cuts nodes off from the others, but not from their clients, until
    /// [`reunite`](Self::reunite). Only in a network namespace of our own.
    pub fn partition(&self, nodes: &[usize]) {
        self.each("partition", nodes);
    }

    /// Ends a partition.
    pub fn reunite(&self) {
        self.script(&["reunite"]);
    }

    /// As [`start`](Self::start), but returns what went wrong.
    ///
    /// # Errors
    /// When they do not come back.
    pub fn try_start(&self, nodes: &[usize]) -> Result<(), String> {
        self.try_script(&words("start", nodes))
    }

    /// Waits until all nodes that run see one another.
    ///
    /// # Errors
    /// When they do not within this number of seconds.
    pub fn try_wait(&self, seconds: u32) -> Result<(), String> {
        self.try_script(&["wait".to_owned(), seconds.to_string()])
    }

    /// Starts whatever a failed test has left down.
    pub fn heal(&self) {
        let down: Vec<usize> = (1..=self.nodes).filter(|node| !self.is_running(*node)).collect();
        if !down.is_empty() {
            self.start(&down);
        }
    }

    /// Evaluates an Erlang expression that returns a string on a node. Returns an error with the
    /// answer if the node is down or the expression fails.
    pub fn try_erlang(&self, node: usize, expression: &str) -> Result<String, String> {
        use std::io::Write;
        let node = node.to_string();
        let mut child = script()
            .args(["call", &node, "-", "--dir"])
            .arg(&self.directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("run scripts/cluster");
        let mut stdin = child.stdin.take().expect("its standard input");
        // If writing fails, the answer shows it.
        let _ = writeln!(stdin, "lists:flatten(io_lib:format(\"~ts\", [{expression}])).");
        drop(stdin);
        let output = child.wait_with_output().expect("wait for scripts/cluster");
        let answer = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if answer == "{ok, []}" {
            return Ok(String::new());
        }
        match answer.strip_prefix("{ok, \"").and_then(|text| text.strip_suffix("\"}")) {
            Some(text) => Ok(text.replace("\\\"", "\"").replace("\\n", "\n")),
            None => Err(answer + &String::from_utf8_lossy(&output.stderr)),
        }
    }

    /// The versions of the broker and of its Erlang.
    pub fn versions(&self) -> [String; 2] {
        ["version", "otp_release"].map(|what| self.erlang(&format!("rabbit_misc:{what}()")))
    }

    /// As [`try_erlang`](Self::try_erlang), on node 1.
    ///
    /// # Panics
    /// When it fails.
    pub fn erlang(&self, expression: &str) -> String {
        // Two callers at once may choose the same node name; one of them has to try again.
        let busy = |problem: &String| problem.contains("failed to connect");
        let answer = wait_for(Duration::from_secs(5), expression, || {
            Some(self.try_erlang(1, expression)).filter(|it| !it.as_ref().is_err_and(busy))
        });
        answer.unwrap_or_else(|problem| panic!("{expression}: {problem}"))
    }

    fn each(&self, command: &str, nodes: &[usize]) {
        let words = words(command, nodes);
        self.script(&words.iter().map(String::as_str).collect::<Vec<_>>());
    }

    fn try_script(&self, words: &[String]) -> Result<(), String> {
        let output = script().args(words).arg("--dir").arg(&self.directory).output();
        let output = output.expect("run scripts/cluster");
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(()) } else { Err(errors) }
    }

    fn script(&self, arguments: &[&str]) -> String {
        let output = script().args(arguments).arg("--dir").arg(&self.directory).output();
        successful(&arguments.join(" "), output.expect("run scripts/cluster"))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // A second panic would end the process and hide the first.
        let _ = script().args(["down", "--dir"]).arg(&self.directory).output();
    }
}

fn words(command: &str, nodes: &[usize]) -> Vec<String> {
    std::iter::once(command.to_owned()).chain(nodes.iter().map(ToString::to_string)).collect()
}

fn script() -> Command {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/cluster");
    let mut command = Command::new(path);
    // The cluster of the calling environment must not be used.
    command.env_remove("RMQ_CLUSTER_DIR").stdin(Stdio::null());
    command
}

fn successful(what: &str, output: Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "scripts/cluster {what}: {}: {errors}", output.status);
    String::from_utf8(output.stdout).expect("UTF-8 from scripts/cluster")
}
