//! `--rejects`: the run continues, and a run over the rejects finishes the job.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::text::{account, numbered};
use rmq_tests::tool::Tool;
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::wait_until;
use rustix::process::Signal;
use std::fs;
use std::time::Duration;

#[test]
fn a_line_too_long_to_be_held_is_rejected_whole_and_the_rest_is_sent() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let rejects = directory.path().join("rejects");
    let long = "3".repeat(3_000_000);
    let input = format!("one\ntwo\n{long}\nfour\n{long}");
    let words = ["--max-size", "1M", "--rejects", rejects.to_str().unwrap(), "q"];
    let sent = vhost.send(&words).input(input).run().expect(65);
    let sent = sent.says("line 3: longer than --max-size 1048576; 2 records rejected, kept in");
    assert_eq!((sent.tally("read"), sent.tally("confirmed")), (5, 3));
    assert_eq!(vhost.drain("q"), b"one\ntwo\nfour\n");
    assert_eq!(fs::read_to_string(&rejects).unwrap(), format!("{long}\n{long}\n"));
    // With more allowed, they go.
    vhost.send(&["q", rejects.to_str().unwrap()]).run().expect(0);
    vhost.wait_held("q", Held::ready(2));
}

#[test]
fn what_a_full_queue_nacks_is_tried_again_and_then_kept_so_that_another_run_finishes_it() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&["--max-length", "100", "--overflow", "reject-publish"], "full");
    let directory = tempfile::tempdir().unwrap();
    let (rejects, stats) = (directory.path().join("rejects"), directory.path().join("stats"));
    let file = directory.path().join("input");
    let text = numbered(5000);
    fs::write(&file, &text).unwrap();
    let [rejects, stats, file] = [&rejects, &stats, &file].map(|path| path.to_str().unwrap());
    let words = ["--retry", "1s", "--rejects", rejects, "--stats", stats, "full", file];
    let sent = vhost.send(&words).run().expect(75);
    let sent = sent.says("full nacks: it is full, its max-length-bytes is smaller than the message, or it has no leader (--retry 1s)");
    let sent = sent.says("what is not confirmed is kept in");
    assert!(sent.took < Duration::from_secs(10), "{:?}", sent.took);
    assert!(sent.tally("nacked") > 0 && sent.tally("resent") > 0, "{}", sent.stderr);
    // The input ends by itself, so all of it was read.
    assert_eq!(sent.tally("read"), 5000);
    let stats = fs::read_to_string(stats).unwrap();
    assert!(stats.contains(&format!("\"confirmed\":{}", sent.tally("confirmed"))), "{stats}");
    let first = vhost.drain("full");
    let draining = vhost.receive(&["full"]).start();
    vhost.send(&["--window", "50", "full", rejects]).run().expect(0);
    let mut all = [first, Vec::new()];
    wait_until(Duration::from_secs(20), "everything out", || {
        all[1] = draining.stdout();
        account(&all.concat()).missing(5000).is_empty()
    });
    draining.signal(Signal::TERM);
    draining.wait();
}

#[test]
fn a_full_queue_ends_a_run_with_retry_0_at_once() {
    let vhost = Vhost::new(brokers::one());
    let words = ["--type", "classic", "--max-length", "1", "--overflow", "reject-publish"];
    vhost.declare(&words, "full");
    let input = numbered(20);
    let sent = vhost.send(&["--retry", "0", "full"]).input(input.clone()).run().expect(75);
    let sent = sent.says("full nacks: it is full, its max-length-bytes is smaller than the message, or it has no leader (--retry 0s)");
    assert!(sent.took < Duration::from_secs(5), "{:?}", sent.took);
    let sent = vhost.send(&["--retry", "1s", "full"]).input(input).run().expect(75);
    assert!((1..6).contains(&sent.took.as_secs()), "{:?}", sent.took);
}

