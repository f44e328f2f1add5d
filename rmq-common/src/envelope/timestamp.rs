//! Times in human-readable form, in AMQP's seconds.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Seconds since 1970 of a time like `2026-11-23T12:00:00Z` or `2026-11-23T13:00:00+01:00` (RFC
/// 3339). Fractions of a second are dropped.
pub fn parse(text: &str) -> Option<u64> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    u64::try_from(time.unix_timestamp()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_is_a_time_or_none(
            text in "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,12})?\
                     (Z|[+-][0-9]{2}:[0-9]{2})|\\PC{0,30}",
        ) {
            // The last second of the year 9999, RFC 3339's last, plus a day for the offset.
            prop_assert!(parse(&text).is_none_or(|seconds| seconds <= 253_402_300_799 + 86_400));
        }
    }
}
