//! `--ack-to`: what rmq-send reports as done.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::text::numbered;
use rmq_tests::tool::{Ended, Tool};
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::wait_until;
use rustix::process::Signal;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn fifo(directory: &Path) -> PathBuf {
    let path = directory.join("ack");
    Tool::program("mkfifo").arguments(&[path.to_str().unwrap()]).run().expect(0);
    path
}

/// Sends `input`, and returns what was reported, without the run's name, which must be present.
fn told(vhost: &Vhost<'_>, words: &[&str], input: Vec<u8>, status: i32) -> (Ended, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    let path = fifo(directory.path());
    let path = path.to_str().unwrap();
    let reader = Tool::program("cat").arguments(&[path]).start();
    let sent = vhost.send(&["--ack-to", path]).arguments(words).input(input).run().expect(status);
    let text = String::from_utf8(reader.wait().expect(0).stdout).unwrap();
    let mut lines = text.lines();
    let run = lines.next().and_then(|line| line.strip_prefix("run ")).unwrap().to_owned();
    assert!(run.len() == 32 && run.bytes().all(|byte| byte.is_ascii_hexdigit()), "{run}");
    let rest = lines.map(|line| line.strip_prefix(&format!("{run} ")).unwrap().to_owned());
    (sent, rest.collect())
}

#[test]
fn the_last_number_told_is_that_of_the_last_record_and_numbers_only_grow() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let (_, told) = told(&vhost, &["q"], numbered(5000), 0);
    let numbers: Vec<u64> = told.iter().map(|line| line.parse().unwrap()).collect();
    assert!(numbers.is_sorted(), "{numbers:?}");
    assert_eq!(numbers.last(), Some(&5000));
}

#[test]
fn nothing_behind_a_record_that_failed_is_told_unless_it_is_safe_in_the_rejects() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let input = b"q 1\nq 2\nnowhere 3\nq 4\n".to_vec();
    let words = ["--routed", "-K", " "];
    let (_, kept_back) = told(&vhost, &words, input.clone(), 65);
    assert!(kept_back.iter().all(|line| ["1", "2"].contains(&&line[..])), "{kept_back:?}");
    let words = ["--routed", "-K", " ", "--rejects", "/dev/null"];
    let (_, all) = told(&vhost, &words, input, 65);
    assert_eq!(all.last().map(String::as_str), Some("4"));
}

#[test]
fn of_envelopes_the_ids_are_told_once_all_that_came_of_them_is_confirmed() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let input = concat!(
        "{\"id\":\"a\",\"more\":true,\"body\":\"1\"}\n",
        "{\"id\":\"a\",\"body\":\"2\"}\n",
        "{\"body\":\"of nobody's\"}\n",
        "{\"id\":\"dropped\"}\n",
        "{\"id\":\"c\",\"body\":\"3\"}\n",
    );
    let (_, told) = told(&vhost, &["--format", "json", "q"], input.into(), 0);
    assert_eq!(told, ["id a", "id dropped", "id c"]);
    assert_eq!(vhost.drain("q"), b"1\n2\nof nobody's\n3\n");
}

#[test]
fn an_id_that_would_not_fit_a_line_is_a_bad_record() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let sent =
        vhost.send(&["--format=json", "q"]).input("{\"id\":\"a\\nb\",\"body\":\"1\"}\n").run();
    sent.expect(65).says("line 1: the id is not");
}

#[test]
fn it_waits_for_a_reader_and_goes_on_without_one() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let path = fifo(directory.path());
    let path = path.to_str().unwrap();
    let mut sending = vhost.send(&["--ack-to", path, "q"]).open_input().start();
    sending.write(b"one\n");
    std::thread::sleep(Duration::from_millis(300));
    // Nothing is sent before the FIFO has a reader.
    assert_eq!(vhost.held("q"), Held::ready(0));
    let reader = Tool::program("cat").arguments(&[path]).start();
    vhost.wait_held("q", Held::ready(1));
    wait_until(Duration::from_secs(10), "an acknowledgement", || {
        reader.stdout().ends_with(b" 1\n")
    });
    reader.signal(Signal::KILL);
    reader.wait();
    sending.write(b"two\n");
    vhost.wait_held("q", Held::ready(2));
    // What was not reported is delivered again, so this is not a success.
    sending.finish().expect(74).says(&format!("write to {path}: Broken pipe"));
}

