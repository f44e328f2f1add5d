//! The state of a running tool: SIGUSR1, `--stats` and `--stats-every`.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::text::numbered;
use rmq_tests::tool::Tool;
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::wait_until;
use rustix::process::Signal;
use std::fs;
use std::path::Path;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

/// A member of the object in a file, which is complete or missing.
fn member(path: &Path, name: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok().filter(|text| !text.is_empty())?;
    assert!(text.starts_with('{') && text.ends_with("}\n"), "{text:?}");
    let after = text.split_once(&format!("\"{name}\":"))?.1;
    after.split([',', '}']).next()?.parse().ok()
}

#[test]
fn sigusr1_prints_the_tally_at_once_and_disturbs_nothing() {
    let vhost = Vhost::filled(brokers::one(), 0);
    let mut sending = vhost.send(&["--quiet", "q"]).open_input().start();
    sending.write(b"one\ntwo\n");
    vhost.wait_held("q", Held::ready(2));
    sending.signal(Signal::USR1);
    sending.wait_stderr("rmq-send: read 2, confirmed 2, ");
    sending.write(b"three\n");
    sending.end_input();
    let sent = sending.wait().expect(0);
    assert_eq!(sent.stderr.lines().count(), 1, "{}", sent.stderr);
    let receiving = vhost.receive(&["--quiet", "q"]).start();
    receiving.wait_stdout(14);
    receiving.signal(Signal::USR1);
    receiving.wait_stderr("rmq-recv: received 3, acknowledged ");
    vhost.send(&["-b", "four", "q"]).run().expect(0);
    receiving.wait_stdout(19);
    receiving.signal(Signal::TERM);
    let received = receiving.wait().expect_signal(Signal::TERM);
    assert_eq!(received.stdout, b"one\ntwo\nthree\nfour\n");
    assert_eq!(received.stderr.lines().count(), 1, "{}", received.stderr);
}

#[test]
fn sigusr1_is_answered_while_no_broker_is() {
    let nowhere = "amqp://127.0.0.1:1";
    for words in [&["-v", "--url", nowhere, "-b", "x", "q"][..], &["-v", "--url", nowhere, "q"]] {
        let name = if words.len() == 6 { "rmq-send" } else { "rmq-recv" };
        let running = Tool::new(name).arguments(words).start();
        running.wait_stderr("trying again, --retry 30s");
        running.signal(Signal::USR1);
        running.wait_stderr(if name == "rmq-send" { "read 0, " } else { "received 0, " });
        running.signal(Signal::TERM);
        running.wait();
    }
}

#[test]
fn sigusr1_counts_what_waits_in_a_spool_and_in_a_window() {
    let directory = tempfile::tempdir().unwrap();
    let spool = directory.path().join("spool");
    let words = ["--url", "amqp://127.0.0.1:1", "--spool", spool.to_str().unwrap(), "q"];
    let mut sending = Tool::new("rmq-send").arguments(&words).open_input().start();
    sending.write(&numbered(25));
    // Its own handlers are set by now.
    wait_until(SOON, "the spool", || spool.is_dir());
    wait_until(SOON, "the spool", || {
        sending.signal(Signal::USR1);
        let said = sending.stderr();
        said.contains("rmq-send: read 25, confirmed 0, ") && said.contains("spooled 25, ")
    });
    sending.signal(Signal::TERM);
    sending.wait().expect(75).says("25 records");
}

#[test]
fn stats_are_written_every_so_often_and_at_the_end_as_json_or_for_prometheus() {
    let vhost = Vhost::filled(brokers::one(), 0);
    let directory = tempfile::tempdir().unwrap();
    let [sent, received] = ["sent.json", "received.prom"].map(|name| directory.path().join(name));
    let words = ["--stats-every", "50ms", "--stats", sent.to_str().unwrap(), "q"];
    let mut sending = vhost.send(&words).open_input().start();
    let confirmed = || member(&sent, "confirmed");
    wait_until(SOON, "the first counts", || confirmed() == Some(0));
    sending.write(&numbered(10));
    wait_until(SOON, "ten", || confirmed() == Some(10));
    sending.write(&numbered(10));
    sending.end_input();
    sending.wait().expect(0);
    let bytes = 2 * numbered(10).len() as u64 - 20;
    for (name, count) in
        [("read", 20), ("confirmed", 20), ("bytes_confirmed", bytes), ("unconfirmed", 0)]
    {
        assert_eq!(member(&sent, name), Some(count), "{name}");
    }
    let words = ["--drain", "--stats", received.to_str().unwrap(), "q"];
    vhost.receive(&words).run().expect(0);
    let metrics = fs::read_to_string(&received).unwrap();
    for line in [
        "# TYPE rmq_recv_acknowledged_total counter",
        "rmq_recv_acknowledged_total{run=\"received\"} 20",
        "# HELP rmq_recv_unacknowledged Messages received and not acknowledged.",
        "rmq_recv_unacknowledged{run=\"received\"} 0",
    ] {
        assert!(metrics.lines().any(|one| one == line), "{line}: {metrics}");
    }
    // Nothing else is left there.
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
    for (words, why) in [
        (["--stats-every", "1s", "q"], "--stats-every requires --stats"),
        (["--stats-every", "0", "q"], "--stats-every must not be 0"),
    ] {
        vhost.send(&words).run().expect(64).says(why);
        vhost.receive(&words).run().expect(64).says(why);
    }
    Tool::shell(directory.path(), "rmq-recv --drain --stats both q >>both")
        .environment("AMQP_URL", &vhost.url())
        .run()
        .expect(64)
        .says("--stats both: the messages are written to it");
}

#[test]
fn the_counts_are_in_their_file_also_where_a_run_fails_before_it_begins() {
    let vhost = Vhost::filled(brokers::one(), 0);
    let directory = tempfile::tempdir().unwrap();
    let nowhere = ["--url", "amqp://127.0.0.1:1", "--retry", "0"];
    for (name, count) in [("rmq-send", "read"), ("rmq-recv", "received")] {
        for (words, queue, status) in [(&nowhere[..], "q", 69), (&[], "nothing", 65)] {
            let stats = directory.path().join(format!("{name}-{queue}.json"));
            let words = [words, &["--stats", stats.to_str().unwrap(), queue]].concat();
            vhost.tool(name).arguments(&words).run().expect(status);
            assert_eq!(member(&stats, count), Some(0), "{name} {queue}");
        }
    }
}

#[test]
fn the_counts_go_to_a_fifo_and_one_that_is_not_read_holds_no_run() {
    let vhost = Vhost::filled(brokers::one(), 2);
    let directory = tempfile::tempdir().unwrap();
    let shell = |script: &str| {
        Tool::shell(directory.path(), script).environment("AMQP_URL", &vhost.url()).run()
    };
    // The shell has it open, since without a reader it is refused.
    let ended =
        shell("mkfifo f; exec 3<>f; rmq-recv -n 2 --stats f q >out; head -n 1 <&3").expect(0);
    let text = String::from_utf8(ended.stdout).unwrap();
    assert!(text.starts_with("{\"received\":2,\"acknowledged\":2,"), "{text}");
    // 64 KiB are soon full of counts.
    let ended =
        shell("mkfifo g; exec 3<>g; (echo x; sleep 3) | rmq-send --stats g --stats-every 1ms q");
    ended.expect(74).says("write g: its reader does not read; confirmed 1");
    vhost.wait_held("q", Held::ready(1));
    shell("rmq-send --stats - -b x q").expect(0);
    assert!(!directory.path().join("-").exists());
    shell("rmq-recv --stats - --drain q").expect(64).says("the messages are written to it");
}
