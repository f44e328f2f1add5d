//! What can be done about a difference, because a declaration cannot change a queue that is there.

use crate::inequivalent::Value;
use crate::queue_arguments::{GROUP_SIZE, Policy, TYPE, row_of};

/// What can be done about the argument `argument` of a queue, which is `current` and was `asked`
/// for.
pub fn of_queue(argument: &str, current: &Value, asked: Option<i64>) -> String {
    let policy = row_of(argument).map_or(Policy::Cannot, |row| row.policy);
    let name = argument.strip_prefix("x-").unwrap_or(argument);
    match (policy, current) {
        (Policy::Gives | Policy::Lowers, Value::None) => format!(
            "a policy ({name}) can give it one without a new declaration (rabbitmq.com/docs/policies)"
        ),
        (Policy::Lowers, Value::Is(value)) if is_lower(asked, value) => format!(
            "a policy ({name}) can lower it without a new declaration (rabbitmq.com/docs/policies)"
        ),
        _ if argument == TYPE => "the type of a queue cannot be changed: declare one of another \
                                  name, or move the messages, delete it and declare it again"
            .to_owned(),
        _ if argument == GROUP_SIZE => "it is the number to begin with; rabbitmq-queues grow and \
                                        shrink change the members of a queue that is there"
            .to_owned(),
        _ => "it cannot be changed while the queue is there: declare one of another name, or \
              delete it and declare it again"
            .to_owned(),
    }
}

/// What can be done about a difference of an exchange.
pub fn of_exchange(argument: &str, current: &Value) -> String {
    match (argument, current) {
        ("alternate-exchange", Value::None) => "a policy (alternate-exchange) can give it one \
                                                without a new declaration \
                                                (rabbitmq.com/docs/policies)"
            .to_owned(),
        _ => "an exchange that is there cannot be changed: declare one of another name, or delete \
              it, with its bindings, and declare it again"
            .to_owned(),
    }
}

fn is_lower(asked: Option<i64>, current: &str) -> bool {
    match (asked, current.parse()) {
        (Some(asked), Ok(current)) => (0..current).contains(&asked),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_told_only_where_it_helps() {
        let is = |text: &str| Value::Is(text.to_owned());
        let remedy = |argument, current: Value, asked| of_queue(argument, &current, asked);
        assert!(remedy("x-max-length", Value::None, Some(5)).contains("(max-length) can give"));
        assert!(remedy("x-max-length", is("10"), Some(5)).contains("(max-length) can lower"));
        // The smaller of the two holds, so no policy can raise it.
        for (argument, current, asked) in [
            ("x-max-length", is("10"), Some(20)),
            ("x-max-length", is("10"), None),
            ("x-delivery-limit", is("10"), Some(-1)),
            ("x-overflow", is("drop-head"), None),
            ("x-single-active-consumer", Value::None, None),
            ("x-max-length", Value::CutOff, Some(5)),
        ] {
            assert!(remedy(argument, current, asked).contains("cannot be changed"), "{argument}");
        }
        assert!(remedy("x-overflow", Value::None, None).contains("(overflow) can give"));
        assert!(remedy("x-queue-type", is("classic"), None).contains("type of a queue cannot"));
        assert!(remedy(GROUP_SIZE, is("3"), Some(5)).contains("grow"));
    }
}
