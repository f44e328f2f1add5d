//! The names of arguments, to detect misspelt ones: brokers silently accept and ignore what they do
//! not know, and do not even compare it.

use crate::queue::queue_arguments::{OBSOLETE, TABLE};
use lapin::types::FieldTable;
use rmq_common::nearest::nearest;

/// The argument of a binding that chooses whether all or any of the others have to match.
const MATCH: &str = "x-match";
/// Arguments of exchanges of RabbitMQ and the plugins it ships. Other plugins may have others.
const OF_EXCHANGES: [&str; 6] = [
    "alternate-exchange",
    "hash-header",
    "hash-property",
    "x-delayed-type",
    "x-recent-history-length",
    "x-recent-history-no-store",
];

/// Notices about the names in a binding's `arguments`.
pub fn of_binding(arguments: &FieldTable) -> Vec<String> {
    let names = arguments.into_iter().map(|(name, _)| name.as_str());
    let mistaken = names.filter(|name| *name != MATCH && nearest(name, [MATCH]).is_some());
    mistaken
        .map(|name| {
            format!(
                "{name}: a headers exchange compares it with a header of that name (did you mean \
                 x-match?)"
            )
        })
        .collect()
}

/// Notices about the names in a queue's `arguments`.
pub fn of_queue(arguments: &FieldTable) -> Vec<String> {
    let known: Vec<&str> = TABLE.iter().map(|row| row.key).chain(OBSOLETE).collect();
    let names = arguments.into_iter().map(|(name, _)| name.as_str());
    names
        .filter_map(|name| {
            if OBSOLETE.contains(&name) {
                return Some(format!("{name}: RabbitMQ from 3.10 on ignores it"));
            }
            if known.contains(&name) {
                return None;
            }
            let nearest = nearest(name, known.iter().copied());
            let unknown = name.starts_with("x-") || nearest.is_some();
            unknown.then(|| ignored("queues", name, nearest))
        })
        .collect()
}

/// Notices about the names in an exchange's `arguments`, only for those that look misspelt.
pub fn of_exchange(arguments: &FieldTable) -> Vec<String> {
    let names = arguments.into_iter().map(|(name, _)| name.as_str());
    names
        .filter(|name| !OF_EXCHANGES.contains(name))
        .filter_map(|name| Some(ignored("exchanges", name, Some(nearest(name, OF_EXCHANGES)?))))
        .collect()
}

fn ignored(of: &str, name: &str, nearest: Option<&str>) -> String {
    let hint = nearest.map(|nearest| format!(" (did you mean {nearest}?)")).unwrap_or_default();
    format!(
        "{name}: no release of RabbitMQ up to 4.3 knows such an argument of {of}, so \
         unless a plugin does, it is silently ignored{hint}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::argument_value::{long, short};

    fn notices(of: fn(&FieldTable) -> Vec<String>, name: &str) -> String {
        let mut table = FieldTable::default();
        table.insert(short(name).unwrap(), long("v"));
        of(&table).join("\n")
    }

    #[test]
    fn a_misspelt_argument_is_told_with_the_one_that_may_be_meant() {
        for (name, meant) in [
            ("x-max-lenght", "x-max-length"),
            ("x-dead-leter-exchange", "x-dead-letter-exchange"),
            ("max-length", "x-max-length"),
            ("x-quorum-initial-groupsize", "x-quorum-initial-group-size"),
        ] {
            let message = notices(of_queue, name);
            assert!(message.ends_with(&format!(" (did you mean {meant}?)")), "{message}");
        }
        assert!(notices(of_binding, "x_match").contains("did you mean x-match?"));
        assert!(notices(of_binding, "xmatch").contains("did you mean x-match?"));
        assert_eq!(notices(of_binding, "x-match") + &notices(of_binding, "kind"), "");
        assert!(
            notices(of_exchange, "alternate_exchange")
                .ends_with("(did you mean alternate-exchange?)")
        );
    }

    #[test]
    fn what_is_like_nothing_is_told_without_a_guess_and_what_is_known_not_at_all() {
        let new = notices(of_queue, "x-something-quite-new");
        assert!(new.contains("no release") && !new.contains("is one"), "{new}");
        assert_eq!(notices(of_queue, "x-max-length"), "");
        assert_eq!(notices(of_queue, "owner"), "");
        assert!(notices(of_queue, "x-max-in-memory-length").contains("ignores it"));
        assert_eq!(notices(of_exchange, "x-our-plugin"), "");
        assert_eq!(notices(of_exchange, "alternate-exchange"), "");
    }
}
