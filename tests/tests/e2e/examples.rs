//! Each file in `examples` does what it says.

mod moving;
mod schedules;
mod units;
mod working;

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::running::Running;
use rmq_tests::shell::stand_in;
use rmq_tests::text::numbered;
use rmq_tests::tool::{Ended, Tool};
use rmq_tests::vhost::{PASSWORD, Vhost};
use rmq_tests::wait::{wait_equal, wait_until};
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

/// A directory in which examples are run, against a vhost.
pub(crate) struct Place<'a> {
    /// Where its queues are.
    pub(crate) vhost: &'a Vhost<'a>,
    directory: tempfile::TempDir,
}

impl<'a> Place<'a> {
    pub(crate) fn new(vhost: &'a Vhost<'a>) -> Self {
        Place { vhost, directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn shell(&self, script: &str) -> Tool {
        Tool::shell(self.directory.path(), script).environment("AMQP_URL", &self.vhost.url())
    }

    /// A shell that has what rmq-perm needs to reach the node.
    pub(crate) fn operator(&self, script: &str) -> Tool {
        let cluster = self.vhost.cluster;
        let shell = self.shell(script).environment("HOME", cluster.variable("RMQ_CLUSTER_HOME"));
        let variables = ["RABBITMQ_NODENAME", "ERL_EPMD_PORT"];
        variables.iter().fold(shell, |shell, name| shell.environment(name, cluster.variable(name)))
    }

    pub(crate) fn run(&self, script: &str) -> Vec<u8> {
        self.shell(script).run().expect(0).stdout
    }

    pub(crate) fn read(&self, file: &str) -> String {
        fs::read_to_string(self.directory.path().join(file)).unwrap_or_default()
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        fs::write(self.directory.path().join(file), text).unwrap();
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.directory.path().join(file)
    }

    pub(crate) fn files(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(self.directory.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").canonicalize().unwrap()
}

/// Ctrl-C for the whole group, as a terminal would.
fn interrupt(running: Running) -> String {
    running.signal(Signal::INT);
    running.wait().stderr
}

#[test]
fn every_example_says_what_it_guarantees_and_is_run_here() {
    let here = concat!(
        include_str!("examples.rs"),
        include_str!("examples/moving.rs"),
        include_str!("examples/schedules.rs"),
        include_str!("examples/units.rs"),
        include_str!("examples/working.rs"),
        include_str!("recipes.rs"),
    );
    for entry in fs::read_dir(examples()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() || name.ends_with(".md") || name.ends_with(".csv") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let first = usize::from(lines[0].starts_with("#!"));
        let guarantees = &lines[first..first + 2];
        assert!(guarantees[0].starts_with("# Guarantees: "), "{name}");
        assert!(guarantees[1].starts_with("# "), "{name}");
        assert!(
            here.contains(&format!("{name} ")) || here.contains(&format!("\"{name}\"")),
            "{name}"
        );
    }
}

#[test]
fn permissions_in_a_file_are_planned_applied_and_watched() {
    let vhost = Vhost::new(brokers::one());
    let (name, developer) = (&vhost.name, format!("{}-developer", vhost.name));
    vhost.add_user(&developer, [".*", ".*", ".*"]);
    let place = Place::new(&vhost);
    let row = |user: &str, patterns| format!("{name},{user},{patterns}\n");
    let header = "vhost,user,configure,write,read\n".to_owned();
    let file = header + &row(name, ".*,.*,.*") + &row(&developer, "^$,^app[.],^app[.]");
    place.write("permissions.csv", &file);
    let ci = |what: &str| {
        let script = examples().join("permissions/permissions-ci");
        place.operator(&format!("exec {} {what} permissions.csv", script.display())).run()
    };
    let shown = |ended: Ended| String::from_utf8(ended.stdout).unwrap();
    assert!(shown(ci("plan").expect(0)).contains(&developer));
    // A plan changes nothing, and a watch reports what differs from the file.
    assert!(shown(ci("watch").expect(1)).contains(&developer));
    ci("apply").expect(0);
    assert_eq!(shown(ci("watch").expect(0)), "");
    let somebody = format!("{name}-somebody");
    vhost.add_user(&somebody, [".*", ".*", ".*"]);
    assert!(shown(ci("watch").expect(1)).contains(&somebody));
    ci("apply").expect(0);
    assert_eq!(shown(ci("watch").expect(0)), "");
    place.write("permissions.csv", &file.replace("^$", "("));
    ci("apply").expect(65).says("line 3");
    place.write("permissions.csv", &file);
    assert_eq!(shown(ci("watch").expect(0)), "");
    for user in [&somebody, &developer] {
        vhost.cluster.control(1, &["delete_user", user]);
    }
}
