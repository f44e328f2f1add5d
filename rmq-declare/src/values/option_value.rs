//! The values of options, converted to RabbitMQ's units.

use rmq_common::duration;
use rmq_common::size;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// The longest duration RabbitMQ accepts: ten years of 365 days, in milliseconds
/// (`MAX_EXPIRY_TIMER` in its `rabbit_misc`, 3.10 to 4.3).
const LONGEST_EXPIRY: i64 = 315_360_000_000;

/// `--delivery-limit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryLimit {
    /// A message may come back this many times; the next time it is dropped or dead-lettered.
    At(i64),
    Unlimited,
}

impl DeliveryLimit {
    /// As in `x-delivery-limit` from RabbitMQ 4.0 on. Earlier releases drop a message the first
    /// time it comes back with -1, so see
    /// [`Shape::arguments`](crate::queue::shape::Shape::arguments).
    pub fn value(self) -> i64 {
        match self {
            DeliveryLimit::At(limit) => limit,
            DeliveryLimit::Unlimited => -1,
        }
    }
}

impl FromStr for DeliveryLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "unlimited" => Ok(DeliveryLimit::Unlimited),
            text => {
                number(text).map(DeliveryLimit::At).map_err(|why| format!("{why}, or unlimited"))
            }
        }
    }
}

/// A count, from 0.
pub fn number(text: &str) -> Result<i64, String> {
    // i64's parser also accepts signs.
    match text.parse() {
        Ok(number) if text.bytes().all(|b| b.is_ascii_digit()) => Ok(number),
        _ => Err(format!("'{text}' is not a whole number from 0")),
    }
}

/// A count, from 1.
pub fn at_least_one(text: &str) -> Result<i64, String> {
    match number(text) {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("'{text}' is not a whole number from 1")),
    }
}

/// `--message-ttl`, in milliseconds; with 0, only messages that a consumer gets at once survive.
pub fn message_ttl(text: &str) -> Result<i64, String> {
    milliseconds(text)
}

/// `--expires`, in milliseconds, from 1.
pub fn expires(text: &str) -> Result<i64, String> {
    match milliseconds(text) {
        Ok(0) => Err("a queue cannot expire at once; give at least 1ms".to_owned()),
        other => other,
    }
}

fn milliseconds(text: &str) -> Result<i64, String> {
    let duration = duration::parse(text)?;
    let milliseconds = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    if milliseconds > 0 && text.bytes().all(|b| b.is_ascii_digit()) {
        // A bare number is seconds in our other options and milliseconds in every RabbitMQ guide. A
        // wrong guess would be off by a factor of a thousand, and cannot be changed later.
        return Err(format!("write {text}ms or {text}s, whichever is meant"));
    }
    if milliseconds > LONGEST_EXPIRY {
        return Err(format!("{text} is longer than the ten years (3650d) RabbitMQ takes"));
    }
    Ok(milliseconds)
}

/// `--consumer-timeout` and the like, in milliseconds, from 1.
pub fn timeout(text: &str) -> Result<i64, String> {
    match milliseconds(text) {
        Ok(0) => Err("give at least 1ms".to_owned()),
        other => other,
    }
}

/// `--max-age` in RabbitMQ's spelling: `D` for days (we also accept `d`), months (`M`) of 30 days
/// and years (`Y`) of 365.
pub fn max_age(text: &str) -> Result<String, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = text.split_at(digits);
    let unit = match unit {
        "d" => "D",
        "s" | "m" | "h" | "D" | "M" | "Y" => unit,
        _ => {
            return Err(format!(
                "'{text}' is not an age; write 30s, 5m, 2h, 7d, 6M (months) or 1Y"
            ));
        }
    };
    // RabbitMQ compares ages as strings up to 4.2, so each needs one spelling.
    match count.parse::<u32>() {
        Ok(count @ 1..) => Ok(format!("{count}{unit}")),
        _ => Err(format!("'{text}' is not an age: it must begin with a number from 1")),
    }
}

pub fn bytes(text: &str) -> Result<i64, String> {
    let bytes = size::parse(text)?;
    i64::try_from(bytes).map_err(|_| format!("'{text}' is more than RabbitMQ counts"))
}

/// `--max-segment-bytes`: the maximum is that of `rabbit_stream_queue`, 3.10 to 4.3.
pub fn segment_bytes(text: &str) -> Result<i64, String> {
    match bytes(text)? {
        size @ 1..=3_000_000_000 => Ok(size),
        _ => Err(format!("'{text}' is not a size of 1-3000000000 bytes")),
    }
}