#[test]
fn a_message_that_the_limit_of_an_empty_queue_is_too_small_for_ends_with_that_reason() {
    let vhost = Vhost::new(brokers::one());
    let limits = [("bytes", "--max-bytes", "10"), ("none", "--max-length", "0")];
    for (queue, limit, value) in limits {
        let words = ["--type", "classic", limit, value, "--overflow", "reject-publish"];
        vhost.declare(&words, queue);
        for retry in ["0", "1s"] {
            let sent = vhost.send(&["--retry", retry, queue]).input("a long line\n").run();
            sent.expect(75).says(&format!(
                "{queue} nacks a message of 11 bytes although it is empty: its max-length or \
                 max-length-bytes may be too small for it, or it has no leader (--retry {retry}"
            ));
        }
    }
    // With a spool it waits for a larger limit, and says so once.
    let directory = tempfile::tempdir().unwrap();
    let spool = directory.path().join("spool");
    let words = ["--spool", spool.to_str().unwrap(), "bytes"];
    let mut sending = vhost.send(&words).open_input().start();
    sending.write(b"a long line\n");
    let text = "nacks a message of 11 bytes although it is empty";
    sending.wait_stderr(text);
    sending.signal(Signal::KILL);
    let ended = sending.wait();
    assert_eq!(ended.stderr.matches("trying again").count(), 1, "{}", ended.stderr);
}

#[test]
fn nacks_are_sent_again_until_the_queue_has_room() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&["--max-length", "200", "--overflow", "reject-publish"], "full");
    let text = numbered(3000);
    let sending = vhost.send(&["-v", "full"]).input(text).start();
    wait_until(Duration::from_secs(20), "a full queue", || vhost.held("full").messages() >= 200);
    let receiving = vhost.receive(&["full"]).start();
    let sent = sending.wait().expect(0);
    assert!(sent.tally("nacked") > 0, "{}", sent.stderr);
    wait_until(Duration::from_secs(20), "everything out", || {
        account(&receiving.stdout()).missing(3000).is_empty()
    });
    receiving.signal(Signal::TERM);
    receiving.wait();
}

#[test]
fn a_signal_leaves_what_was_read_in_the_rejects() {
    let cluster = brokers::one_to_break();
    let vhost = Vhost::new(&cluster);
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let rejects = directory.path().join("rejects");
    let words = ["--rejects", rejects.to_str().unwrap(), "q"];
    let mut sending = vhost.send(&words).open_input().start();
    sending.write(b"one\n");
    vhost.wait_held("q", Held::ready(1));
    cluster.pause(&[1]);
    sending.write(b"two\nthree\nfo");
    // It has read them when the pipe is empty; then it is signalled twice, and does not wait.
    std::thread::sleep(Duration::from_millis(300));
    sending.signal(Signal::TERM);
    std::thread::sleep(Duration::from_millis(100));
    sending.signal(Signal::TERM);
    let sent = sending.wait();
    cluster.resume(&[1]);
    let sent = sent.expect(75).says("2 bytes of an incomplete record not sent");
    sent.says("sent but not confirmed 2-3; ");
    assert_eq!(fs::read_to_string(&rejects).unwrap(), "two\nthree\n");
}

#[test]
fn rejects_that_cannot_be_written_end_it_and_feed_on_nothing() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let sent = vhost.send(&["--rejects", "/nowhere/rejects", "q"]).input("one\n").run().expect(74);
    sent.says("write /nowhere/rejects: No such file or directory");
    let words = ["--max-size", "5", "--rejects", "/dev/full", "q"];
    let sent = vhost.send(&words).input("one\n123456\nthree\n").run().expect(74);
    sent.says("line 2: longer than").says("confirmed 1");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "one\n").unwrap();
    let file = file.to_str().unwrap();
    let sent = vhost.send(&["--rejects", file, "q", file]).run().expect(64);
    sent.says(": the input is read from it");
}

#[test]
fn nothing_is_on_standard_error_where_all_went_well_as_in_cron() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    for words in [&["--progress", "q"][..], &["--message-id=auto", "--timestamp", "q"]] {
        let sent = vhost.send(words).input(numbered(2000)).run().expect(0);
        assert_eq!((sent.stdout.len(), sent.stderr.as_str()), (0, ""));
    }
}

#[test]
fn with_a_window_of_one_it_gets_past_bad_and_long_records() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let rejects = directory.path().join("rejects");
    let long = "x".repeat(1_000_000);
    let input = format!("one\n{long}\n{long}\nfour\n{long}\n");
    let words = ["--window=1", "--max-size=1K", "--rejects", rejects.to_str().unwrap(), "q"];
    let sent = vhost.send(&words).input(input).run().expect(65);
    assert_eq!((sent.tally("confirmed"), sent.tally("rejected")), (2, 3));
    assert_eq!(fs::metadata(&rejects).unwrap().len(), 3_000_003);
}

