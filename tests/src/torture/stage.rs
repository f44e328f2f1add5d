//! The stage of the torture: three nodes, a proxy for each, a vhost, and a small disk.

use crate::proxy::Proxy;
use crate::tool::{Ended, Tool};
use crate::vhost::Vhost;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Mutex;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The size of the disk that the spool is on.
const DISK: &str = "size=8m";

/// How long it may take until free room is noticed.
const NOTICED: Duration = Duration::from_secs(5);

/// The stage.
#[derive(Debug)]
pub struct Stage<'a> {
    /// The vhost on the cluster.
    pub vhost: Vhost<'a>,
    /// A proxy for each node.
    pub proxies: Vec<Proxy>,
    /// Where files go.
    pub directory: PathBuf,
    /// Where the small disk is.
    pub disk: PathBuf,
    /// Lines a second into each flow.
    pub rate: f64,
    /// Longer than any program may run.
    pub limit: Duration,
    /// When it began.
    pub began: Instant,
    /// Until when the small disk has no room.
    full: Mutex<Option<Instant>>,
    log: Mutex<File>,
    _temporary: TempDir,
}

impl<'a> Stage<'a> {
    /// Sets the stage, with a file for the output of all programs.
    ///
    /// # Panics
    /// When it cannot.
    pub fn new(vhost: Vhost<'a>, rate: f64, limit: Duration, log: File) -> Self {
        let cluster = vhost.cluster;
        let proxies = (1..=cluster.nodes()).map(|node| {
            let port = cluster.variable(&format!("RMQ_NODE{node}_AMQP_PORT"));
            Proxy::new(&format!("127.0.0.1:{port}"), Duration::ZERO)
        });
        let proxies = proxies.collect();
        let temporary = tempfile::tempdir().expect("a directory");
        let directory = temporary.path().to_owned();
        let disk = directory.join("disk");
        std::fs::create_dir(&disk).expect("a directory");
        // In our own mount namespace, so it need not be removed.
        let words = ["-t", "tmpfs", "-o", DISK, "tmpfs", disk.to_str().expect("UTF-8")];
        Tool::program("mount").arguments(&words).run().expect(0);
        Stage {
            vhost,
            proxies,
            directory,
            disk,
            rate,
            limit,
            began: Instant::now(),
            full: Mutex::new(None),
            log: Mutex::new(log),
            _temporary: temporary,
        }
    }

    /// One of our tools, set to reach the vhost through the proxies.
    pub fn tool(&self, name: &str) -> Tool {
        let hosts: Vec<&str> = self.proxies.iter().map(Proxy::address).collect();
        // A silent network is noticed within 15 s, rather than 30, and a silent host within 5.
        let url = format!(
            "{}?heartbeat=5&connection_timeout=5000",
            self.vhost.url_through(&hosts.join(","))
        );
        Tool::new(name).environment("AMQP_URL", &url).timeout(self.limit)
    }

    /// Fills the small disk for this long.
    ///
    /// # Panics
    /// When it cannot.
    pub fn fill_disk(&self, length: Duration) {
        let full = |until| *self.full.lock().expect("no panic while it was held") = Some(until);
        let path = self.disk.join("filling");
        full(Instant::now() + length + NOTICED);
        let mut file = File::create(&path).expect("a file");
        let block = [0; 1 << 12];
        // Until there is no room.
        while file.write_all(&block).is_ok() {}
        sleep(length);
        std::fs::remove_file(path).expect("remove what fills it");
        full(Instant::now() + NOTICED);
    }

    /// Whether data written to the small disk now finds room at once.
    pub fn disk_has_room(&self) -> bool {
        let full = *self.full.lock().expect("no panic while it was held");
        full.is_none_or(|until| Instant::now() > until)
    }

    /// Seconds since it began.
    pub fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// Prints an event, with the time.
    pub fn tell(&self, text: &str) {
        let line = format!("{:9.3}  {text}", self.seconds());
        eprintln!("{line}");
        self.write(&line);
    }

    /// Records an event, with the time.
    pub fn note(&self, text: &str) {
        self.write(&format!("{:9.3}  {text}", self.seconds()));
    }

    /// Records a program's output.
    pub fn log(&self, name: &str, ended: &Ended) {
        let seconds = self.seconds();
        let Ended { status, stderr, took, .. } = ended;
        self.write(&format!("{seconds:9.3}  {name}: {status} after {took:?}\n{stderr}"));
    }

    fn write(&self, text: &str) {
        let mut log = self.log.lock().expect("no panic while it was held");
        writeln!(log, "{text}").expect("write the log");
    }
}
