//! What is parsed from the rest of a sentence.

use super::*;

/// From 3.10.8, and from 4.0.5 and 4.3.6.
#[test]
fn the_missing_permission_is_read_as_far_as_the_broker_names_it() {
    for (text, access, thing, name) in [
        ("access to queue 'q'", None, Thing::Queue, "q"),
        ("configure access to queue 'q'", Some(Access::Configure), Thing::Queue, "q"),
        ("write access to exchange 'dlx'", Some(Access::Write), Thing::Exchange, "dlx"),
        (
            "read access to queue 'refused for user '",
            Some(Access::Read),
            Thing::Queue,
            "refused for user ",
        ),
    ] {
        let said = format!("ACCESS_REFUSED - {text} in vhost '/v' refused for user 'subro'");
        let (name, user) = (name.to_owned(), Some("subro".to_owned()));
        let wanted = Refusal::NotPermitted(Some(Permission { access, thing, name, user }));
        assert_eq!(refused(403, &said), wanted);
    }
}

/// As 3.10.8, 4.0.5 and 4.3.6 write them.
#[test]
fn a_difference_names_the_argument_and_what_the_queue_has() {
    let table = [
        ("x-max-length received '11' but current is '10'", is("10")),
        ("x-delivery-limit received '7' but current is '-1'", is("-1")),
        ("x-overflow received 'reject-publish' but current is 'drop-head'", is("drop-head")),
        (
            "x-message-ttl received none but current is the value '60000' of type 'signedint'",
            is("60000"),
        ),
        (
            "x-expires received the value '600000' of type 'signedint' but current is none",
            Value::None,
        ),
        ("x-single-active-consumer received 'false' but current is 'true'", is("true")),
        (
            "x-queue-type received the value 'quorum' of type 'longstr' but current is none",
            Value::None,
        ),
        ("x-queue-type received 'quorum' but current is 'classic'", is("classic")),
        ("durable received 'true' but current is 'false'", is("false")),
        ("x-dead-letter-exchange received '' but current is 'x' but current is 'it's'", is("it's")),
        (
            "x-dead-letter-exchange received none but current is the value '' of type 'longstr'",
            is(""),
        ),
        ("x-a received 'a' but curr...", Value::CutOff),
        ("x-a received 'a' but current is 'lon...", is("lon...")),
    ];
    for (sentence, wanted) in table {
        let (argument, values) = sentence.split_once(' ').unwrap();
        for (thing, name) in [("queue", "t"), ("exchange", "e")] {
            let text = format!(
                "inequivalent arg '{argument}' for {thing} '{name}' in vhost '/': {values}"
            );
            let difference = difference(&text);
            assert_eq!(difference.argument, argument);
            assert_eq!(difference.current(name, "/"), wanted, "{sentence}");
        }
    }
}

#[test]
fn a_sentence_that_the_broker_cut_off_still_names_the_argument() {
    let name = "q".repeat(250);
    let text = format!("inequivalent arg 'x-max-length' for queue '{}...", &name[..150]);
    let difference = difference(&text);
    assert_eq!(difference.argument, "x-max-length");
    assert_eq!(difference.current(&name, "/"), Value::CutOff);
}

#[test]
fn an_argument_that_cannot_be_comes_with_the_brokers_reason() {
    for (text, wanted) in [
        (
            "invalid arg 'x-max-length' for queue 't' in vhost '/': {value_negative,-1}",
            Some("{value_negative,-1}"),
        ),
        (
            "invalid arg 'x-max-priority' for queue 't' in vhost '/' of queue type rabbit_quorum_queue",
            None,
        ),
    ] {
        match refused(406, text) {
            Refusal::Invalid(invalid) => assert_eq!(invalid.why("t", "/").as_deref(), wanted),
            other => panic!("{text}: {other:?}"),
        }
    }
}

proptest! {
    /// Names may contain the broker's own phrases, and a reply text is cut at 255 bytes.
    #[test]
    fn a_difference_is_read_whatever_the_names_are_and_wherever_it_is_cut_off(
        name in "(' in vhost '|' for queue '|: |but current is |\\PC){1,6}",
        vhost in "('|: received |\\PC){1,5}",
        value in "[a-z0-9]{1,9}", end in 0usize..300,
    ) {
        let text = format!(
            "inequivalent arg 'x-a' for queue '{name}' in vhost '{vhost}': received none but \
             current is the value '{value}' of type 'longstr'"
        );
        let said = difference(&text);
        prop_assert_eq!(&said.argument, "x-a");
        prop_assert_eq!(said.current(&name, &vhost), Value::Is(value));
        let cut: String = text.chars().take(end).collect();
        if let Refusal::Inequivalent(cut) = refused(406, &(cut + "...")) {
            let _ = cut.current(&name, &vhost);
        }
    }

    #[test]
    fn a_sentence_of_any_kind_breaks_nothing(
        code in prop_oneof![Just(403u16), Just(406), Just(530)],
        text in "(configure |write |read |access to |queue '|exchange '|' in vhost '|inequivalent arg '|\
                 invalid arg '|' for queue '| but current is |the value |' of type '|limit of \\(|\
                 ' refused for user '|'|\\PC){0,12}",
    ) {
        let _ = reply(code, &text).failure();
    }
}
