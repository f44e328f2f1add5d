//! Signals, whatever the parent has made of them: as process 1, blocked, ignored.

use rmq_tests::brokers;
use rmq_tests::closed_ports::Full;
use rmq_tests::hostile::{CONSUME, Hostile};
use rmq_tests::limits::Taken;
use rmq_tests::observe::Held;
use rmq_tests::running::Running;
use rmq_tests::tool::{Tool, binary};
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::{wait_for, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(20);
const SECOND: Duration = Duration::from_secs(1);
const REQUESTS: [Signal; 3] = [Signal::TERM, Signal::INT, Signal::HUP];

/// One of our tools as process 1 of a name space of its own, as in a container.
fn as_process_1(tool: &str, words: &[&str]) -> Tool {
    let mut options = vec!["--pid", "--fork", "--kill-child", "--mount-proc"];
    if !rustix::process::geteuid().is_root() {
        options.push("--map-root-user");
    }
    let binary = binary(tool);
    options.extend(["--", binary.to_str().unwrap()]);
    Tool::program("unshare").arguments(&options).arguments(words)
}

/// The process that it is to us.
fn inner(running: &Running) -> u32 {
    let pid = running.pid();
    wait_for(SOON, "the process in the name space", || {
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
        let child: u32 = children.trim().parse().ok()?;
        // Before it has become the tool, a signal is unshare's.
        let name = fs::read_to_string(format!("/proc/{child}/comm")).ok()?;
        name.starts_with("rmq-").then_some(child)
    })
}

#[track_caller]
fn ends_with_128_and(signal: Signal, running: Running) {
    let pid = i32::try_from(inner(&running)).unwrap();
    let signalled = Instant::now();
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    running.wait().expect(128 + signal.as_raw());
    assert!(signalled.elapsed() < Duration::from_secs(5), "{:?}", signalled.elapsed());
}

#[test]
fn process_1_ends_with_128_and_the_number_of_the_signal() {
    let vhost = Vhost::filled(brokers::one(), 0);
    vhost.declare(&[], "sent");
    for signal in REQUESTS {
        let receiving = as_process_1("rmq-recv", &["-u", &vhost.url(), "q"]).start();
        wait_until(SOON, "a consumer", || vhost.held("q").consumers == 1);
        ends_with_128_and(signal, receiving);
        let sending = as_process_1("rmq-send", &["-v", "-u", &vhost.url(), "sent"]).open_input();
        let mut sending = sending.start();
        sending.write(b"line\n");
        wait_until(SOON, "a message", || vhost.held("sent").ready == 1);
        ends_with_128_and(signal, sending);
        assert_eq!(vhost.drain("sent"), b"line\n");
    }
}

/// Command lines that connect to `address`; what stays there in `directory` stays.
fn connecting(address: SocketAddr, directory: &Path) -> Vec<(&'static str, Vec<String>)> {
    let [spool, cookie] = ["spool", "cookie"].map(|name| directory.join(name));
    let port = address.port();
    let table = [
        ("rmq-send", format!("-u amqp://{address} -b x q")),
        ("rmq-send", format!("-u amqps://{address} -b x q")),
        ("rmq-send", format!("-u amqp://{address} --spool {} q", spool.display())),
        ("rmq-recv", format!("-u amqp://{address} q")),
        ("rmq-recv", format!("-u amqps://{address} --peek 1 q")),
        ("rmq-recv", format!("-u amqp://{address} q -- cat")),
        ("rmq-declare", format!("-u amqp://{address} q")),
        ("rmq-declare", format!("-u amqps://{address} q")),
        ("rmq-perm", format!("--api http://a:b@{address} list-queues")),
        ("rmq-perm", format!("--api https://a:b@{address} list-queues")),
        (
            "rmq-perm",
            format!(
                "-n r@localhost --dist-port {port} --cookie-file {} list-queues",
                cookie.display()
            ),
        ),
    ];
    table.map(|(tool, line)| (tool, line.split(' ').map(str::to_owned).collect())).into()
}

/// Connections to `port` that are made, or that the other side has not answered yet.
fn connections(port: u16) -> usize {
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let remote = format!(":{port:04X}");
    let is_one = |line: &&str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        // ESTABLISHED and SYN_SENT.
        fields[2].ends_with(&remote) && matches!(fields[3], "01" | "02")
    };
    table.lines().skip(1).filter(is_one).count()
}

/// Starts all of them, and has each ended by a signal while it connects: within a second, and whether
/// it is process 1 or not.
fn end_while_connecting(address: SocketAddr, directory: &Path, signals: &[Signal]) {
    fill_spool(directory);
    for &signal in signals {
        for is_process_1 in [false, true] {
            for (tool, words) in connecting(address, directory) {
                let what = format!("{tool} {words:?}, process 1: {is_process_1}, {signal:?}");
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                let before = connections(address.port());
                let (running, pid) = if is_process_1 {
                    let running = as_process_1(tool, &words).input("x\n").start();
                    let pid = inner(&running);
                    (running, pid)
                } else {
                    let running = Tool::new(tool).arguments(&words).input("x\n").start();
                    let pid = running.pid();
                    (running, pid)
                };
                wait_until(SOON, &what, || connections(address.port()) > before);
                let signalled = Instant::now();
                let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
                kill_process(pid, signal).unwrap();
                let ended = running.wait();
                assert!(signalled.elapsed() < SECOND, "{what}: {:?}", signalled.elapsed());
                // What is in the spool is not sent.
                let wanted = match is_process_1 {
                    _ if what.contains("--spool") => (Some(75), None),
                    true => (Some(128 + signal.as_raw()), None),
                    false => (None, Some(signal.as_raw())),
                };
                let status = (ended.status.code(), ended.status.signal());
                assert_eq!(status, wanted, "{what}: {}", ended.stderr);
            }
        }
    }
}

