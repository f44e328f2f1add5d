//! Warns about patterns of permissions that probably match something unintended.
//!
//! Only the broker decides whether a pattern is a regular expression. The warnings are needed
//! because RabbitMQ matches a pattern anywhere in a name, which few users expect.

mod plain;
mod shown;

pub use plain::is_plain;
pub use shown::{NO_PATTERN, is_long, shown};

/// `pattern`, changed to match whole names only (`--anchor`).
pub fn anchored(pattern: &str) -> String {
    // `(*UCP)` and the like are valid only at the very beginning.
    let mut rest = pattern;
    while rest.starts_with("(*") {
        let Some(end) = rest.find(')') else { break };
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    // `a)|(b`, which the broker refuses, would become one that it accepts.
    if ["", ".*"].contains(&rest) || is_anchored_as_a_whole(rest) || !is_balanced(rest) {
        return pattern.to_owned();
    }
    let verbs = pattern.strip_suffix(rest).unwrap_or_default();
    format!("{verbs}^(?:{rest})$")
}

/// Possibly unintended matches of the pattern, a sentence for each.
pub fn warnings(pattern: &str) -> Vec<String> {
    let mut warnings = Vec::new();
    let parts = alternatives(pattern);
    let is_long = is_long(pattern);
    let shown = shown(pattern);
    if let [first, .., last] = &parts[..]
        && begins_anchored(first)
        && !ends_anchored(first)
        && ends_anchored(last)
        && !begins_anchored(last)
    {
        let inner = pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix('$'));
        let inner = inner.filter(|_| !is_long);
        let better = inner.map(|inner| format!("; write ^({inner})$")).unwrap_or_default();
        warnings.push(format!(
            "in '{shown}' the ^ and the $ each apply to one alternative only{better}"
        ));
    } else if parts.len() > 1 && parts.contains(&"") {
        warnings.push(format!("'{shown}' allows everything: one of its alternatives is empty"));
    } else if let Some(open) = parts.into_iter().find_map(open_part) {
        let example = match is_literal(open) && !is_long {
            true => format!("x{open}x"),
            false => "longer names".to_owned(),
        };
        warnings.push(format!(
            "'{shown}' also matches {example}: a pattern matches any part of a name; --anchor \
             makes it match whole names"
        ));
    }
    warnings.extend(separators(pattern));
    warnings
}

/// The part of an alternative that is not anchored, unless it allows everything.
fn open_part(alternative: &str) -> Option<&str> {
    match alternative.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        // One group around everything: its content decides.
        Some(inner) if closes_at_its_end(alternative) => {
            let inner = inner.strip_prefix("?:").unwrap_or(inner);
            alternatives(inner).into_iter().find_map(open_part)
        }
        _ => {
            let everything = ["", ".*", ".+"].contains(&alternative);
            let held = begins_anchored(alternative) || ends_anchored(alternative);
            (!everything && !held).then_some(alternative)
        }
    }
}

fn is_anchored_as_a_whole(pattern: &str) -> bool {
    let parts = alternatives(pattern);
    parts.iter().all(|part| begins_anchored(part) && ends_anchored(part))
}

/// Whether no group ends before it begins.
fn is_balanced(pattern: &str) -> bool {
    let (mut opened, mut closed, mut balanced) = (0_usize, 0_usize, true);
    scan(pattern, |character, _, _| {
        opened += usize::from(character == '(');
        closed += usize::from(character == ')');
        balanced &= closed <= opened;
    });
    balanced
}

fn begins_anchored(part: &str) -> bool {
    part.starts_with('^') || part.starts_with("\\A") || part.starts_with("\\G")
}

fn ends_anchored(part: &str) -> bool {
    let escapes = |text: &str| text.len() - text.trim_end_matches('\\').len();
    let ends = |anchor: &str| part.strip_suffix(anchor).map(escapes);
    ends("$").is_some_and(|before| before % 2 == 0)
        || ["\\z", "\\Z"].iter().any(|it| ends(it).is_some_and(|before| before % 2 == 0))
}

fn is_literal(part: &str) -> bool {
    part.chars().all(|c| c.is_alphanumeric() || "_-/:@#%&=".contains(c))
}

/// Commas and blanks, which separate nothing in a pattern.
fn separators(pattern: &str) -> Option<String> {
    let mut found = None;
    scan(pattern, |character, _, in_braces| {
        if (character == ',' && !in_braces) || character == ' ' {
            found = found.or(Some(character));
        }
    });
    let what = if found? == ',' { "comma" } else { "space" };
    let shown = shown(pattern);
    Some(format!(
        "the {what} in '{shown}' does not separate alternatives, but is matched itself; for \
         alternatives write a|b"
    ))
}

/// Whether the group at the start of `part` ends at the end of `part`.
fn closes_at_its_end(part: &str) -> bool {
    let (mut depths, mut count) = (Vec::new(), 0_usize);
    scan(part, |_, depth, _| {
        depths.push(depth);
        count += 1;
    });
    // No group is open only at the last character, the parenthesis.
    depths.iter().skip(1).take(count.saturating_sub(2)).all(|depth| *depth > 0)
}

