//! `--offset`: where in a stream to begin.

use lapin::types::{AMQPValue, FieldTable, ShortString};
use std::str::FromStr;

/// Where in a stream to begin (<https://www.rabbitmq.com/docs/streams#consuming>).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offset {
    /// `first`, `last` or `next`.
    Named(&'static str),
    /// A message's number.
    Number(u64),
    /// Seconds since 1970; the broker begins with the block of messages that has it.
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
            None => seconds(text),
        };
        // The broker's number is a signed one.
        let number = text.parse().ok().filter(|number| i64::try_from(*number).is_ok());
        number.map(Offset::Number).or(time.map(Offset::Time)).ok_or_else(|| {
            "neither first, last, next, a number, @SECONDS nor a time like 2026-11-23T12:00:00Z"
                .to_owned()
        })
    }
}

impl Offset {
    /// The argument that a consumer asks for it with.
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

/// Seconds since 1970 of `2026-11-23T12:00:00Z`, or with another distance from UTC than `Z`
/// (RFC 3339). Parts of a second are left out.
fn seconds(text: &str) -> Option<u64> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let numbers = |text: &str, between| -> Option<Vec<i64>> {
        let parts = text.split(between).map(|part| {
            let plain = part.len() >= 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse().ok().filter(|_| plain)
        });
        parts.collect()
    };
    let &[year, month, day] = &numbers(date, '-')?[..] else { return None };
    let zone = time.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = time.split_at(zone);
    let (time, part) = time.split_once('.').unwrap_or((time, "0"));
    let &[hour, minute, second] = &numbers(time, ':')?[..] else { return None };
    let east = match zone {
        "Z" | "z" => 0,
        _ => {
            let &[hours, minutes] = &numbers(&zone[1..], ':')?[..] else { return None };
            let seconds = (hours * 60 + minutes) * 60;
            if minutes > 59 || hours > 23 {
                return None;
            }
            if zone.starts_with('-') { -seconds } else { seconds }
        }
    };
    let plain = part.bytes().all(|byte| byte.is_ascii_digit()) && !part.is_empty();
    if !plain || hour > 23 || minute > 59 || second > 60 || year < 1970 {
        return None;
    }
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let month_days = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let month_index = usize::try_from(month).ok()?.checked_sub(1)?;
    if !(1..=*month_days.get(month_index)?).contains(&day) {
        return None;
    }
    let before = year - 1;
    let leap_days = before / 4 - before / 100 + before / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400);
    let days = (year - 1970) * 365 + leap_days + month_days[..month_index].iter().sum::<i64>();
    let days = days + day - 1;
    u64::try_from(((days * 24 + hour) * 60 + minute) * 60 + second - east).ok()
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
}
