//! Signals, whatever the parent has made of them: as process 1, blocked, ignored.

use rmq_tests::brokers;
use rmq_tests::limits::Taken;
use rmq_tests::observe::Held;
use rmq_tests::running::Running;
use rmq_tests::tool::{Tool, binary};
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::{wait_for, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(20);
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

#[test]
fn process_1_ends_by_a_signal_while_it_connects() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let url = format!("amqp://{address}");
    let api = format!("http://a:b@{address}");
    for (tool, words) in [
        ("rmq-recv", vec!["-u", &url, "q"]),
        ("rmq-send", vec!["-u", &url, "-b", "x", "q"]),
        ("rmq-declare", vec!["-u", &url, "q"]),
        ("rmq-perm", vec!["--api", &api, "list-queues"]),
    ] {
        for signal in REQUESTS {
            let running = as_process_1(tool, &words).start();
            // It is connected, and is never answered.
            let silent = listener.accept().unwrap();
            ends_with_128_and(signal, running);
            drop(silent);
        }
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
