//! How to fix differences, because a declaration cannot change what exists. A command is given in
//! full or not at all.

use crate::queue::exchange;
use crate::queue::queue_arguments::{GROUP_SIZE, Policy, TYPE, row_of};
use crate::refusal::differences::Difference;
use crate::values::argument_value::{json, plain};
use crate::values::shell;
use rmq_common::amqp_error::Value;
use serde_json::{Map, Value as Json};

#[derive(Clone, Copy)]
pub struct Place<'a> {
    pub vhost: &'a str,
    /// Of the queue or the exchange.
    pub name: &'a str,
    /// Whether the queue is or may be classic: then it can be deleted on a condition.
    pub may_be_classic: bool,
}

/// How to fix these differences of a queue.
pub fn of_queue(place: Place<'_>, differences: &[Difference]) -> String {
    let Place { vhost, name, may_be_classic } = place;
    let vhost_word = shell::word(vhost);
    let delete = match may_be_classic {
        true => format!(
            "use another name, or delete it if it is empty and unused, and declare it again \
             (rmq-declare -p {vhost_word} --delete --if-empty --if-unused {})",
            shell::name(name)
        ),
        false => format!(
            "use another name, or delete it with its messages and declare it again (rmq-declare \
             -p {vhost_word} --delete {})",
            shell::name(name)
        ),
    };
    if differences.iter().any(|it| it.argument == TYPE) {
        return format!("the type of a queue cannot be changed: {delete}");
    }
    if let [Difference { argument, current: Value::Is(current), .. }] = differences
        && argument == GROUP_SIZE
    {
        return format!(
            "this is only the initial number: use --group-size {current}, and change the members \
             of the queue (rabbitmq-queues add_member -p {vhost_word} {} NODE)",
            shell::word(name)
        );
    }
    policy(differences, |it| row_of(&it.argument).map_or(Policy::Cannot, |row| row.policy))
        .map(|(what, definition)| format!("{what} ({})", set_policy(place, "queues", definition)))
        .unwrap_or_else(|| format!("it cannot be changed while the queue exists: {delete}"))
}

/// How to fix these differences of an exchange.
pub fn of_exchange(place: Place<'_>, differences: &[Difference]) -> String {
    let is = |it: &Difference| match &*it.argument {
        "alternate-exchange" => Policy::Gives,
        _ => Policy::Cannot,
    };
    match policy(differences, is) {
        Some((what, definition)) => {
            format!("{what} ({})", set_policy(place, "exchanges", definition))
        }
        None => format!(
            "an existing exchange cannot be changed: use another name, or delete it if nothing is \
             bound to it, and declare it again ({})",
            exchange::deletion(place.vhost, place.name)
        ),
    }
}

/// What a policy does about all differences, and its definition; `None` if one remains.
fn policy(
    differences: &[Difference],
    of: impl Fn(&Difference) -> Policy,
) -> Option<(String, Map<String, Json>)> {
    let mut definition = Map::new();
    let (mut names, mut lowers, mut gives) = (Vec::new(), false, false);
    for difference in differences {
        let name = difference.argument.strip_prefix("x-").unwrap_or(&difference.argument);
        let asked = difference.asked.as_ref()?;
        match (of(difference), &difference.current) {
            (Policy::Gives | Policy::Lowers, Value::None) => gives = true,
            (Policy::Lowers, Value::Is(current)) if is_lower(&plain(asked), current) => {
                lowers = true;
            }
            _ => return None,
        }
        names.push(name);
        definition.insert(name.to_owned(), json(asked));
    }
    let names = names.join(", ");
    let does = match (gives, lowers) {
        (true, false) => "set it",
        (false, true) => "lower it",
        _ => "do that",
    };
    (!definition.is_empty())
        .then(|| (format!("a policy ({names}) can {does} without a new declaration"), definition))
}

/// The command that sets a policy for only this queue or exchange.
fn set_policy(place: Place<'_>, apply_to: &str, definition: Map<String, Json>) -> String {
    let Place { vhost, name, .. } = place;
    let pattern = name.chars().fold("^".to_owned(), |mut pattern, letter| {
        if letter.is_ascii_punctuation() && letter != '_' && letter != '-' {
            pattern.push('\\');
        }
        pattern.push(letter);
        pattern
    }) + "$";
    format!(
        "rabbitmqctl set_policy -p {} --apply-to {apply_to} {} {} {}",
        shell::word(vhost),
        shell::name(name),
        shell::word(&pattern),
        shell::word(&Json::Object(definition).to_string())
    )
}

