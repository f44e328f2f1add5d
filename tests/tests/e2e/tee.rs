//! `--tee`: what is confirmed, on standard output.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::text::numbered;
use rmq_tests::tool::{Tool, binary};
use rmq_tests::vhost::Vhost;

#[test]
fn each_record_is_on_standard_output_once_it_is_confirmed_in_order() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let text = numbered(20_000);
    let sent = vhost.send(&["--tee", "q"]).input(text.clone()).run().expect(0);
    assert!(sent.stdout == text, "{} of {} bytes", sent.stdout.len(), text.len());
    let mut sending = vhost.send(&["--tee", "-0", "q"]).open_input().start();
    // At once, and not when the input ends.
    sending.write(b"one\0tw");
    sending.wait_stdout(4);
    assert_eq!(sending.finish().expect(0).stdout, b"one\0tw\0");
}

#[test]
fn what_fails_is_not_on_standard_output() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let input = "q one\nnowhere two\nq three\n";
    let words = ["--tee", "--routed", "-K", " ", "--rejects", "/dev/null"];
    let sent = vhost.send(&words).input(input).run().expect(65);
    assert_eq!(sent.stdout, b"q one\nq three\n");
}

#[test]
fn a_reader_that_goes_away_stops_the_tee_and_not_the_sending() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let script = format!("'{}' -v --tee q | head -n 1", binary("rmq-send").display());
    let shell = Tool::program("sh").arguments(&["-c", &script]).input(numbered(50_000));
    let ended = shell.environment("AMQP_URL", &vhost.url()).run().expect(0);
    assert_eq!(ended.tally("confirmed"), 50_000);
    assert_eq!(ended.stdout, numbered(1));
    vhost.wait_held("q", Held::ready(50_000));
}

#[test]
fn a_full_standard_output_is_74_when_everything_is_sent() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let sent = vhost.send(&["--tee", "q"]).input(numbered(1000)).output_to(full).run().expect(74);
    sent.says("write to standard output: No space left on device");
    vhost.wait_held("q", Held::ready(1000));
}

#[test]
fn a_signal_ends_the_wait_for_a_reader_that_stopped() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let text = numbered(20_000);
    // A pipe that nothing reads.
    let mut sending = vhost.send(&["--tee", "q"]).input(text).output_to_pipe().start();
    let pipe = sending.take_output();
    vhost.wait_held("q", Held::ready(20_000));
    assert!(sending.is_running());
    sending.signal(rustix::process::Signal::TERM);
    sending.wait().expect(75).says("stopped by a signal before all confirms were reported");
    drop(pipe);
}
