//! Converts the broker's values of arguments to the spelling of options.

use rmq_common::duration::Limit;
use std::time::Duration;

/// Milliseconds.
pub fn time(text: &str) -> String {
    let time = text.parse().ok().map(|time| Limit::For(Duration::from_millis(time)).to_string());
    time.unwrap_or_else(|| text.to_owned())
}

pub fn delivery_limit(text: &str) -> String {
    if text == "-1" { "unlimited" } else { text }.to_owned()
}
