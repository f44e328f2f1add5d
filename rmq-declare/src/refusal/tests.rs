use super::*;
use crate::arguments::Arguments;
use crate::queue::shape::Shape;
use argh::FromArgs;
use rmq_common::server::Server;

/// The message and status for a refused declaration of `jobs`, without the common words.
fn refused(words: &[&str], code: u16, text: &str) -> (String, u8) {
    let server =
        Server { product: "RabbitMQ".to_owned(), version: "4.0.5".to_owned(), ..Server::default() };
    let options = Arguments::from_args(&["rmq-declare"], words).unwrap();
    let declaration = Shape::from_options(&options).unwrap().declaration(Some(&server));
    let request = Request {
        verb: "declare",
        subject: Subject::Queue("jobs", Some(&declaration)),
        vhost: "/",
        user: "guest",
    };
    let failure = request.failure(AmqpError::closed(code, text));
    let message = failure.to_string();
    let message = message.strip_prefix("declare jobs in /: ").unwrap();
    let more = "; there may be more differences (rmq-perm list-queues -v -p / shows all)";
    (message.strip_suffix(more).unwrap_or(message).to_owned(), failure.exit().status())
}

#[test]
fn a_difference_names_the_argument_both_values_and_what_can_be_done() {
    let table: [(&[&str], &str, &str, &str); 8] = [
        (
            &["--max-length", "5"],
            "arg 'x-max-length' for queue 'jobs' in vhost '/': received '5' but current is '10'",
            "with --max-length (x-max-length) 10, 5 was asked for",
            "a policy (max-length) can lower it",
        ),
        (
            &["--max-length", "5"],
            "arg 'x-max-length' for queue 'jobs' in vhost '/': received the value '5' of type \
             'long' but current is none",
            "without --max-length (x-max-length), 5 was asked for",
            "a policy (max-length) can set it",
        ),
        (
            &[],
            "arg 'x-expires' for queue 'jobs' in vhost '/': received none but current is the \
             value '60000' of type 'signedint'",
            "with --expires (x-expires) 1m, none was asked for",
            "it cannot be changed",
        ),
        (
            &["--delivery-limit", "unlimited"],
            "arg 'x-delivery-limit' for queue 'jobs' in vhost '/': received '-1' but current \
             is '5'",
            "with --delivery-limit (x-delivery-limit) 5, unlimited was asked for",
            "it cannot be changed",
        ),
        (
            &[],
            "arg 'x-queue-type' for queue 'jobs' in vhost '/': received the value 'quorum' of \
             type 'longstr' but current is none",
            "with --type (x-queue-type) classic, quorum was asked for",
            "the type of a queue cannot be changed",
        ),
        (
            &[],
            "arg 'durable' for queue 'jobs' in vhost '/': received 'true' but current is \
             'false'",
            "with durable false, true was asked for",
            "it cannot be changed",
        ),
        (
            &["--type", "stream", "--max-age", "2D"],
            "arg 'x-max-age' for queue 'jobs' in vhost '/': received '172800000' but current \
             is '604800000'",
            "with --max-age (x-max-age) 7D, 2D was asked for",
            "it cannot be changed",
        ),
        (
            &["--arg", "x-new=word"],
            "arg 'x-new' for queue 'jo...",
            "with another x-new, word was asked for",
            "it cannot be changed",
        ),
    ];
    for (words, text, wanted, remedy) in table {
        let (message, status) = refused(words, 406, &format!("inequivalent {text}"));
        assert!(message.starts_with(&format!("it exists {wanted}; {remedy}")), "{message}");
        assert_eq!(status, 65);
    }
}

#[test]
fn deleting_is_advised_on_a_condition_wherever_the_queue_may_be_classic() {
    let is = |argument: &str, current: Value| {
        let asked = Some(AMQPValue::LongLongInt(5));
        vec![Difference { argument: argument.to_owned(), current, asked }]
    };
    let text = |text: &str| Value::Is(text.to_owned());
    for (queue_type, differences, more, conditions) in [
        ("classic", is("x-expires", text("1")), false, true),
        ("classic", is("durable", text("false")), true, true),
        ("quorum", is("x-expires", text("1")), false, false),
        ("quorum", is("x-expires", text("1")), true, true),
        ("stream", is("x-max-age", text("1")), false, false),
        ("quorum", is(TYPE, text("classic")), false, true),
        ("quorum", is(TYPE, Value::None), false, true),
        ("quorum", is(TYPE, Value::CutOff), true, true),
        ("classic", is(TYPE, text("quorum")), true, false),
        ("classic", is(TYPE, text("stream")), false, false),
    ] {
        let options = Arguments::from_args(&["rmq-declare"], &["--type", queue_type]).unwrap();
        let declaration = Shape::from_options(&options).unwrap().declaration(None);
        let subject = Subject::Queue("jobs", Some(&declaration));
        let request = Request { verb: "declare", subject, vhost: "/", user: "guest" };
        let message = request.differs(&differences, more).to_string();
        assert_eq!(
            message.contains("--delete --if-empty --if-unused jobs"),
            conditions,
            "{message}"
        );
        assert_eq!(message.contains("delete it with its messages"), !conditions, "{message}");
    }
}

#[test]
fn a_missing_permission_is_named_with_the_command_that_gives_it() {
    let text = "configure access to queue 'jobs' in vhost '/' refused for user 'CN=dev'";
    let wanted = "CN=dev lacks configure on jobs in / \
                  (rmq-perm set -p / CN=dev CONFIGURE WRITE READ)";
    assert_eq!(refused(&[], 403, text), (wanted.to_owned(), 77));
    let text = "read access to queue 'jobs' in vhost '/' refused for user 'dev'";
    let (message, _) = refused(&["--dead-letter-exchange", "x"], 403, text);
    assert!(
        message.contains("read on jobs in /, which a dead-letter exchange requires ("),
        "{message}"
    );
}

#[test]
fn other_refusals_keep_their_own_status() {
    let text = "invalid arg 'x-max-priority' for queue 'jobs' in vhost '/' of queue type \
                rabbit_quorum_queue";
    let wanted = "quorum queues have no argument --max-priority (x-max-priority) in this release";
    assert_eq!(refused(&[], 406, text), (wanted.to_owned(), 65));
    let (_, status) = refused(&[], 405, "cannot obtain exclusive access to locked queue 'jobs'");
    assert_eq!(status, 75);
    let reserved = "queue name 'amq.x' contains reserved prefix 'amq.*'";
    assert_eq!(refused(&[], 403, reserved).1, 65);
    let (deprecated, status) =
        refused(&[], 541, "Feature `queue_master_locator` is deprecated.\nBy default,");
    assert!(deprecated.ends_with("not allow it: Feature `queue_master_locator` is deprecated."));
    assert_eq!(status, 65);
}

#[test]
fn a_difference_of_an_exchange_is_reported_the_same_way() {
    let exchange: Exchange = "events:topic".parse().unwrap();
    let request = Request {
        verb: "declare",
        subject: Subject::Exchange(&exchange),
        vhost: "/",
        user: "guest",
    };
    let refused = |text: &str| request.failure(AmqpError::closed(406, text)).to_string();
    let message = refused(
        "inequivalent arg 'type' for exchange 'events' in vhost '/': received 'topic' but \
         current is 'direct'",
    );
    let wanted = "declare exchange events in /: it exists with type direct, topic was asked for";
    assert!(message.starts_with(wanted), "{message}");
    assert!(refused("unknown exchange type 'topic'").contains("no exchange type topic"));
}