#[test]
fn a_cut_off_record_of_known_length_leaves_rejects_that_can_be_run_again() {
    let vhost = Vhost::new(brokers::one());
    let directory = tempfile::tempdir().unwrap();
    let rejects = directory.path().join("rejects");
    let rejects = rejects.to_str().unwrap();
    let words = ["--format=length", "--max-size=10", "--allow-unroutable", "--rejects", rejects];
    let send = |input: &[u8]| vhost.send(&words).arguments(&["-e", "amq.direct"]).input(input);
    send(b"\0\0\x07\xd0aaa").run().expect(65).says("bytes before the end of a record");
    assert_eq!(fs::read(rejects).unwrap(), b"");
    send(b"\0\0\0\x0babcdefghijk").run().expect(65);
    assert_eq!(fs::read(rejects).unwrap(), b"\0\0\0\x0babcdefghijk");
}

#[test]
fn without_rejects_every_record_that_failed_is_named() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let input: String =
        (1..=40).map(|n| if (4..=20).contains(&n) { "nowhere:x\n" } else { "q:x\n" }).collect();
    let sent = vhost.send(&["--routed", "-K", ":"]).input(input).run().expect(65);
    sent.says("line 4: publish to nowhere: no such queue").says("; failed 4-20");
}

#[test]
fn a_second_whole_record_does_not_fit_and_an_unfinished_line_gets_its_end() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let rejects = directory.path().join("rejects");
    let rejects = rejects.to_str().unwrap();
    fs::write(rejects, "torn").unwrap();
    vhost.send(&["--max-size=1", "--rejects", rejects, "q"]).input("bb\n").run().expect(65);
    assert_eq!(fs::read(rejects).unwrap(), b"torn\nbb\n");
    let words = ["--format", "whole", "--rejects", rejects, "q"];
    vhost.send(&words).run().expect(64).says("not empty");
    let words = ["--format", "whole", "--rejects", "/dev/null", "q", rejects, rejects];
    vhost.send(&words).run().expect(64).says("send the files one by one");
}

#[test]
fn a_file_that_breaks_off_in_length_framing_keeps_none_of_the_others_back() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let record = |text: &[u8]| [&u32::try_from(text.len()).unwrap().to_be_bytes(), text].concat();
    let torn = [record(b"one"), b"\0\0\0\x09broken".to_vec()].concat();
    let files = [
        ("a", torn),
        ("b", record(b"two")),
        ("c", b"not framed".to_vec()),
        ("d", record(b"three")),
    ];
    let mut names = Vec::new();
    for (name, bytes) in files {
        let path = directory.path().join(name);
        fs::write(&path, bytes).unwrap();
        names.push(path.to_str().unwrap().to_owned());
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for option in ["--rejects", "--spool"] {
        let kept = directory.path().join(option.trim_start_matches('-'));
        let words = ["--format", "length", option, kept.to_str().unwrap(), "q"];
        let sent = vhost.send(&words).arguments(&names).run().expect(65);
        let sent = sent.says("6 bytes into a record of 9 that begins at byte 7");
        let sent = sent.says("is this input in length framing?");
        assert_eq!(vhost.drain("q"), b"one\ntwo\nthree\n", "{option}: {}", sent.stderr);
    }
    // Without a place for what cannot be sent the first is the end, as in other formats.
    let sent = vhost.send(&["--format", "length", "q"]).arguments(&names).run().expect(65);
    sent.says("6 bytes into a record of 9");
    assert_eq!(vhost.drain("q"), b"one\n");
}

#[test]
fn a_hyphen_is_standard_output_and_what_is_kept_there_is_a_record_like_any_other() {
    let vhost = Vhost::filled(brokers::one(), 0);
    let directory = tempfile::tempdir().unwrap();
    let script = "printf 'q:one\\nnowhere:two\\nq:three\\n' | rmq-send --routed -K : --rejects - >kept; \
                  status=$?; cat kept; exit $status";
    let ended = Tool::shell(directory.path(), script).environment("AMQP_URL", &vhost.url()).run();
    let ended = ended.expect(65).says("1 record rejected, written to /dev/stdout");
    assert_eq!(ended.stdout, b"nowhere:two\n");
    assert!(!directory.path().join("-").exists());
    assert_eq!(vhost.drain("q"), b"one\nthree\n");
}
