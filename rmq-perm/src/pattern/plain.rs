//! Patterns that are so simple that every broker accepts them, and that need not be checked there:
//! a file with 10,000 patterns would otherwise take longer to check than to apply.

/// The longest simple pattern, far below what PCRE may find too large.
const LONGEST: usize = 512;
/// The deepest nesting of groups, for the same reason.
const DEEPEST: usize = 16;

/// Whether `pattern` consists only of letters, digits, characters without a special meaning,
/// escaped punctuation, `.`, `.*`, `.+`, `^`, `$`, `|` and groups of these.
pub fn is_plain(pattern: &str) -> bool {
    let mut rest = pattern.as_bytes();
    let mut depth = 0_usize;
    loop {
        rest = match rest {
            [] => return depth == 0 && pattern.len() <= LONGEST,
            [b'.', b'*' | b'+', rest @ ..] => rest,
            // Not `\_`: it counts as a letter, and escaped letters have meanings.
            [b'\\', mark, rest @ ..] if mark.is_ascii_punctuation() && *mark != b'_' => rest,
            [b'(', rest @ ..] if depth < DEEPEST => {
                depth += 1;
                rest
            }
            [b')', rest @ ..] if depth > 0 => {
                depth -= 1;
                rest
            }
            [b'.' | b'^' | b'$' | b'|' | b'_' | b'-' | b':' | b'/' | b'@' | b',', rest @ ..] => {
                rest
            }
            [letter, rest @ ..] if letter.is_ascii_alphanumeric() => rest,
            _ => return false,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_could_be_refused_is_not_plain() {
        for plain in ["", ".*", "^a\\.b-c$", "^(orders|billing)\\..+$", "a(b(c)|)", "amq.default"] {
            assert!(is_plain(plain), "{plain}");
        }
        let long = "a".repeat(LONGEST + 1);
        let deep = format!("{}{}", "(".repeat(DEEPEST + 1), ")".repeat(DEEPEST + 1));
        for other in [
            "(", ")", "a)(b", "(?", "(*UTF)", "*", "+", "a*", ".**", ".*?", "^*", "a{2", "[a",
            "\\", "\\Q", "\\1", "\\_", "ü", "a\0", "(|)*", &long, &deep,
        ] {
            assert!(!is_plain(other), "{other}");
        }
    }

    proptest! {
        #[test]
        fn erlangs_own_library_takes_whatever_is_plain(
            parts in prop::collection::vec(
                prop::sample::select(vec![
                    ".", ".*", ".+", "^", "$", "|", "(", ")", "a", "Q", "E", "9", "\\.", "\\*", "\\(",
                    "\\\\", "\\-", "_", "-", ":", "/", "@", ",", "*", "?", "[", "\\", "{", "=", "#",
                ]),
                0..24,
            ),
        ) {
            let pattern = parts.concat();
            let taken = pcre2::bytes::RegexBuilder::new().build(&pattern).is_ok();
            prop_assert!(taken || !is_plain(&pattern), "{}", pattern);
        }
    }
}
