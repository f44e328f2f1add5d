//! Input for the tools, and accounts of what became of it.

use std::collections::BTreeMap;
use std::fs;

/// `count` lines of this machine's own logs, with line ends, repeated if necessary; if there are no
/// logs, of the licences on every Debian system.
///
/// # Panics
/// When this machine has neither.
pub fn log_lines(count: usize) -> Vec<u8> {
    const FILES: [&str; 5] = [
        "/var/log/dpkg.log",
        "/var/log/alternatives.log",
        "/var/log/syslog",
        "/usr/share/common-licenses/GPL-3",
        "/usr/share/common-licenses/Apache-2.0",
    ];
    let text: Vec<u8> = FILES.iter().filter_map(|file| fs::read(file).ok()).flatten().collect();
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    // A log's last line may be incomplete; it would merge with the next.
    let whole = lines.iter().copied().filter(|line| line.ends_with(b"\n"));
    assert!(whole.clone().count() > 100, "no text on this machine: {FILES:?}");
    whole.cycle().take(count).collect::<Vec<_>>().concat()
}

/// The lines of `text`, without their ends.
pub fn lines(text: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    if lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    lines
}

/// `count` numbered lines, each of which shows whether it is complete.
pub fn numbered(count: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(count * 64);
    for number in 0..count {
        // Lengths differ, so that no two tears look alike.
        let body = format!("{number}:{}", "x".repeat(number * 7 % 60));
        text.extend_from_slice(checked(&body).as_bytes());
    }
    text
}

/// How often each numbered line is in `text`. A killed writer may leave the beginning of a line,
/// directly followed by the next writer's first line: only what follows the last `#` counts.
pub fn account(text: &[u8]) -> Account {
    let mut account = Account::default();
    for line in lines(text) {
        let start = line.iter().rposition(|byte| *byte == b'#').unwrap_or(0);
        match number(&line[start..]) {
            Some(number) => *account.times.entry(number).or_default() += 1,
            None => account.torn += 1,
        }
        account.torn += usize::from(start > 0);
    }
    account
}

/// The result of [`account`].
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// How often each line occurs.
    pub times: BTreeMap<usize, usize>,
    /// Pieces of lines.
    pub torn: usize,
}

impl Account {
    /// The missing lines among the first `count`.
    pub fn missing(&self, count: usize) -> Vec<usize> {
        (0..count).filter(|number| !self.times.contains_key(number)).collect()
    }

    /// Complete lines, each counted as often as it occurs.
    pub fn total(&self) -> usize {
        self.times.values().sum()
    }

    /// Duplicates: every occurrence of a line after the first.
    pub fn duplicates(&self) -> usize {
        self.total() - self.times.len()
    }
}

/// The numbers of complete [`numbered`] lines, in order.
pub fn numbers(text: &[u8]) -> Vec<usize> {
    lines(text).into_iter().filter_map(number).collect()
}

fn number(line: &[u8]) -> Option<usize> {
    let (number, _) = unchecked(line)?.split_once(':')?;
    number.parse().ok()
}

/// A line, with its end, that shows whether it is complete.
pub fn checked(body: &str) -> String {
    format!("#{:08x}:{body}\n", sum(body.as_bytes()))
}

/// The body of a [`checked`] line, given without its end, if it is complete.
pub fn unchecked(line: &[u8]) -> Option<&str> {
    let line = std::str::from_utf8(line).ok()?.strip_prefix('#')?;
    let (checksum, body) = line.split_once(':')?;
    (u32::from_str_radix(checksum, 16) == Ok(sum(body.as_bytes()))).then_some(body)
}

/// Adler-32 (RFC 1950): enough to detect a torn line, and six lines long.
fn sum(bytes: &[u8]) -> u32 {
    let (low, high) = bytes.iter().fold((1, 0), |(low, high): (u32, u32), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    high << 16 | low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_is_told_from_the_whole_one_behind_it() {
        let text = numbered(3);
        let whole = account(&text);
        assert_eq!((whole.total(), whole.duplicates(), whole.torn), (3, 0, 0));
        let torn = account(&[&text[..text.len() - 4], &text[..]].concat());
        assert_eq!((torn.total(), torn.duplicates(), torn.torn), (5, 2, 1));
        assert_eq!(account(&text[..text.len() - 4]).missing(3), [2]);
    }
}
