//! `--offset`: where in a stream to begin.

use lapin::types::{AMQPValue, FieldTable, ShortString};
use rmq_common::timestamp;
use std::str::FromStr;

/// Where in a stream to begin (<https://www.rabbitmq.com/docs/streams#consuming>).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offset {
    /// `first`, `last` or `next`.
    Named(&'static str),
    /// A message's number.
    Number(u64),
    /// Seconds since 1970; the broker begins with the block of messages that contains this time.
    Time(u64),
}

impl FromStr for Offset {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = ["first", "last", "next"].into_iter().find(|name| *name == text);
        if let Some(name) = named {
            return Ok(Offset::Named(name));
        }
        let time = match text.strip_prefix('@') {
            Some(seconds) => seconds.parse().ok(),
            None => timestamp::parse(text),
        };
        // The broker's number is signed.
        let number = text.parse().ok().filter(|number| i64::try_from(*number).is_ok());
        number.map(Offset::Number).or(time.map(Offset::Time)).ok_or_else(|| {
            "expected first, last, next, a number, @SECONDS or a time such as 2026-11-23T12:00:00Z"
                .to_owned()
        })
    }
}

impl Offset {
    /// The consumer argument for it.
    pub fn argument(&self) -> FieldTable {
        let value = match self {
            Offset::Named(name) => AMQPValue::LongString((*name).into()),
            Offset::Number(number) => AMQPValue::LongLongInt(number.cast_signed()),
            Offset::Time(seconds) => AMQPValue::Timestamp(*seconds),
        };
        let mut arguments = FieldTable::default();
        if let Ok(name) = ShortString::try_new("x-stream-offset") {
            arguments.insert(name, value);
        }
        arguments
    }
}

/// Whether a consumer that was to continue at `next` and has received nothing for a moment is at
/// the end of a stream whose last block begins at this offset: a block is always delivered whole.
pub fn is_at_end(next: Option<&Offset>, last_block: u64) -> bool {
    match next {
        Some(Offset::Number(next)) => *next > last_block,
        Some(Offset::Named("next")) | None => true,
        Some(Offset::Named(_) | Offset::Time(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_offset_is_read() {
        for (text, wanted) in [
            ("first", Offset::Named("first")),
            ("next", Offset::Named("next")),
            ("0", Offset::Number(0)),
            ("17", Offset::Number(17)),
            ("@1700000000", Offset::Time(1_700_000_000)),
            ("1970-01-01T00:00:00Z", Offset::Time(0)),
            ("2023-11-14T22:13:20Z", Offset::Time(1_700_000_000)),
            ("2023-11-14T23:13:20.5+01:00", Offset::Time(1_700_000_000)),
            ("2023-11-14 16:43:20-05:30", Offset::Time(1_700_000_000)),
            ("2024-02-29T00:00:00Z", Offset::Time(1_709_164_800)),
            ("2000-03-01T00:00:00Z", Offset::Time(951_868_800)),
            ("2100-03-01T00:00:00Z", Offset::Time(4_107_542_400)),
        ] {
            assert_eq!(text.parse(), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_no_offset_is_refused() {
        for text in [
            "",
            "newest",
            "-1",
            "@",
            "@x",
            "99999999999999999999",
            "2023-02-29T00:00:00Z",
            "2023-13-01T00:00:00Z",
            "2023-11-14",
            "2023-11-14T22:13:20",
            "2023-11-14T24:00:00Z",
            "2023-11-14T22:13:20+25:00",
            "2023-1-1T00:00:00Z",
            "1960-01-01T00:00:00Z",
        ] {
            assert!(text.parse::<Offset>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_stream_is_at_its_end_once_its_last_block_has_come() {
        assert!(!is_at_end(Some(&Offset::Number(9)), 9));
        assert!(is_at_end(Some(&Offset::Number(10)), 9));
        assert!(is_at_end(Some(&Offset::Named("next")), 9));
        assert!(is_at_end(None, 9));
        assert!(!is_at_end(Some(&Offset::Named("first")), 9));
    }
}
