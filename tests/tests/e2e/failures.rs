//! `rmq-recv QUEUE -- COMMAND` if commands fail: which message it was, how often it is tried, and
//! what happens to the others meanwhile.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::text::{account, lines, numbered};
use rmq_tests::vhost::Vhost;
use std::time::Duration;

/// A quorum queue that dead-letters to `dlq`.
fn with_dead_letters(vhost: &Vhost<'_>, queue: &str) {
    let arguments = ["--dead-letter-exchange", "", "--dead-letter-key", "dlq"];
    vhost.declare(&[], "dlq");
    vhost.declare(&arguments, queue);
}

#[test]
fn a_failure_names_its_message_by_number_key_id_and_beginning() {
    let vhost = Vhost::filled(brokers::one(), 0);
    let body = format!("{{\"order\":\"\x1b[2J{}\"}}", "x".repeat(100));
    vhost.send(&["q"]).input("fine\n").run().expect(0);
    vhost.send(&["--message-id", "m-1", "q"]).input(body).run().expect(0);
    let words = ["q", "--", "sh", "-c", "read -r line; [ \"$line\" = fine ]"];
    let first = vhost.receive(&words).run().expect(75);
    let said = "message 2: run sh: exit status 1; the message is back in the queue \
                (key q, id m-1): {\"order\":\"\\x1b[2Jxxxxx";
    first.says(said).says("xxx...\n");
    // The count in the queue is reported, too.
    let words = ["-n", "1", "q", "--", "sh", "-c", "exit 2"];
    let second = vhost.receive(&words).run().expect(75);
    second.says("message 1: run sh: exit status 2; ").says("redelivered 1 time): {");
    vhost.wait_held("q", Held::ready(1));
}

#[test]
fn a_command_can_count_deliveries_of_the_run_and_of_the_message() {
    let vhost = Vhost::filled(brokers::one(), 0);
    vhost.send(&["q"]).input("a\nb\n").run().expect(0);
    let script = "read -r line; echo $line $AMQP_DELIVERY_TAG ${AMQP_DELIVERY_COUNT-none}; \
                  [ $AMQP_DELIVERY_TAG != 1 ]";
    let words = ["--drain", "--on-failure", "requeue", "q", "--", "sh", "-c", script];
    let received = vhost.receive(&words).environment("AMQP_DELIVERY_TAG", "7").run().expect(0);
    assert_eq!(String::from_utf8(received.stdout).unwrap(), "a 1 0\nb 2 0\na 3 1\n");
}

#[test]
fn a_message_is_tried_three_times_by_its_queues_count_and_then_dead_lettered() {
    let vhost = Vhost::new(brokers::one());
    with_dead_letters(&vhost, "q");
    vhost.send(&["q"]).input(numbered(3)).run().expect(0);
    let script = "read -r line; echo \"$line\"; case $line in *:1:*) exit 1;; esac";
    let command = ["q", "--", "sh", "-c", script];
    // The first try belongs to another run, which ends before the pause does.
    let words = ["--timeout", "700ms", "--on-failure", "retry:3"];
    let first = vhost.receive(&words).arguments(&command).run().expect(0);
    let first = first.says("; the message is requeued after delivery 1 of 3 (key q)");
    assert_eq!(lines(&first.stdout).len(), 3);
    vhost.wait_held("q", Held::ready(1));
    let words = ["-v", "--drain", "--on-failure", "retry:3"];
    let second = vhost.receive(&words).arguments(&command).run().expect(0);
    assert_eq!(lines(&second.stdout).len(), 2, "{}", second.stderr);
    let said = second.says("requeued after delivery 2 of 3 (key q, redelivered 1 time)");
    assert_eq!(said.tally("dead-lettered"), 1);
    said.says("; the message is dead-lettered after delivery 3 (key q, redelivered 2 times)");
    vhost.wait_held("q", Held::ready(0));
    assert_eq!(account(&vhost.drain("dlq")).total(), 1);
}

#[test]
fn what_failed_waits_alone_and_the_others_go_on() {
    let vhost = Vhost::new(brokers::one());
    with_dead_letters(&vhost, "q");
    vhost.send(&["q"]).input(numbered(100)).run().expect(0);
    // One in ten fails at first, each separately; ten consecutive pauses would take ten seconds.
    let script = "[ $AMQP_REDELIVERED = 1 ] && exit; read -r line; \
                  case $line in *:*5:*) exit STATUS;; esac";
    for (status, on_failure) in [("75", "stop"), ("1", "requeue"), ("1", "retry:3")] {
        let script = script.replace("STATUS", status);
        let words = ["-v", "--drain", "--on-failure", on_failure, "q", "--", "sh", "-c", &script];
        let received = vhost.receive(&words).run().expect(0);
        assert_eq!(received.tally("acknowledged"), 100, "{}", received.stderr);
        assert_eq!(received.tally("redelivered"), 10, "{}", received.stderr);
        assert!(received.took < Duration::from_secs(8), "{on_failure}: {:?}", received.took);
        vhost.wait_held("q", Held::ready(0));
        vhost.send(&["q"]).input(numbered(100)).run().expect(0);
    }
}

#[test]
fn a_prefetch_that_was_chosen_holds_for_what_waits_too() {
    let vhost = Vhost::filled(brokers::one(), 9);
    let words = ["--timeout", "900ms", "--prefetch", "3", "--on-failure", "requeue", "q"];
    let received = vhost.receive(&words).arguments(&["--", "sh", "-c", "echo; exit 1"]).run();
    assert_eq!(received.expect(0).stdout, b"\n\n\n");
    vhost.wait_held("q", Held::ready(9));
}

#[test]
fn retries_are_refused_where_nothing_counts_them_or_the_last_would_be_lost() {
    let vhost = Vhost::filled(brokers::one(), 1);
    let arguments = ["--type", "classic", "--dead-letter-exchange", "", "--dead-letter-key", "q"];
    vhost.declare(&arguments, "classic");
    let command = ["--", "false"];
    let retry =
        |most, queue| vhost.receive(&["--on-failure", most, queue]).arguments(&command).run();
    retry("retry:3", "classic").expect(65).says("retry:N requires a quorum queue").says("classic");
    retry("retry:3", "q").expect(65).says("there is none");
    retry("retry:0", "q").expect(64).says("expected a number from 1 after retry:");
    retry("retry", "q").expect(64).says("stop, requeue, dead-letter or retry:N");
    vhost.wait_held("q", Held::ready(1));
}

#[test]
fn many_that_fail_in_a_row_wait_no_longer_than_each_alone() {
    let vhost = Vhost::new(brokers::one());
    with_dead_letters(&vhost, "q");
    vhost.send(&["q"]).input(numbered(40)).run().expect(0);
    let words = ["--quiet", "-j", "4", "--drain", "--on-failure", "retry:2", "q", "--", "false"];
    let ended = vhost.receive(&words).run().expect(0);
    // A second, not eight and sixteen for the last ones.
    assert!(ended.took < Duration::from_secs(7), "{:?}", ended.took);
    assert_eq!(vhost.held("q").messages(), 0);
}