/// A spool that has a record ends with 75, whether or not the input was read before the signal.
fn fill_spool(directory: &Path) {
    let spool = directory.join("spool");
    let words =
        ["--retry", "0", "-u", "amqp://127.0.0.1:1", "--spool", spool.to_str().unwrap(), "q"];
    Tool::new("rmq-send").arguments(&words).input("x\n").run().expect(75);
}

#[test]
fn a_signal_ends_every_tool_within_a_second_while_a_peer_says_nothing() {
    let directory = directory_with_cookie();
    // It is connected, and is never answered.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    end_while_connecting(silent.local_addr().unwrap(), directory.path(), &REQUESTS);
}

#[test]
fn a_signal_ends_every_tool_within_a_second_while_a_host_drops_what_it_is_sent() {
    let directory = directory_with_cookie();
    let full = Full::take(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));
    end_while_connecting(full.address, directory.path(), &[Signal::TERM]);
}

fn directory_with_cookie() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let cookie = directory.path().join("cookie");
    fs::write(&cookie, "cookie").unwrap();
    fs::set_permissions(&cookie, fs::Permissions::from_mode(0o400)).unwrap();
    directory
}

#[test]
fn a_signal_ends_a_receiver_within_a_second_while_it_connects_again() {
    let first = AtomicBool::new(true);
    let hostile = Hostile::new(move |peer| {
        if first.swap(false, Ordering::SeqCst) {
            peer.until(CONSUME).map(drop)
        } else {
            peer.fall_silent()
        }
    });
    for signal in REQUESTS {
        let url = format!("amqp://{}", hostile.address);
        let receiving = Tool::new("rmq-recv").arguments(&["-u", &url, "q"]).start();
        let port = hostile.address.rsplit_once(':').unwrap().1.parse().unwrap();
        wait_until(SOON, "a connection", || connections(port) > 0);
        if signal == REQUESTS[0] {
            receiving.wait_stderr("lost the connection");
        }
        let signalled = Instant::now();
        receiving.signal(signal);
        receiving.wait().expect_signal(signal);
        assert!(signalled.elapsed() < SECOND, "{:?}", signalled.elapsed());
    }
}

#[test]
fn process_1_reaps_what_commands_leave_behind_and_knows_how_they_ended() {
    let vhost = Vhost::filled(brokers::one(), 20);
    let directory = tempfile::tempdir().unwrap();
    let ended = directory.path().join("ended");
    // Half of the commands fail, so that a status that somebody else took would show.
    let script = format!(
        "(sleep 0.2; echo >>{}) & read -r line; case $line in *[13579]) exit 75;; esac",
        ended.display()
    );
    let words = ["-u", &vhost.url(), "-j", "4", "q", "--", "sh", "-c", &script];
    let receiving = as_process_1("rmq-recv", &words).start();
    let pid = inner(&receiving);
    wait_until(SOON, "orphans", || fs::read(&ended).is_ok_and(|text| text.len() >= 10));
    wait_until(SOON, "no zombies", || Taken::by(pid).zombies == 0);
    ends_with_128_and(Signal::TERM, receiving);
}

#[test]
fn a_signal_that_the_parent_has_blocked_ends_it_all_the_same() {
    let vhost = Vhost::filled(brokers::one(), 1);
    let blocked = |words: &[&str]| {
        let tool = Tool::program("env").arguments(&["--block-signal=TERM,INT,HUP,CHLD,XFSZ"]);
        let receive = binary("rmq-recv");
        tool.arguments(&[receive.to_str().unwrap()]).arguments(words)
    };
    for signal in REQUESTS {
        let receiving = blocked(&["-u", &vhost.url(), "q"]).start();
        wait_until(SOON, "a consumer", || vhost.held("q").consumers == 1);
        receiving.signal(signal);
        receiving.wait().expect_signal(signal);
        vhost.wait_no_connections();
    }
    // Nor does a command inherit it.
    vhost.send(&["-b", "x", "q"]).run().expect(0);
    let words = ["-u", &vhost.url(), "-n", "1", "q", "--", "grep", "SigBlk", "/proc/self/status"];
    let received = blocked(&words).run().expect(0);
    let text = String::from_utf8(received.stdout).unwrap();
    let mask = u64::from_str_radix(text.split_whitespace().nth(1).unwrap(), 16).unwrap();
    assert_eq!(mask & (1 << 14 | 1 << 1 | 1), 0, "{text}");
}

#[test]
fn a_parent_that_ignores_sigchld_takes_no_acknowledgement_away() {
    let vhost = Vhost::filled(brokers::one(), 3);
    let receive = binary("rmq-recv");
    let words = ["--ignore-signal=CHLD", receive.to_str().unwrap(), "-u", &vhost.url()];
    let ignoring = || Tool::program("env").arguments(&words);
    ignoring().arguments(&["-n", "3", "q", "--", "true"]).run().expect(0);
    vhost.wait_held("q", Held::ready(0));
    vhost.send(&["-b", "x", "q"]).run().expect(0);
    ignoring().arguments(&["q", "--", "sh", "-c", "exit 3"]).run().expect(75).says("exit status 3");
    vhost.wait_held("q", Held::ready(1));
}
