//! `rmq-recv QUEUE -- COMMAND`: one run for each message.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::shell::executable;
use rmq_tests::text::{account, lines, numbered};
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::wait_until;
use rustix::process::Signal;
use std::fs;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

#[test]
fn each_message_is_the_standard_input_of_a_run_of_its_own() {
    let vhost = Vhost::filled(brokers::one(), 30);
    let words = ["--drain", "q", "--", "sh", "-c", "cat; echo"];
    let received = vhost.receive(&words).run().expect(0);
    assert_eq!(received.stdout, numbered(30));
    vhost.wait_held("q", Held::ready(0));
    vhost.send(&["q"]).input(numbered(30)).run().expect(0);
    // Running in parallel, they must each write a line at once.
    let script = "printf '%s\\n' \"$(cat)\"";
    let words = ["-n", "20", "-j", "4", "q", "--", "sh", "-c", script];
    let received = vhost.receive(&words).run().expect(0);
    let account = account(&received.stdout);
    assert_eq!((account.total(), account.duplicates(), account.torn), (20, 0, 0));
    vhost.wait_held("q", Held::ready(10));
}

#[test]
fn a_body_larger_than_a_pipe_comes_whole_and_need_not_be_read() {
    let vhost = Vhost::filled(brokers::one(), 0);
    let body = vec![b'x'; 3 << 20];
    vhost.send(&["q"]).input([&body[..], b"\n"].concat().repeat(2)).run().expect(0);
    let received = vhost.receive(&["-n", "1", "q", "--", "cat"]).run().expect(0);
    assert!(received.stdout == body);
    vhost.receive(&["--drain", "q", "--", "true"]).run().expect(0);
    vhost.wait_held("q", Held::ready(0));
}

#[test]
fn properties_are_in_its_environment() {
    let vhost = Vhost::filled(brokers::one(), 0);
    let words = ["--content-type", "text/plain", "--message-id", "m1", "-H", "a=1", "q"];
    vhost.send(&words).input("x\n").run().expect(0);
    vhost.send(&["q"]).input("y\n").run().expect(0);
    let script = "echo $AMQP_QUEUE $AMQP_ROUTING_KEY $AMQP_REDELIVERED $AMQP_CONTENT_TYPE \
                  ${AMQP_MESSAGE_ID-none} $(cat)";
    let words = ["--drain", "q", "--", "sh", "-c", script];
    let received = vhost.receive(&words).environment("AMQP_MESSAGE_ID", "outer").run().expect(0);
    assert_eq!(received.stdout, b"q q 0 text/plain m1 x\nq q 0 none y\n");
}

#[test]
fn a_command_that_fails_stops_it_and_the_message_is_back() {
    let vhost = Vhost::filled(brokers::one(), 3);
    let words = ["q", "--", "sh", "-c", "exit 3"];
    vhost.receive(&words).run().expect(75).says("run sh: exit status 3").says("back in the queue");
    vhost.wait_held("q", Held::ready(3));
    let words = ["q", "--", "sh", "-c", "kill -9 $$"];
    vhost.receive(&words).run().expect(75).says("run sh: ended by signal 9");
    vhost.wait_held("q", Held::ready(3));
}

#[test]
fn a_command_that_cannot_be_started_stops_it_and_eats_nothing() {
    let vhost = Vhost::filled(brokers::one(), 3);
    let received = vhost.receive(&["q", "--", "/nowhere/to/be/found"]).run().expect(64);
    received.says("run /nowhere/to/be/found: No such file or directory");
    let directory = tempfile::tempdir().unwrap();
    let rubbish = directory.path().join("rubbish");
    executable(&rubbish, b"rubbish");
    let words = ["q", "--", rubbish.to_str().unwrap()];
    vhost.receive(&words).run().expect(64).says("Exec format error");
    vhost.wait_held("q", Held::ready(3));
    vhost.wait_no_connections();
    // An extra word is not a command.
    vhost.receive(&["q", "true"]).run().expect(64).says("unexpected argument 'true'");
}

