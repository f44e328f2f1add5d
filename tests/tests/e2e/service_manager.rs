//! What a service manager learns (sd_notify(3)), and that nothing depends on it.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::vhost::Vhost;
use rustix::process::Signal;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::Duration;

/// A service manager's socket.
struct Manager {
    socket: UnixDatagram,
    directory: tempfile::TempDir,
}

impl Manager {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(directory.path().join("notify")).unwrap();
        Manager { socket, directory }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("notify")
    }

    /// Waits for a message that begins like this; returns what came before it.
    #[track_caller]
    fn wait(&self, begins: &str) -> Vec<String> {
        self.socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut before = Vec::new();
        loop {
            let mut bytes = [0; 4096];
            let length = self.socket.recv(&mut bytes).unwrap_or_else(|error| {
                panic!("waiting for {begins}: {error}; before: {before:?}")
            });
            let message = String::from_utf8(bytes[..length].to_vec()).unwrap();
            if message.starts_with(begins) {
                return before;
            }
            before.push(message);
        }
    }

    /// What has arrived and was not waited for.
    fn rest(&self) -> Vec<String> {
        self.socket.set_nonblocking(true).unwrap();
        let mut bytes = [0; 4096];
        let mut rest = Vec::new();
        while let Ok(length) = self.socket.recv(&mut bytes) {
            rest.push(String::from_utf8_lossy(&bytes[..length]).into_owned());
        }
        rest
    }
}

#[test]
fn a_service_manager_is_told_when_a_receiver_is_ready_and_stops_and_its_commands_are_not_heard() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "jobs");
    let manager = Manager::new();
    let path = manager.path();
    let command = ["--keep-env", "jobs", "--", "sh", "-c", "echo \"<$NOTIFY_SOCKET>\""];
    let receiving = vhost.receive(&command).environment("NOTIFY_SOCKET", path.to_str().unwrap());
    let receiving = receiving.start();
    assert!(manager.wait("READY=1")[0].starts_with("STATUS=connected to 127.0.0.1:"));
    vhost.send(&["-b", "hello", "jobs"]).run().expect(0);
    receiving.wait_stdout("<>\n".len());
    assert_eq!(receiving.stdout(), b"<>\n");
    receiving.signal(Signal::TERM);
    manager.wait("STOPPING=1");
    receiving.wait();
    assert_eq!(manager.rest(), Vec::<String>::new());
}

#[test]
fn a_sender_is_ready_when_it_is_connected_or_keeps_what_it_reads() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "logs");
    let manager = Manager::new();
    let path = manager.path();
    let tell =
        |tool: rmq_tests::tool::Tool| tool.environment("NOTIFY_SOCKET", path.to_str().unwrap());
    let mut sending = tell(vhost.send(&["logs"])).start();
    assert!(manager.wait("READY=1")[0].starts_with("STATUS=connected to "));
    sending.end_input();
    sending.finish().expect(0);
    let spool = manager.directory.path().join("spool");
    let words = ["-u", "amqp://127.0.0.1:1", "--spool", spool.to_str().unwrap(), "logs"];
    let spooling = tell(vhost.send(&words).input("kept\n")).start();
    manager.wait("READY=1");
    manager.wait("STATUS=connect to 127.0.0.1:");
    drop(spooling);
}

#[test]
fn a_service_manager_that_is_none_or_another_s_changes_nothing() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "jobs");
    let manager = Manager::new();
    let full = Manager::new();
    let filler = UnixDatagram::unbound().unwrap();
    filler.set_nonblocking(true).unwrap();
    while filler.send_to(b"x", full.path()).is_ok() {}
    let path = |manager: &Manager| manager.path().to_str().unwrap().to_owned();
    let long = format!("/{}", "x".repeat(300));
    let sockets = ["", "/dev/null", "relative", "@", "@nobody", "vsock:2:1", &long, &path(&full)];
    for socket in sockets {
        let sending = vhost.send(&["-b", "hello", "jobs"]).environment("NOTIFY_SOCKET", socket);
        assert_eq!(sending.run().expect(0).stderr, "", "{socket}");
    }
    let sending =
        vhost.send(&["-b", "hello", "jobs"]).environment("NOTIFY_SOCKET", &path(&manager));
    sending.environment("SYSTEMD_EXEC_PID", "1").run().expect(0);
    assert_eq!(manager.rest(), Vec::<String>::new());
    vhost.wait_held("jobs", Held::ready(sockets.len() + 1));
}