/// The alternatives of the outermost level.
fn alternatives(pattern: &str) -> Vec<&str> {
    let mut ends = Vec::new();
    let mut at = 0;
    scan_positions(pattern, |position, character, depth, _| {
        if character == '|' && depth == 0 {
            ends.push(position);
        }
    });
    let mut parts = Vec::new();
    for end in ends {
        parts.push(pattern.get(at..end).unwrap_or_default());
        at = end + 1;
    }
    parts.push(pattern.get(at..).unwrap_or_default());
    parts
}

fn scan(pattern: &str, mut each: impl FnMut(char, usize, bool)) {
    scan_positions(pattern, |_, character, depth, in_braces| each(character, depth, in_braces));
}

/// Passes on each character that is neither escaped nor in a class, with the number of groups open
/// after it, and whether it is in braces.
fn scan_positions(pattern: &str, mut each: impl FnMut(usize, char, usize, bool)) {
    let (mut depth, mut in_braces) = (0_usize, false);
    let mut characters = pattern.char_indices().peekable();
    while let Some((position, character)) = characters.next() {
        match character {
            '\\' => match characters.next() {
                // Between \Q and \E everything is literal.
                Some((_, 'Q')) => {
                    let mut before = ' ';
                    for (_, quoted) in characters.by_ref() {
                        if (before, quoted) == ('\\', 'E') {
                            break;
                        }
                        before = quoted;
                    }
                }
                _ => continue,
            },
            '[' => {
                // A ] in the first position belongs to the class.
                characters.next_if(|(_, next)| *next == '^');
                characters.next_if(|(_, next)| *next == ']');
                while let Some((_, inside)) = characters.next() {
                    match inside {
                        '\\' => drop(characters.next()),
                        ']' => break,
                        _ => {}
                    }
                }
            }
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '{' => in_braces = true,
            '}' => in_braces = false,
            _ => {}
        }
        each(position, character, depth, in_braces);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matches_more_than_it_seems_is_doubted() {
        let table = [
            ("foo", Some("xfoox")),
            ("foo|^bar$", Some("xfoox")),
            ("^bar$|foo", Some("xfoox")),
            ("(foo|bar)", Some("xfoox")),
            ("foo.*", Some("longer names")),
            (".*foo", Some("longer names")),
            ("foo\\$", Some("longer names")),
            ("[$]", Some("longer names")),
            ("^a|b$", Some("write ^(a|b)$")),
            ("^foo$|", Some("allows everything")),
            ("^a|b|c$", Some("write ^(a|b|c)$")),
            ("", None),
            (".*", None),
            (".+", None),
            ("(.*)", None),
            ("^foo", None),
            ("foo$", None),
            ("^(foo|bar)$", None),
            ("(^foo$|^bar$)", None),
            ("\\Afoo", None),
            ("foo\\z", None),
            ("^foo\\|bar$", None),
            ("^[|]$", None),
            ("^\\Qa|b\\E$", None),
        ];
        for (pattern, wanted) in table {
            let told = warnings(pattern).join("\n");
            match wanted {
                Some(wanted) => assert!(told.contains(wanted), "{pattern}: {told}"),
                None => assert_eq!(told, "", "{pattern}"),
            }
        }
    }

    #[test]
    fn a_comma_or_a_space_that_parts_nothing_is_doubted() {
        for (pattern, what) in [("^a$, ^b$", "comma"), ("^a,b$", "comma"), ("^a b$", "space")] {
            assert!(warnings(pattern).join("\n").contains(what), "{pattern}");
        }
        for pattern in ["^a{1,2}$", "^a\\,b$", "^[ ,]$"] {
            assert_eq!(warnings(pattern), [""; 0], "{pattern}");
        }
    }

    #[test]
    fn an_anchor_goes_around_all_of_a_pattern_and_only_where_it_is_missing() {
        let table = [
            ("foo", "^(?:foo)$"),
            ("a|b", "^(?:a|b)$"),
            ("^a|b$", "^(?:^a|b$)$"),
            ("^foo", "^(?:^foo)$"),
            ("(?i)foo", "^(?:(?i)foo)$"),
            ("(*UCP)foo", "(*UCP)^(?:foo)$"),
            ("", ""),
            (".*", ".*"),
            ("^foo$", "^foo$"),
            ("^a$|^b$", "^a$|^b$"),
            ("foo\\$", "^(?:foo\\$)$"),
            ("a)|(b", "a)|(b"),
            ("[)](a)", "^(?:[)](a))$"),
        ];
        for (pattern, wanted) in table {
            assert_eq!(anchored(pattern), wanted, "{pattern}");
            assert_eq!(anchored(&anchored(pattern)), wanted, "{pattern}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_pattern_is_too_odd_to_look_at(pattern in "\\PC{0,40}") {
            let _ = (warnings(&pattern), anchored(&pattern));
        }

        #[test]
        fn nor_are_those_made_of_what_patterns_are_made_of(pattern in "[a^$.*|()\\[\\]{},\\\\QE ]{0,12}") {
            let _ = (warnings(&pattern), anchored(&pattern));
        }
    }
}
