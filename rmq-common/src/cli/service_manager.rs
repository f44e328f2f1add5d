//! What a service manager such as systemd learns about a run, by the protocol of sd_notify(3).
//!
//! Nothing depends on it: without its variable nothing is done, and errors are ignored. Only the
//! process that the manager started reports: a tool in its script would report in its name.

use crate::cli::escape::shown;
use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

/// The variable that names its socket. Commands do not inherit it: they would report in our name.
pub const SOCKET: &str = "NOTIFY_SOCKET";
/// The process that it started (systemd.exec(5), from systemd 248 on).
const STARTED: &str = "SYSTEMD_EXEC_PID";
/// How long to wait for a busy manager.
const PATIENCE: Duration = Duration::from_millis(500);
/// systemd ignores messages of more than 4096 bytes.
const LONGEST: usize = 2048;

/// Reports that the tool is at work.
pub fn ready() {
    tell("READY=1");
}

/// Reports that the tool is finishing.
pub(crate) fn stopping() {
    tell("STOPPING=1");
}

/// Reports the state of the run in human-readable form.
pub(crate) fn status(text: &str) {
    if env::var_os(SOCKET).is_some() {
        tell(&format!("STATUS={}", line(text)));
    }
}

/// `text` as one line of limited length: a second line would be another assignment.
fn line(text: &str) -> String {
    let line = shown(text);
    let end = (0..=LONGEST.min(line.len())).rev().find(|end| line.is_char_boundary(*end));
    line[..end.unwrap_or(0)].to_owned()
}

fn tell(message: &str) {
    let Some(socket) = env::var_os(SOCKET) else { return };
    let started = env::var(STARTED).ok();
    if started.is_none_or(|process| process == std::process::id().to_string()) {
        let _ = send(&socket, message);
    }
}

fn send(socket: &OsStr, message: &str) -> io::Result<()> {
    let datagram = UnixDatagram::unbound()?;
    datagram.set_write_timeout(Some(PATIENCE))?;
    match socket.as_bytes() {
        [b'/', ..] => datagram.send_to(message.as_bytes(), socket),
        #[cfg(target_os = "linux")]
        [b'@', name @ ..] => {
            use std::os::linux::net::SocketAddrExt;
            let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
            datagram.send_to_addr(message.as_bytes(), &address)
        }
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_status_is_one_line_of_bounded_length() {
        assert_eq!(line("a\nREADY=1"), "a\\nREADY=1");
        let long = line(&"ü".repeat(LONGEST));
        assert!(long.len() <= LONGEST && long.chars().all(|character| character == 'ü'));
    }

    #[test]
    fn what_is_no_socket_is_an_error_and_a_full_one_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let socket = UnixDatagram::bind(&path).unwrap();
        send(path.as_os_str(), "READY=1").unwrap();
        let mut text = [0; 16];
        let length = socket.recv(&mut text).unwrap();
        assert_eq!(&text[..length], b"READY=1");
        let file = directory.path().join("file");
        std::fs::write(&file, "").unwrap();
        let long = format!("/{}", "x".repeat(200));
        let odd = ["", "@", "socket", "/nowhere/socket", "vsock:2:1", &long, "@nobody-listens"];
        for odd in odd.map(OsStr::new).into_iter().chain([file.as_os_str()]) {
            assert!(send(odd, "READY=1").is_err(), "{}", odd.display());
        }
        let begun = Instant::now();
        while send(path.as_os_str(), "READY=1").is_ok() {}
        assert!(begun.elapsed() < PATIENCE * 10);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_socket_may_have_an_abstract_name() {
        use std::os::linux::net::SocketAddrExt;
        let name = format!("rmq-test-{}", std::process::id());
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        send(OsStr::new(&format!("@{name}")), "READY=1").unwrap();
        let mut text = [0; 16];
        assert_eq!(socket.recv(&mut text).unwrap(), 7);
    }
}
