//! A broker that is not RabbitMQ: GarageMQ, as Debian packages it.

use crate::wait::wait_until;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A running one, with its own directories. It ends when this is dropped.
#[derive(Debug)]
pub struct GarageMq {
    child: Child,
    address: String,
    _directory: TempDir,
}

impl GarageMq {
    /// Starts one, and waits until it listens.
    ///
    /// # Panics
    /// When it is not installed, or does not start.
    pub fn up() -> Self {
        let program = program();
        let directory = tempfile::tempdir().expect("a temporary directory");
        let at = directory.path().display();
        // Two ports that are free now.
        let [port, admin] = [(); 2].map(|()| {
            let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
            taken.local_addr().expect("its number").port()
        });
        let configuration = format!(
            "proto: amqp-rabbit\n\
             users: [{{username: guest, password: 084e0343a0486ff05530df6c705c8bb4}}]\n\
             tcp: {{ip: 127.0.0.1, port: {port}, nodelay: true, readBufSize: 196608, \
             writeBufSize: 196608}}\n\
             admin: {{ip: 127.0.0.1, port: {admin}}}\n\
             queue: {{shardSize: 8192, maxMessagesInRam: 131072}}\n\
             db: {{defaultPath: {at}/db, engine: badger}}\n\
             vhost: {{defaultPath: /}}\n\
             security: {{passwordCheck: md5}}\n\
             connection: {{channelsMax: 4096, frameMaxSize: 65536}}\n"
        );
        let file = directory.path().join("config.yaml");
        fs::write(&file, configuration).expect("write its configuration");
        let log = fs::File::create(directory.path().join("log")).expect("a log");
        let child = Command::new(&program)
            .arg("--config")
            .arg(&file)
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stderr(log.try_clone().expect("a second handle on the log"))
            .stdout(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let address = format!("127.0.0.1:{port}");
        let garage = GarageMq { child, address, _directory: directory };
        wait_until(Duration::from_secs(30), "garagemq to listen", || {
            TcpStream::connect(&garage.address).is_ok()
        });
        garage
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("amqp://guest:guest@{}/", self.address)
    }
}

impl Drop for GarageMq {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has seen.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where scripts/install-tools puts it.
fn program() -> PathBuf {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let cache = variable("RMQ_BROKER_CACHE").unwrap_or_else(|| {
        let caches = variable("XDG_CACHE_HOME")
            .or_else(|| variable("HOME").map(|home| home.join(".cache")))
            .expect("HOME is set");
        caches.join("rmq-brokers")
    });
    let program = cache.join("garagemq/usr/bin/garagemq");
    assert!(program.is_file(), "{} is missing: scripts/install-tools", program.display());
    program
}
