//! What rmq-send does with its input, and with a signal while it reads.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::text::numbered;
use rmq_tests::vhost::{PASSWORD, Vhost};
use rustix::process::Signal;
use std::fs;
use std::time::Duration;

#[test]
fn a_line_over_max_size_is_named_and_those_before_it_are_confirmed() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let text = format!("one\ntwo\n{}\nfour\n", "3".repeat(1001));
    let sent = vhost.send(&["--max-size", "1000", "q"]).input(text).run().expect(65);
    let sent = sent.says("line 3").says("confirmed 1-2");
    assert_eq!(sent.stderr.lines().filter(|line| line.contains("line 3")).count(), 1);
    assert_eq!(vhost.held("q"), Held::ready(2));
    assert_eq!(vhost.drain("q"), b"one\ntwo\n");
}

#[test]
fn sigterm_while_the_input_is_open_ends_it_by_sigterm_with_every_line_confirmed() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let mut sending = vhost.send(&["-v", "q"]).open_input().start();
    sending.write(b"one\ntwo\n");
    vhost.wait_held("q", Held::ready(2));
    sending.signal(Signal::TERM);
    let sent = sending.wait().expect_signal(Signal::TERM);
    assert_eq!((sent.tally("read"), sent.tally("confirmed")), (2, 2), "{}", sent.stderr);
    assert_eq!(vhost.held("q"), Held::ready(2));
    vhost.wait_no_connections();
}

#[test]
fn sigint_in_the_middle_of_a_line_ends_with_75_and_the_piece_is_never_published() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let mut sending = vhost.send(&["q"]).open_input().start();
    sending.write(b"one\ntwo\nthr");
    vhost.wait_held("q", Held::ready(2));
    sending.signal(Signal::INT);
    sending.wait().expect(75).says("3 bytes").says("confirmed 1-2");
    assert_eq!(vhost.drain("q"), b"one\ntwo\n");
}

#[test]
fn a_queue_deleted_while_it_sends_ends_it_with_65_and_the_first_line_named() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let mut sending = vhost.send(&["q"]).open_input().start();
    sending.write(b"one\ntwo\n");
    vhost.wait_held("q", Held::ready(2));
    vhost.delete("q");
    sending.write(b"three\nfour\n");
    let sent = sending.wait().expect(65);
    let sent = sent.says("line 3: publish to q: no such queue").says("confirmed 1-2");
    assert!(!sent.stderr.contains("confirmed 1-3"), "{}", sent.stderr);
    vhost.wait_no_connections();
}

#[test]
fn a_line_that_fails_ends_it_also_when_much_more_has_been_read() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let mut sending = vhost.send(&["q"]).open_input().start();
    sending.write(b"one\n");
    vhost.wait_held("q", Held::ready(1));
    vhost.delete("q");
    // More than the window holds, and the input stays open: only the failure ends it.
    sending.feed(&numbered(20_000));
    sending.wait().expect(65).says("line 2: publish to q: no such queue").says("confirmed 1");
}

#[test]
fn a_password_shows_nowhere_but_where_the_user_typed_it() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("password");
    fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    let url = format!("amqp://{}/{}", vhost.cluster.hosts(), vhost.name);
    let words = ["-v", "--url", &url, "--user", &vhost.name, "--password-file"];
    let mut sending =
        vhost.send(&words).arguments(&[file.to_str().unwrap(), "q"]).open_input().start();
    sending.write(b"one\n");
    vhost.wait_held("q", Held::ready(1));
    let process = format!("/proc/{}", sending.pid());
    let typed = fs::read(format!("{process}/cmdline")).unwrap();
    assert!(!String::from_utf8_lossy(&typed).contains(PASSWORD));
    let names = vhost.connection_names();
    let wanted = format!("pid {}", sending.pid());
    assert!(
        matches!(&names[..], [name] if name.starts_with("rmq-send ") && name.ends_with(&wanted)),
        "{names:?}"
    );
    let sent = sending.finish().expect(0);
    assert!(!sent.stderr.contains(PASSWORD), "{}", sent.stderr);
    // Failures also mention URLs, hosts and users.
    let nobody = url.replacen("127.0.0.1:", &format!("{}:{PASSWORD}@127.0.0.1:1", vhost.name), 1);
    for words in [["-v", "--retry=0", &nobody], ["-v", "--vhost=nowhere", &vhost.url()]] {
        let failed = vhost.send(&words[..2]).arguments(&["--url", words[2], "q"]).run();
        assert!(!failed.status.success());
        assert!(!failed.stderr.is_empty() && !failed.stderr.contains(PASSWORD), "{failed:?}");
        assert!(failed.took < Duration::from_secs(20));
    }
}
