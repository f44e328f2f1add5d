//! Times of day as people write them, in seconds as AMQP counts them.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Seconds since 1970 of a time like `2026-11-23T12:00:00Z` or `2026-11-23T13:00:00+01:00`
/// (RFC 3339). Parts of a second are left out.
pub fn parse(text: &str) -> Option<u64> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    u64::try_from(time.unix_timestamp()).ok()
}
