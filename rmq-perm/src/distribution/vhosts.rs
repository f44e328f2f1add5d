//! Virtual hosts.

use super::arguments::{acting_user, atom, atoms, binary, list, map, number, text};
use super::broker::{Distribution, each};
use crate::administration::{Added, Deleted, Text, Vhost, VhostTraits, Vhosts};
use crate::refusal::Refusal;
use crate::term::Term;
use erl_dist::term as sent;
use rmq_common::failure::Failure;

impl Vhosts for Distribution {
    fn add_vhost(&mut self, vhost: &str, traits: &VhostTraits) -> Result<Added, Failure> {
        // Adding it again is an error in some releases.
        if self.vhost_exists(vhost)? {
            return Ok(Added::Existed);
        }
        // `put_vhost` would also give permissions to a user with the name that we act under.
        self.change("rabbit_vhost", "add", vec![text(vhost), metadata(traits), acting_user()])?;
        Ok(Added::New)
    }

    fn set_vhost(
        &mut self,
        vhost: &str,
        before: &VhostTraits,
        after: &VhostTraits,
    ) -> Result<(), Failure> {
        self.require_vhost(vhost)?;
        if self.changes_queue_type()? {
            let arguments = vec![text(vhost), metadata(after), acting_user()];
            return self.change("rabbit_vhost", "update_metadata", arguments);
        }
        // 3.10's function for this ignores the type of an existing virtual host.
        Refusal::FixedQueueType.unless(before.default_queue_type == after.default_queue_type)?;
        let kind = after.default_queue_type.as_deref().map_or(atom("undefined"), binary);
        let (tags, description) = (after.tags.join(&b","[..]), binary(&after.description));
        // Tracing is not changed.
        let tracing = atom("undefined");
        let arguments = vec![text(vhost), description, binary(&tags), kind, tracing, acting_user()];
        self.change("rabbit_vhost", "put_vhost", arguments)
    }

    fn changes_queue_type(&mut self) -> Result<bool, Failure> {
        let function = vec![atom("rabbit_vhost"), atom("update_metadata"), number(3)];
        Ok(self.ask("erlang", "function_exported", function)?.is_atom("true"))
    }

    fn delete_vhost(&mut self, vhost: &str) -> Result<Deleted, Failure> {
        if !self.vhost_exists(vhost)? {
            return Ok(Deleted::Before);
        }
        let arguments = vec![text(vhost), acting_user()];
        self.change_within(self.long, "rabbit_vhost", "delete", arguments)?;
        Ok(Deleted::Now)
    }

    fn can_send(&self, _: &str) -> Result<(), Failure> {
        Ok(())
    }

    fn goes_on_alone(&self) -> bool {
        true
    }

    fn list_vhosts(&mut self) -> Result<Vec<Text>, Failure> {
        let answer = self.ask("rabbit_vhost", "list_names", vec![])?;
        each(&answer, Term::text)
    }

    fn describe_vhosts(&mut self) -> Result<Vec<Vhost>, Failure> {
        let items = atoms(["name", "description", "tags", "default_queue_type"]);
        let answer = self.ask("rabbit_vhost", "info_all", vec![items])?;
        each(&answer, described)
    }

    fn vhost_exists(&mut self, vhost: &str) -> Result<bool, Failure> {
        Ok(self.ask("rabbit_vhost", "exists", vec![text(vhost)])?.is_atom("true"))
    }
}

/// The argument of `rabbit_vhost:add/3` and `update_metadata/3`.
fn metadata(traits: &VhostTraits) -> sent::Term {
    let tags = traits.tags.iter().map(|tag| atom(&String::from_utf8_lossy(tag)));
    let description = ("description", binary(&traits.description));
    let tags = ("tags", list(tags.collect()));
    match &traits.default_queue_type {
        None => map([description, tags]),
        Some(kind) => map([description, tags, ("default_queue_type", binary(kind))]),
    }
}

fn described(vhost: &Term) -> Option<Vhost> {
    let known = |key| vhost.property(key).filter(|value| !value.is_atom("undefined"));
    let tags = known("tags").and_then(Term::list).unwrap_or_default();
    let mut tags = tags.iter().map(Term::text).collect::<Option<Vec<_>>>()?;
    tags.sort();
    let kind = known("default_queue_type").and_then(Term::text);
    let traits = VhostTraits {
        default_queue_type: kind.filter(|kind| kind != b"undefined"),
        description: known("description").and_then(Term::text).unwrap_or_default(),
        tags,
    };
    Some(Vhost { name: vhost.property("name")?.text()?, traits })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_virtual_host_is_read_whether_or_not_the_release_describes_it() {
        let atom = |name: &str| Term::Atom(name.to_owned());
        let item = |key: &str, value| Term::Tuple(vec![atom(key), value]);
        let bytes = |text: &str| Term::Binary(text.into());
        let full = Term::List(vec![
            item("name", bytes("v")),
            item("description", bytes("mine")),
            item("tags", Term::List(vec![atom("a"), bytes("b")])),
            item("default_queue_type", bytes("quorum")),
        ]);
        let traits = VhostTraits {
            default_queue_type: Some(b"quorum".to_vec()),
            description: b"mine".to_vec(),
            tags: vec![b"a".to_vec(), b"b".to_vec()],
        };
        assert_eq!(described(&full), Some(Vhost { name: b"v".to_vec(), traits }));
        for none in [atom("undefined"), bytes("undefined")] {
            let bare = Term::List(vec![item("name", bytes("v")), item("default_queue_type", none)]);
            let traits = VhostTraits::default();
            assert_eq!(described(&bare), Some(Vhost { name: b"v".to_vec(), traits }));
        }
        assert_eq!(described(&Term::List(vec![])), None);
    }
}
