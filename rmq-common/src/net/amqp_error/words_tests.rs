//! What the broker says, in each release's words, and how it is parsed.

mod details;

use super::reading::reply;
use super::words::{REPLIES, alarm};
use super::{
    Access, AmqpError, Breach, Inequivalent, Loss, Missing, Permission, Refusal, Thing, Value,
};
use proptest::prelude::*;

fn refused(code: u16, text: &str) -> Refusal {
    match reply(code, text) {
        AmqpError::Refused(refused) => refused.what,
        other => panic!("{text}: {other:?}"),
    }
}

fn lost(code: u16, text: &str) -> Loss {
    match reply(code, text) {
        AmqpError::Lost(lost) => lost.why,
        other => panic!("{text}: {other:?}"),
    }
}

fn difference(text: &str) -> Inequivalent {
    match refused(406, text) {
        Refusal::Inequivalent(difference) => difference,
        other => panic!("{text}: {other:?}"),
    }
}

fn is(text: &str) -> Value {
    Value::Is(text.to_owned())
}

#[test]
fn a_refusal_is_told_in_the_brokers_words_and_with_its_own_exit_status() {
    let table = [
        (404, "NOT_FOUND - no queue 'q' in vhost '/'", "no queue 'q' in vhost '/'", 65),
        (403, "ACCESS_REFUSED - access refused", "access refused", 77),
        (530, "NOT_ALLOWED - vhost x not found", "vhost x not found", 65),
        (530, "NOT_ALLOWED - access to vhost 'x' refused", "access to vhost 'x' refused", 77),
        (
            530,
            "NOT_ALLOWED - access refused: connection limit (1) is reached",
            "access refused: connection limit (1) is reached",
            75,
        ),
        (
            406,
            "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out",
            "delivery acknowledgement on channel 1 timed out",
            75,
        ),
        (405, "RESOURCE_LOCKED - cannot obtain", "cannot obtain", 75),
        (320, "CONNECTION_FORCED - shutdown", "shutdown", 75),
        (
            406,
            "invalid ack received for inexistant delivery_tag 7 on channel 1",
            "the broker confirmed something that was not published: invalid ack received for inexistant \
             delivery_tag 7 on channel 1",
            70,
        ),
        (504, "CHANNEL_ERROR - x", "the broker closed the connection: x", 70),
    ];
    for (code, said, told, status) in table {
        let failure = reply(code, said).failure();
        assert_eq!(failure.to_string(), told);
        assert_eq!(failure.exit().status(), status, "{said}");
    }
}

#[test]
fn what_passes_is_told_from_what_does_not_as_each_release_says_it() {
    let passes = [
        (
            404,
            "NOT_FOUND - home node 'rmq2@localhost' of durable queue 'q' in vhost '/' is down or inaccessible",
        ),
        (404, "NOT_FOUND - queue 'q' in vhost '/' process is stopped by supervisor"),
        (404, "NOT_FOUND - queue 'q' in vhost '/' has crashed and failed to restart"),
        (404, "NOT_FOUND - failed to perform operation on queue 'q' in vhost '/' due to timeout"),
        (
            404,
            "NOT_FOUND - failed to perform operation on queue 'q' in vhost '/': its leader <0.1.0> may be stopping or being demoted",
        ),
        (403, "ACCESS_REFUSED - queue 'q' in vhost '/' in exclusive use"),
        (
            405,
            "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'q' in vhost '/'. It could be originally declared on another connection or the exclusive property value does not match that of the original declaration.",
        ),
        (
            406,
            "PRECONDITION_FAILED - queue 'queue 's' in vhost '/'' does not have a replica on the local node",
        ),
        (
            406,
            "PRECONDITION_FAILED - stream queue 's' in vhost '/' does not have a running replica on the local node",
        ),
        (506, "RESOURCE_ERROR - Stream coordinator unavailable for queue 's' in vhost '/'"),
        (
            530,
            "NOT_ALLOWED - access to vhost 'v' refused for user 'u': connection limit (1) is reached",
        ),
        (
            530,
            "NOT_ALLOWED - access to vhost 'v' refused for user 'u': connection limit cannot be queried, timeout",
        ),
        (530, "NOT_ALLOWED - connection refused: node connection limit (1) is reached"),
        (
            530,
            "NOT_ALLOWED - number of channels opened on node 'n' has reached the maximum allowed limit of (1)",
        ),
        (541, "INTERNAL_ERROR - access to vhost 'v' refused for user 'u': vhost 'v' is down"),
        (541, "INTERNAL_ERROR - failed consuming from quorum queue 'q' in vhost '/': noproc"),
        (
            541,
            "INTERNAL_ERROR - Cannot get a message from queue 'queue 'q' in vhost '/'': nodedown",
        ),
        (541, "INTERNAL_ERROR"),
        (320, "CONNECTION_FORCED - Node was put into maintenance mode"),
    ];
    for (code, said) in passes {
        assert!(matches!(reply(code, said), AmqpError::Lost(_)), "{said}");
    }
    let stays = [
        (404, "NOT_FOUND - no queue 'is down or inaccessible' in vhost '/'", 65),
        (530, "NOT_ALLOWED - vhost limit not found", 65),
        (530, "NOT_ALLOWED - access to vhost 'limit' refused for user 'u'", 77),
        (404, "NOT_FOUND - no exchange 'e' in vhost '/'", 65),
        (403, "ACCESS_REFUSED - read access to queue 'q' in vhost '/' refused for user 'u'", 77),
        (
            405,
            "RESOURCE_LOCKED - cannot obtain access to locked queue 'q' in vhost '/'. basic.get operations are not supported by quorum queues with single active consumer",
            65,
        ),
        (
            406,
            "PRECONDITION_FAILED - cannot declare queue 'q': queue limit in vhost '/' (1) is reached",
            65,
        ),
        (540, "NOT_IMPLEMENTED - queue 'q' in vhost '/' does not support global qos", 65),
        (541, "INTERNAL_ERROR - Feature `transient_nonexcl_queues` is deprecated.", 65),
    ];
    for (code, said, status) in stays {
        let error = reply(code, said);
        assert!(matches!(error, AmqpError::Refused(_)), "{said}");
        assert_eq!(error.failure().exit().status(), status, "{said}");
    }
    let nameless = reply(541, "INTERNAL_ERROR").failure().to_string();
    assert!(nameless.contains("no leader"), "{nameless}");
}

