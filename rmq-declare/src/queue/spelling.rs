//! Converts the broker's values of arguments to the spelling of options.

use crate::queue::queue_arguments::{DELIVERY_LIMIT, MAX_AGE};
use rmq_common::declaration::age;
use rmq_common::duration::Limit;
use std::time::Duration;

/// Arguments in milliseconds.
const TIMES: [&str; 6] = [
    "x-message-ttl",
    "x-expires",
    "x-consumer-timeout",
    "x-consumer-disconnected-timeout",
    "x-delayed-retry-min",
    "x-delayed-retry-max",
];

/// The value `text` of `argument`, as its option spells it.
pub fn spelt(argument: &str, text: &str) -> String {
    let milliseconds = || text.parse().ok().map(Duration::from_millis);
    match argument {
        DELIVERY_LIMIT if text == "-1" => "unlimited".to_owned(),
        MAX_AGE => age(text),
        _ if TIMES.contains(&argument) => match milliseconds() {
            Some(time) => Limit::For(time).to_string(),
            None => text.to_owned(),
        },
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::option_value;

    #[test]
    fn a_value_is_spelt_as_its_option_reads_it() {
        assert_eq!(spelt("x-message-ttl", "60000"), "1m");
        assert_eq!(option_value::message_ttl(&spelt("x-message-ttl", "0")), Ok(0));
        assert_eq!(option_value::expires(&spelt("x-expires", "90001")), Ok(90_001));
        assert_eq!(spelt("x-delivery-limit", "-1"), "unlimited");
        assert_eq!(spelt("x-delivery-limit", "5"), "5");
        assert_eq!(spelt("x-max-age", "604800000"), "7D");
        assert_eq!(spelt("x-max-age", "5400000"), "90m");
        assert_eq!(spelt("x-max-age", "1Y"), "1Y");
        assert_eq!(spelt("x-max-length", "60000"), "60000");
    }
}
