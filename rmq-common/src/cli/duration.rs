//! Durations in human-readable form: `0`, `500ms`, `30s`, `5m`, `2h`, `1d`, `forever`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A time limit, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// At most this long.
    For(Duration),
    /// Without limit.
    Forever,
}

impl Limit {
    /// Whether `elapsed` exceeds it.
    pub fn is_over(&self, elapsed: Duration) -> bool {
        match self {
            Limit::For(limit) => elapsed >= *limit,
            Limit::Forever => false,
        }
    }

    /// The rest after `elapsed`; `None` means no limit.
    pub fn left(&self, elapsed: Duration) -> Option<Duration> {
        match self {
            Limit::For(limit) => Some(limit.saturating_sub(elapsed)),
            Limit::Forever => None,
        }
    }
}

/// The units, largest first, in milliseconds.
const UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Parses a duration: a whole number and a unit (`ms`, `s`, `m`, `h`, `d`); a bare number is
/// seconds.
///
/// # Errors
/// A sentence that describes the form.
pub fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let scale = match unit {
        "" => Some(1_000),
        unit => UNITS.iter().find(|(name, _)| *name == unit).map(|(_, scale)| *scale),
    };
    let milliseconds = match (number.parse::<u64>(), scale) {
        (Ok(number), Some(scale)) => number.checked_mul(scale),
        _ => None,
    };
    milliseconds
        .map(Duration::from_millis)
        .ok_or_else(|| format!("'{text}' is not a duration; write 500ms, 30s, 5m, 2h or 1d"))
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "forever" {
            return Ok(Limit::Forever);
        }
        match parse(text) {
            Ok(duration) => Ok(Limit::For(duration)),
            Err(problem) => Err(format!("{problem}, or forever")),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Limit::For(duration) = self else {
            return f.write_str("forever");
        };
        let milliseconds = duration.as_millis();
        if milliseconds == 0 {
            return f.write_str("0s");
        }
        let whole = UNITS.iter().find(|(_, scale)| milliseconds % u128::from(*scale) == 0);
        match whole {
            Some((unit, scale)) => write!(f, "{}{unit}", milliseconds / u128::from(*scale)),
            None => write!(f, "{milliseconds}ms"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_a_number_and_a_unit() {
        let table = [
            ("0", 0),
            ("30", 30_000),
            ("30s", 30_000),
            ("500ms", 500),
            ("5m", 300_000),
            ("2h", 7_200_000),
            ("1d", 86_400_000),
        ];
        for (text, milliseconds) in table {
            assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "s", "-1s", "5 m", "5min", "1.5s", "99999999999999999999s"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!("forever".parse(), Ok(Limit::Forever));
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back_as_the_same(milliseconds in 0u64..u64::MAX / 2) {
            let limit = Limit::For(Duration::from_millis(milliseconds));
            prop_assert_eq!(limit.to_string().parse(), Ok(limit));
        }
    }
}
