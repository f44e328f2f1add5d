//! Limits of virtual hosts and users.

use super::arguments::{acting_user, number, text};
use super::broker::{Distribution, USERS, each};
use crate::administration::{Holder, Limited, Limits, Text};
use crate::term::Term;
use rmq_common::failure::Failure;

impl Limits for Distribution {
    fn listed_limits(&mut self, holder: Holder) -> Result<Vec<(Text, Limited)>, Failure> {
        let (module, function) = match holder {
            Holder::Vhost => ("rabbit_vhost_limit", "list"),
            Holder::User => (USERS, "get_user_limits"),
        };
        let answer = self.ask(module, function, vec![])?;
        each(&answer, |row| limited(holder, row))
    }

    fn put_limit(
        &mut self,
        holder: Holder,
        name: &str,
        limit: &'static str,
        value: Option<u32>,
    ) -> Result<(), Failure> {
        let (name, me) = (text(name), acting_user());
        let value = value.map(|value| i32::try_from(value).unwrap_or(i32::MAX));
        match (holder, value) {
            (Holder::Vhost, Some(value)) => {
                let arguments = vec![name, text(limit), number(value), me];
                self.change("rabbit_vhost_limit", "update_limit", arguments)
            }
            (Holder::Vhost, None) => {
                self.change("rabbit_vhost_limit", "clear_limit", vec![name, text(limit), me])
            }
            (Holder::User, Some(value)) => {
                // The others stay.
                let definition = text(&format!("{{\"{limit}\":{value}}}"));
                self.change(USERS, "set_user_limits", vec![name, definition, me])
            }
            (Holder::User, None) => {
                self.change(USERS, "clear_user_limits", vec![name, text(limit), me])
            }
        }
    }
}

/// `{Name, Limits}`, in which the limits are a list of pairs or a map.
fn limited(holder: Holder, row: &Term) -> Option<(Text, Limited)> {
    let [name, limits] = row.tuple()? else { return None };
    let pairs: Vec<(&Term, &Term)> = match limits {
        Term::Map(pairs) => pairs.iter().map(|(key, value)| (key, value)).collect(),
        limits => limits.list()?.iter().map(pair).collect::<Option<_>>()?,
    };
    let known = pairs.into_iter().map(|(key, value)| match value {
        Term::Integer(value) => Some((key.text()?, *value)),
        _ => None,
    });
    Some((name.text()?, holder.among(known.collect::<Option<Vec<_>>>()?)))
}

fn pair(term: &Term) -> Option<(&Term, &Term)> {
    match term.tuple()? {
        [key, value] => Some((key, value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_pairs_or_a_map() {
        let key = || Term::Binary(b"max-connections".to_vec());
        let row = |limits| Term::Tuple(vec![Term::Binary(b"n".to_vec()), limits]);
        let pairs = row(Term::List(vec![Term::Tuple(vec![key(), Term::Integer(5)])]));
        let map = row(Term::Map(vec![(key(), Term::Integer(5))]));
        for row in [pairs, map] {
            let wanted = (b"n".to_vec(), Limited([Some(5), None]));
            assert_eq!(limited(Holder::User, &row), Some(wanted));
        }
        assert_eq!(limited(Holder::User, &row(Term::Opaque)), None);
    }
}