fn is_lower(asked: &str, current: &str) -> bool {
    match (asked.parse::<i64>(), current.parse()) {
        (Ok(asked), Ok(current)) => (0..current).contains(&asked),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::argument_value::long;
    use lapin::types::AMQPValue;

    const PLACE: Place<'_> = Place { vhost: "/", name: "jobs", may_be_classic: false };

    fn is(text: &str) -> Value {
        Value::Is(text.to_owned())
    }

    fn difference(argument: &str, current: Value, asked: Option<AMQPValue>) -> Difference {
        Difference { argument: argument.to_owned(), current, asked }
    }

    fn remedy(argument: &str, current: Value, asked: Option<i64>) -> String {
        let asked = asked.map(AMQPValue::LongLongInt);
        of_queue(PLACE, &[difference(argument, current, asked)])
    }

    #[test]
    fn a_policy_is_advised_only_if_it_helps_and_then_with_its_command() {
        let wanted = "a policy (max-length) can set it without a new declaration (rabbitmqctl \
                      set_policy -p / --apply-to queues jobs '^jobs$' '{\"max-length\":5}')";
        assert_eq!(remedy("x-max-length", Value::None, Some(5)), wanted);
        assert!(remedy("x-max-length", is("10"), Some(5)).contains("(max-length) can lower it"));
        // The smaller of the two applies, so no policy can raise it.
        for (argument, current, asked) in [
            ("x-max-length", is("10"), Some(20)),
            ("x-max-length", is("10"), None),
            ("x-delivery-limit", is("10"), Some(-1)),
            ("x-overflow", is("drop-head"), None),
            ("x-single-active-consumer", Value::None, Some(1)),
            ("x-max-length", Value::CutOff, Some(5)),
        ] {
            let remedy = remedy(argument, current, asked);
            assert!(remedy.contains("cannot be changed"), "{argument}: {remedy}");
            assert!(remedy.contains("(rmq-declare -p / --delete jobs)"), "{remedy}");
            assert!(remedy.contains("delete it with its messages"), "{remedy}");
        }
        let both = [
            difference("x-max-length", is("10"), Some(AMQPValue::LongLongInt(5))),
            difference("x-overflow", Value::None, Some(long("reject-publish"))),
        ];
        let message = of_queue(PLACE, &both);
        assert!(message.starts_with("a policy (max-length, overflow) can do that"), "{message}");
        let one_left = [&both[..], &[difference("x-expires", is("5"), None)]].concat();
        assert!(of_queue(PLACE, &one_left).contains("cannot be changed"));
    }

    #[test]
    fn the_type_and_the_members_have_remedies_of_their_own() {
        let classic = Place { may_be_classic: true, ..PLACE };
        let both = [
            difference(TYPE, is("classic"), Some(long("quorum"))),
            difference("x-max-length", Value::None, Some(AMQPValue::LongLongInt(5))),
        ];
        let message = of_queue(classic, &both);
        assert!(message.starts_with("the type of a queue cannot be changed"), "{message}");
        assert!(message.contains("--delete --if-empty --if-unused jobs)"), "{message}");
        assert!(message.contains("delete it if it is empty and unused"), "{message}");
        assert!(!message.contains("with its messages"), "{message}");
        let members = remedy(GROUP_SIZE, is("3"), Some(5));
        assert!(
            members.contains("--group-size 3") && members.contains("add_member -p / jobs NODE")
        );
    }

    #[test]
    fn an_odd_name_is_one_word_and_its_pattern_matches_nothing_else() {
        let place = Place { vhost: "a b", name: "x.y it's", may_be_classic: false };
        let message = of_queue(place, &[difference("x-max-length", Value::None, Some(long("5")))]);
        assert!(
            message.contains(r"-p 'a b' --apply-to queues 'x.y it'\''s' '^x\.y it\'\''s$'"),
            "{message}"
        );
    }

    #[test]
    fn an_exchange_is_given_an_alternate_one_and_nothing_else() {
        let alternate = difference("alternate-exchange", Value::None, Some(long("lost")));
        let message = of_exchange(PLACE, std::slice::from_ref(&alternate));
        assert!(message.contains("set_policy -p / --apply-to exchanges jobs"), "{message}");
        let kind = difference("type", is("topic"), Some(long("fanout")));
        let remedy = of_exchange(PLACE, &[kind, alternate]);
        assert!(remedy.contains("use another name, or delete it if nothing is bound to it"));
        assert!(remedy.ends_with("(rmq-declare -p / --delete --if-unused --exchange jobs)"));
    }
}