#[test]
fn a_reader_that_stops_to_read_stops_the_sending_in_place_of_filling_the_memory() {
    const COUNT: usize = 40_000;
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let path = fifo(directory.path());
    // Long ones, so that the pipe holds few of them.
    let ids = || (0..COUNT).map(|number| format!("{number:0>200}"));
    let input: String = ids().map(|id| format!("{{\"id\":\"{id}\",\"body\":\"\"}}\n")).collect();
    let words = ["--format", "json", "--ack-to", path.to_str().unwrap(), "q"];
    let sending = vhost.send(&words).input(input).start();
    let mut reader = File::open(&path).unwrap();
    let mut there = (0, Instant::now());
    wait_until(Duration::from_secs(60), "a standstill", || {
        let count = vhost.held("q").messages();
        if count != there.0 {
            there = (count, Instant::now());
        }
        count > 0 && there.1.elapsed() > Duration::from_secs(3)
    });
    assert!(there.0 < COUNT, "{there:?}");
    let mut told = String::new();
    reader.read_to_string(&mut told).unwrap();
    let told: Vec<_> = told.lines().skip(1).map(|line| line.rsplit(' ').next().unwrap()).collect();
    assert!(told.iter().eq(&ids().collect::<Vec<_>>()), "{} of {COUNT}", told.len());
    sending.wait().expect(0);
    assert_eq!(vhost.held("q").messages(), COUNT);
}

#[test]
fn only_a_fifo_will_do() {
    let vhost = Vhost::new(brokers::one());
    let sent = vhost.send(&["--ack-to", "/dev/null", "q"]).run().expect(64);
    sent.says("--ack-to /dev/null: not a FIFO");
    vhost.send(&["--ack-to", "/nowhere", "q"]).run().expect(74).says("open /nowhere: No such file");
}

#[test]
fn a_record_whose_end_never_came_is_neither_kept_nor_told() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let path = fifo(directory.path());
    let path = path.to_str().unwrap();
    let rejects = directory.path().join("rejects");
    let reader = Tool::program("cat").arguments(&[path]).start();
    let words = ["--max-size", "1K", "--rejects", rejects.to_str().unwrap(), "--ack-to", path, "q"];
    let mut sending = vhost.send(&words).open_input().start();
    sending.write(b"one\n");
    sending.write(&[b'x'; 500_000]);
    vhost.wait_held("q", Held::ready(1));
    sending.signal(Signal::TERM);
    let sent = sending.wait().expect(75);
    sent.says("500000 bytes of an incomplete record not sent");
    let told = String::from_utf8(reader.wait().expect(0).stdout).unwrap();
    assert!(told.ends_with(" 1\n"), "{told}");
    assert_eq!(std::fs::read(&rejects).unwrap(), b"");
}

#[test]
fn what_the_rejects_did_not_take_is_not_told() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let words = ["--max-size", "5", "--rejects", "/dev/full", "q"];
    let (sent, told) = told(&vhost, &words, b"a\nbbbbbbbbbb\nc\n".to_vec(), 74);
    sent.says("line 2: longer than --max-size 5; and write /dev/full");
    assert!(told.iter().all(|line| line == "1"), "{told:?}");
}

#[test]
fn more_dropped_deliveries_than_the_window_holds_are_all_told() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let input: String = (0..3000).map(|number| format!("{{\"id\":\"{number}\"}}\n")).collect();
    for window in ["1", "1024"] {
        let words = ["--window", window, "--format", "json", "q"];
        let (_, told) = told(&vhost, &words, input.clone().into(), 0);
        assert_eq!(told.len(), 3000);
        assert_eq!(told.last().map(String::as_str), Some("id 2999"));
    }
}

#[test]
fn a_receiver_that_died_before_it_opened_the_fifo_is_not_waited_for() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let path = fifo(directory.path());
    let path = path.to_str().unwrap();
    let sent = vhost.send(&["--ack-to", path, "q"]).open_input().start().finish();
    assert_eq!(sent.expect(0).stderr, "");
    let sent = vhost.send(&["--ack-to", path, "q"]).input("one\n").run().expect(74);
    sent.says("and the input has ended; no input was read");
    vhost.wait_held("q", Held::ready(0));
}