/// `--filter-bytes`: the range of <https://www.rabbitmq.com/docs/streams#filtering>.
pub fn filter_bytes(text: &str) -> Result<i64, String> {
    within(text, 16..=255)
}

/// `--max-priority`: the range of <https://www.rabbitmq.com/docs/priority>.
pub fn max_priority(text: &str) -> Result<i64, String> {
    within(text, 0..=255)
}

pub fn queue_version(text: &str) -> Result<i64, String> {
    within(text, 1..=2)
}

fn within(text: &str, range: RangeInclusive<i64>) -> Result<i64, String> {
    match number(text) {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(format!("'{text}' is not a whole number {}-{}", range.start(), range.end())),
    }
}

pub fn overflow(text: &str) -> Result<String, String> {
    one_of(text, &["drop-head", "reject-publish", "reject-publish-dlx"])
}

pub fn queue_mode(text: &str) -> Result<String, String> {
    one_of(text, &["default", "lazy"])
}

pub fn master_locator(text: &str) -> Result<String, String> {
    one_of(text, &["client-local", "min-masters", "random"])
}

pub fn delayed_retry_type(text: &str) -> Result<String, String> {
    one_of(text, &["disabled", "all", "failed", "returned"])
}

pub fn dead_letter_strategy(text: &str) -> Result<String, String> {
    one_of(text, &["at-most-once", "at-least-once"])
}

pub fn leader_locator(text: &str) -> Result<String, String> {
    one_of(text, &["client-local", "balanced", "least-leaders", "random"])
}

fn one_of(text: &str, values: &[&str]) -> Result<String, String> {
    match values.contains(&text) {
        true => Ok(text.to_owned()),
        false => Err(format!("'{text}' is not one of {}", values.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_needs_its_unit_because_rabbitmq_counts_milliseconds_and_we_seconds() {
        assert_eq!(message_ttl("0"), Ok(0));
        assert_eq!(message_ttl("60s"), Ok(60_000));
        assert_eq!(message_ttl("500ms"), Ok(500));
        assert!(message_ttl("60000").unwrap_err().contains("60000ms or 60000s"));
        assert!(message_ttl("60 s").is_err());
    }

    #[test]
    fn a_time_is_at_most_ten_years_and_an_expiry_at_least_a_millisecond() {
        assert_eq!(expires("3650d"), Ok(LONGEST_EXPIRY));
        assert!(expires("3651d").is_err());
        assert!(message_ttl("3651d").is_err());
        assert!(expires("0").is_err());
    }

    #[test]
    fn a_delivery_limit_is_a_count_or_unlimited() {
        assert_eq!("0".parse(), Ok(DeliveryLimit::At(0)));
        assert_eq!("unlimited".parse(), Ok(DeliveryLimit::Unlimited));
        for text in ["-1", "+1", "", "none", "9223372036854775808"] {
            assert!(text.parse::<DeliveryLimit>().is_err(), "{text}");
        }
    }

    #[test]
    fn words_that_rabbitmq_does_not_know_are_refused() {
        assert!(overflow("reject").unwrap_err().contains("drop-head, reject-publish"));
        assert!(queue_mode("eager").is_err());
        assert!(master_locator("balanced").is_err());
        assert!(delayed_retry_type("none").unwrap_err().contains("disabled, all"));
        assert_eq!(at_least_one("0"), Err("'0' is not a whole number from 1".to_owned()));
    }

    #[test]
    fn an_age_is_spelt_as_rabbitmq_does() {
        for (text, spelt) in [("7d", "7D"), ("7D", "7D"), ("5m", "5m"), ("1M", "1M"), ("01h", "1h")]
        {
            assert_eq!(max_age(text), Ok(spelt.to_owned()));
        }
        for text in ["0d", "7", "d", "7w", "-1d", "500ms", "1.5h", "+1d"] {
            assert!(max_age(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_stay_in_the_ranges_rabbitmq_takes() {
        assert_eq!(filter_bytes("16"), Ok(16));
        assert!(filter_bytes("15").unwrap_err().contains("16-255"));
        assert!(segment_bytes("3000000001").is_err());
        assert_eq!((segment_bytes("2G"), bytes("20G")), (Ok(2 << 30), Ok(20 << 30)));
        assert_eq!((bytes("0"), bytes("1000")), (Ok(0), Ok(1000)));
        assert!(bytes("-1").is_err() && bytes("1.5G").is_err() && bytes("99999999T").is_err());
        for where_to in ["client-local", "balanced", "least-leaders", "random"] {
            assert_eq!(leader_locator(where_to).as_deref(), Ok(where_to));
        }
        assert!(max_priority("256").is_err());
        assert!(queue_version("3").is_err());
        assert!(timeout("0").is_err());
    }
}