#[test]
fn every_row_of_the_table_is_reached() {
    for (index, (code, says, meaning)) in REPLIES.iter().enumerate() {
        let first = REPLIES.iter().position(|(of, text, _)| of == code && says.contains(text));
        assert_eq!(first, Some(index), "{code} {says} {meaning:?}");
    }
}

proptest! {
    #[test]
    fn whatever_a_broker_says_has_a_documented_exit_status(
        code in prop_oneof![any::<u16>(), 300u16..320, 400u16..410, 500u16..550],
        text in "([A-Z_]{0,12} - )?(no |vhost |access |delivery acknowledgement )?\\PC{0,60}",
    ) {
        let status = reply(code, &text).failure().exit().status();
        prop_assert!([65, 70, 75, 77].contains(&status), "{code} {text}: {status}");
    }
}

#[test]
fn a_limit_on_channels_is_read_from_the_refusal_of_one() {
    for (text, wanted) in [
        (
            "number of channels opened for user 'u' has reached the maximum allowed user limit of (1)",
            Loss::Channels(Some(1)),
        ),
        (
            "number of channels opened on node 'n' has reached the maximum allowed limit of (12)",
            Loss::Channels(Some(12)),
        ),
        (
            "number of channels opened for user 'u' has reached the maximum allowed user limit of 1",
            Loss::Channels(Some(1)),
        ),
        ("number of channels opened on node 'n': limit of ...", Loss::Channels(None)),
        ("access refused: connection limit (1) is reached", Loss::Other),
    ] {
        assert_eq!(lost(530, &format!("NOT_ALLOWED - {text}")), wanted, "{text}");
    }
}

#[test]
fn a_loss_that_needs_its_own_answer_is_known() {
    for (code, text, wanted) in [
        (541, "Cannot get a message from queue 'queue 'q' in vhost '/'': nodedown", Loss::NoLeader),
        (541, "Cannot get a message from queue 'queue 'q' in vhost '/'': timeout", Loss::NoLeader),
        (541, "INTERNAL_ERROR", Loss::NoLeader),
        (541, "INTERNAL_ERROR - failed consuming from quorum queue 'q': noproc", Loss::NoLeader),
        (541, "INTERNAL_ERROR - access to vhost 'v' refused: vhost 'v' is down", Loss::Other),
        (506, "RESOURCE_ERROR", Loss::Other),
        (320, "CONNECTION_FORCED - shutdown", Loss::Other),
        (
            406,
            "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out",
            Loss::AcknowledgementTimeout,
        ),
        (405, "cannot obtain exclusive access to locked queue 'q' in vhost '/'", Loss::Locked),
    ] {
        assert_eq!(lost(code, text), wanted, "{text}");
    }
    let unasked =
        reply(505, "unexpected basic consume-ok received on channel 1, was awaiting for None");
    assert!(
        matches!(&unasked, AmqpError::Protocol(violation) if violation.breach == Breach::Unasked),
        "{unasked:?}"
    );
}

#[test]
fn a_refusal_that_needs_its_own_answer_is_known() {
    for (code, text, wanted) in [
        (404, "NOT_FOUND - no queue 'q' in vhost '/'", Refusal::NotFound(Missing::Queue)),
        (404, "NOT_FOUND - no exchange 'e' in vhost '/'", Refusal::NotFound(Missing::Exchange)),
        (530, "NOT_ALLOWED - vhost x not found", Refusal::NotFound(Missing::Vhost)),
        (530, "NOT_ALLOWED - access to vhost 'x' refused for user 'u'", Refusal::NoAccess),
        (403, "queue name 'amq.foo' contains reserved prefix 'amq.*'", Refusal::Reserved),
        (
            403,
            "Login was refused using authentication mechanism PLAIN",
            Refusal::NotPermitted(None),
        ),
        (503, "COMMAND_INVALID - unknown exchange type 'x'", Refusal::UnknownExchangeType),
        (406, "unknown exchange type 'x'", Refusal::UnknownExchangeType),
        (406, "queue 'q' in vhost '/' not empty", Refusal::NotEmpty),
        (406, "exchange 'e' in vhost '/' in use", Refusal::InUse),
        (
            406,
            "cannot declare queue 'q': queue limit in vhost '/' (1) is reached",
            Refusal::Precondition,
        ),
        (541, "Feature `transient_nonexcl_queues` is deprecated.", Refusal::Deprecated),
        (540, "NOT_IMPLEMENTED - x", Refusal::NotImplemented),
        (402, "INVALID_PATH - x", Refusal::Unknown),
    ] {
        assert_eq!(refused(code, text), wanted, "{text}");
    }
}

#[test]
fn an_alarm_has_an_operators_name() {
    assert_eq!(
        ["low on memory", "low on disk", "x"].map(alarm),
        ["memory alarm", "disk alarm", "x"]
    );
}
