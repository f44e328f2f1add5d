//! Numbers with nouns, for diagnostics.

/// `1 record`, `3 records`.
pub fn counted(count: u64, noun: &str) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{end}")
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn one_is_singular_and_any_other_number_plural() {
        let said = [0, 1, 2].map(|count| counted(count, "message"));
        assert_eq!(said, ["0 messages", "1 message", "2 messages"]);
    }
}
