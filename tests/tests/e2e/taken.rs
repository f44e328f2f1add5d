//! When a message counts as taken: read, written, or on disk.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::text::{account, lines, numbered};
use rmq_tests::tool::{Tool, binary};
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::wait_until;
use std::fs::{self, File};
use std::io::Read;
use std::time::Duration;

/// A shell in which `recv` is rmq-recv.
fn shell(vhost: &Vhost<'_>, script: &str) -> Tool {
    let script = format!("recv() {{ '{}' \"$@\"; }}; {script}", binary("rmq-recv").display());
    Tool::program("bash").arguments(&["-c", &script]).environment("AMQP_URL", &vhost.url())
}

#[test]
fn what_a_paused_reader_has_not_read_is_not_acknowledged() {
    let vhost = Vhost::filled(brokers::one(), 3);
    let line = lines(&numbered(3))[0].len() + 1;
    let mut receiving = vhost.receive(&["q"]).output_to_pipe().start();
    let mut output = receiving.take_output();
    // All but its last byte, so it has not left the pipe.
    let mut text = vec![0; line];
    output.read_exact(&mut text[..line - 1]).unwrap();
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(vhost.held("q"), Held { ready: 2, unacked: 1, consumers: 1 });
    output.read_exact(&mut text[line - 1..]).unwrap();
    wait_until(Duration::from_secs(10), "two left", || vhost.held("q").messages() == 2);
    // The others are in the pipe, and stay there when the reader goes away.
    drop(output);
    receiving.wait().expect(0);
    assert_eq!(text, numbered(1));
    vhost.wait_held("q", Held::ready(2));
}

#[test]
fn a_reader_that_takes_half_of_what_is_in_the_pipe_and_dies_loses_nothing() {
    let vhost = Vhost::filled(brokers::one(), 4000);
    for size in [1, 100, 4096, 30_000] {
        let mut receiving = vhost.receive(&["q"]).output_to_pipe().start();
        let mut output = receiving.take_output();
        let mut text = vec![0; size];
        output.read_exact(&mut text).unwrap();
        let before = vhost.held("q").messages();
        drop(output);
        receiving.wait().expect(0);
        vhost.wait_no_connections();
        // Whatever has left the queue was among what was read, in complete lines.
        let whole = text.iter().filter(|byte| **byte == b'\n').count();
        let after = vhost.held("q").messages();
        assert!(before - after <= whole, "{size} bytes: {whole} lines, {before} to {after}");
    }
}

#[test]
fn a_while_read_loop_of_a_shell_that_ends_early_loses_nothing() {
    let vhost = Vhost::filled(brokers::one(), 500);
    let loop_of = |number: usize| {
        let script = format!(
            "recv q | {{ n=0; while IFS= read -r line; do printf '%s\\n' \"$line\"; n=$((n+1)); \
             [ $n = {number} ] && exit 0; sleep 0.02; done; }}; exit ${{PIPESTATUS[0]}}"
        );
        shell(&vhost, &script).run().expect(0).stdout
    };
    let mut all = Vec::new();
    for number in [1, 5, 20] {
        let text = loop_of(number);
        assert_eq!(lines(&text).len(), number);
        all.extend(text);
        vhost.wait_no_connections();
    }
    all.extend(vhost.drain("q"));
    let account = account(&all);
    assert_eq!(account.missing(500), []);
    // Only what the loop had just read when it ended may be delivered again.
    assert!(account.duplicates() <= 6, "{}", account.duplicates());
}

#[test]
fn what_is_given_back_is_in_the_queue_when_the_run_has_ended() {
    for kind in ["quorum", "classic"] {
        let vhost = Vhost::new(brokers::one());
        vhost.declare(&["--type", kind], "q");
        vhost.send(&["q"]).input(numbered(3000)).run().expect(0);
        for _ in 0..5 {
            shell(&vhost, "recv q | head -5").run().expect(0);
            let checked = vhost.tool("rmq-declare").arguments(&["--check", "q"]).run().expect(0);
            // It reported that at once, and the state is the same when everything has settled.
            vhost.wait_no_connections();
            let later = vhost.tool("rmq-declare").arguments(&["--check", "q"]).run().expect(0);
            let counts = [checked, later].map(|checked| String::from_utf8(checked.stdout).unwrap());
            let counts = counts.each_ref().map(|line| line.split('\t').nth(1).unwrap());
            assert_eq!(counts[0], counts[1], "{kind}");
        }
    }
}

#[test]
fn n_1_for_a_reader_that_ends_at_once_takes_exactly_one() {
    // Repeated, because the reader may be gone before the tool knows what it has written.
    let count = 60;
    let vhost = Vhost::filled(brokers::one(), count);
    for number in 0..count {
        let script = "set -o pipefail; recv -n 1 q | head -1";
        let one = shell(&vhost, script).run().expect(0).stdout;
        assert_eq!(lines(&one), [lines(&numbered(count))[number]]);
        vhost.wait_held("q", Held::ready(count - 1 - number));
    }
}

#[test]
fn with_ack_written_what_is_in_the_pipe_is_acknowledged() {
    let vhost = Vhost::filled(brokers::one(), 10);
    let mut receiving = vhost.receive(&["--ack", "written", "q"]).output_to_pipe().start();
    let output = receiving.take_output();
    vhost.wait_held("q", Held { consumers: 1, ..Held::default() });
    drop(output);
    receiving.wait().expect(0);
    vhost.wait_held("q", Held::ready(0));
}

#[test]
fn with_fsync_a_file_holds_everything_that_is_acknowledged() {
    let vhost = Vhost::filled(brokers::one(), 1000);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    let words = ["--fsync", "--drain", "q"];
    vhost.receive(&words).output_to(File::create(&path).unwrap()).run().expect(0);
    assert!(fs::read(&path).unwrap() == numbered(1000));
    vhost.wait_held("q", Held::ready(0));
}

#[test]
fn what_standard_output_cannot_tell_is_refused() {
    let vhost = Vhost::filled(brokers::one(), 0);
    let nowhere = || File::options().write(true).open("/dev/null").unwrap();
    let read = vhost.receive(&["--ack", "read", "q"]).output_to(nowhere()).run().expect(64);
    read.says("--ack read: standard output is not a pipe");
    vhost
        .receive(&["--fsync", "q"])
        .run()
        .expect(64)
        .says("--fsync: standard output is not a file");
}