#[test]
fn exit_status_75_puts_the_message_back_after_a_pause_and_others_go_on() {
    let vhost = Vhost::filled(brokers::one(), 3);
    let directory = tempfile::tempdir().unwrap();
    let tried = directory.path().join("tried");
    // The second message fails twice.
    let script = format!(
        "read -r line; case $line in *:1:*) echo >>{0}; [ $(wc -l <{0}) -lt 3 ] && exit 75;; esac; \
         echo \"$line\"",
        tried.display()
    );
    let words = ["-v", "--drain", "q", "--", "sh", "-c", &script];
    let received = vhost.receive(&words).run().expect(0);
    let account = account(&received.stdout);
    assert_eq!((account.missing(3), account.duplicates()), (vec![], 0));
    assert_eq!(fs::read(&tried).unwrap().len(), 3);
    assert_eq!(received.tally("redelivered"), 2, "{}", received.stderr);
    assert!(received.took > Duration::from_secs(2), "{:?}", received.took);
    vhost.wait_held("q", Held::ready(0));
}

#[test]
fn on_failure_dead_letter_needs_a_dead_letter_exchange_and_uses_it() {
    let vhost = Vhost::filled(brokers::one(), 3);
    let script = "read -r line; case $line in *:1:*) exit 1;; esac; echo \"$line\"";
    let words = ["--on-failure", "dead-letter", "--drain"];
    let command = ["--", "sh", "-c", script];
    let refused = vhost.receive(&words).arguments(&["q"]).arguments(&command).run().expect(65);
    refused.says("dead-letter exchange of q").says("there is none");
    vhost.wait_held("q", Held::ready(3));
    vhost.declare(&[], "dlq");
    let arguments = ["--dead-letter-exchange", "", "--dead-letter-key", "dlq"];
    for (queue, more) in [("a", &["--message-ttl", "1h"][..]), ("b", &[][..])] {
        vhost.declare(&[&arguments[..], more].concat(), queue);
        vhost.send(&[queue]).input(numbered(3)).run().expect(0);
        let received =
            vhost.receive(&words).arguments(&[queue]).arguments(&command).run().expect(0);
        assert_eq!(lines(&received.stdout).len(), 2);
        vhost.wait_held(queue, Held::ready(0));
    }
    vhost.wait_held("dlq", Held::ready(2));
    let missing = vhost.receive(&words).arguments(&["nowhere"]).arguments(&command).run();
    missing.expect(65);
}

#[test]
fn a_signal_is_passed_on_and_what_it_ends_is_unfinished() {
    let vhost = Vhost::filled(brokers::one(), 4);
    let directory = tempfile::tempdir().unwrap();
    let started = directory.path().join("started");
    let script = format!("echo >>{}; sleep 1000 & wait", started.display());
    let words = ["-j", "2", "q", "--", "sh", "-c", &script];
    let receiving = vhost.receive(&words).start();
    wait_until(SOON, "a run", || fs::read(&started).is_ok_and(|text| !text.is_empty()));
    receiving.signal(Signal::TERM);
    let received = receiving.wait().expect_signal(Signal::TERM);
    assert!(!received.stderr.contains("exit status"), "{}", received.stderr);
    vhost.wait_held("q", Held::ready(4));
    vhost.wait_no_connections();
    // One that catches it and finishes is acknowledged.
    let script = format!("trap 'exit 0' TERM; echo >>{}; sleep 1000 & wait", started.display());
    let before = fs::read(&started).unwrap().len();
    let receiving = vhost.receive(&["q", "--", "sh", "-c", &script]).start();
    wait_until(SOON, "a run", || fs::read(&started).unwrap().len() > before);
    receiving.signal(Signal::TERM);
    receiving.wait().expect_signal(Signal::TERM);
    vhost.wait_held("q", Held::ready(3));
}

#[test]
fn a_connection_lost_while_a_command_runs_brings_its_message_again() {
    let vhost = Vhost::filled(brokers::one(), 2);
    let directory = tempfile::tempdir().unwrap();
    let go = directory.path().join("go");
    let script = format!("until [ -e {} ]; do sleep 0.05; done; cat; echo", go.display());
    let receiving = vhost.receive(&["-v", "--drain", "q", "--", "sh", "-c", &script]).start();
    wait_until(SOON, "a delivery", || vhost.held("q").unacked == 1);
    vhost.close_connection_of(receiving.pid(), "test");
    receiving.wait_stderr("lost the connection");
    fs::write(&go, "").unwrap();
    let received = receiving.wait().expect(0);
    let account = account(&received.stdout);
    assert_eq!((account.missing(2), account.duplicates()), (vec![], 1));
    vhost.wait_held("q", Held::ready(0));
}
