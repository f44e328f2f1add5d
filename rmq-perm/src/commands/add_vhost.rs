//! `add-vhost` and `set-vhost`.

use super::dry_run;
use crate::administration::{Added, Administration, VhostChange, VhostTraits};
use crate::names;
use crate::output::cell;
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::exit::{Ending, Exit};
use rmq_common::failure::Failure;

/// Add a virtual host. An existing one is not changed.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "add-vhost", help_triggers("-h", "--help"))]
pub struct AddVhost {
    /// type of queues that are declared without one (default: the broker's, which is classic)
    #[argh(option, arg_name = "classic|quorum|stream")]
    default_queue_type: Option<String>,

    /// what it is for, in words
    #[argh(option, arg_name = "TEXT")]
    description: Option<String>,

    /// tags of the virtual host, separated by commas (default: none)
    #[argh(option, arg_name = "TAGS")]
    tags: Option<String>,

    /// name of the virtual host
    #[argh(positional, arg_name = "VHOST")]
    vhost: String,
}

impl AddVhost {
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let context = |failure: Failure| failure.context(format!("add vhost {}", self.vhost));
        let vhost = names::vhost(&self.vhost)?;
        let change = change(&self.default_queue_type, &self.description, &self.tags)?;
        let mut broker = session.broker()?;
        let added = broker.add_vhost(vhost, &change.of(&VhostTraits::default()));
        match added.map_err(context)? {
            Added::New => session.diagnostics().detail(&format!("added vhost {vhost}")),
            Added::Existed => {
                let before = traits(broker.as_mut(), vhost, &change).map_err(context)?;
                let differs = differences(&before, &change.of_existing(&before));
                if !differs.is_empty() {
                    let why = format!(
                        "already exists, with {}; nothing was changed (rmq-perm set-vhost \
                         changes it)",
                        differs.join(" and ")
                    );
                    return Err(context(Failure::data(why)));
                }
                session.diagnostics().notice(&format!("add vhost {vhost}: already exists"));
            }
        }
        Ok(())
    }
}

/// Change what a virtual host is like: its default queue type, description or tags. Its queues stay
/// as they are.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "set-vhost", help_triggers("-h", "--help"))]
pub struct SetVhost {
    /// show what would change, and change nothing; exit status 1 if anything would
    #[argh(switch)]
    pub dry_run: bool,

    /// type of queues that are declared without one
    #[argh(option, arg_name = "classic|quorum|stream")]
    default_queue_type: Option<String>,

    /// what it is for, in words
    #[argh(option, arg_name = "TEXT")]
    description: Option<String>,

    /// tags of the virtual host, separated by commas, in place of those it had
    #[argh(option, arg_name = "TAGS")]
    tags: Option<String>,

    /// name of the virtual host
    #[argh(positional, arg_name = "VHOST")]
    vhost: String,
}

impl SetVhost {
    pub fn run(&self, session: &Session) -> Result<Ending, Failure> {
        let context = |failure: Failure| failure.context(format!("set vhost {}", self.vhost));
        let vhost = names::vhost(&self.vhost)?;
        let change = change(&self.default_queue_type, &self.description, &self.tags)?;
        if change == VhostChange::default() {
            return Err(Failure::usage(
                "set-vhost: nothing to set: give --default-queue-type, --description or --tags",
            ));
        }
        let mut broker = session.broker()?;
        broker.require_vhost(vhost).map_err(context)?;
        let before = traits(broker.as_mut(), vhost, &change).map_err(context)?;
        let after = change.of_existing(&before);
        if self.dry_run {
            let diff = dry_run::set_vhost(broker.as_mut(), vhost, before, after);
            return dry_run::show(&diff.map_err(context)?);
        }
        if after != before {
            broker.set_vhost(vhost, &before, &after).map_err(context)?;
        }
        session.diagnostics().detail(&format!("set vhost {vhost}"));
        Ok(Exit::Ok.into())
    }
}

/// What the options ask for.
fn change(
    default_queue_type: &Option<String>,
    description: &Option<String>,
    tags: &Option<String>,
) -> Result<VhostChange, Failure> {
    if let Some(kind) = default_queue_type {
        names::queue_type(kind)
            .map_err(|why| Failure::usage(format!("--default-queue-type: {why}")))?;
    }
    let tags = tags.as_deref().map(names::tags).transpose();
    let tags = tags.map_err(|failure| failure.context("--tags"))?;
    let (default_queue_type, description) = (default_queue_type.clone(), description.clone());
    Ok(VhostChange { default_queue_type, description, tags })
}

/// The traits of a virtual host, unless no option is about them.
fn traits(
    broker: &mut dyn Administration,
    vhost: &str,
    change: &VhostChange,
) -> Result<VhostTraits, Failure> {
    if *change == VhostChange::default() {
        return Ok(VhostTraits::default());
    }
    let all = broker.describe_vhosts()?;
    let found = all.into_iter().find(|it| it.name == vhost.as_bytes());
    Ok(found.map(|it| it.traits).unwrap_or_default())
}

/// How the present state differs from the desired one.
fn differences(before: &VhostTraits, after: &VhostTraits) -> Vec<String> {
    let unset = b"unset".to_vec();
    let pairs = [
        (
            "default queue type",
            before.default_queue_type.clone().unwrap_or(unset),
            before.default_queue_type != after.default_queue_type,
        ),
        ("description", before.description.clone(), before.description != after.description),
        ("tags", before.tags.join(&b","[..]), before.tags != after.tags),
    ];
    let differing = pairs.into_iter().filter(|(_, _, differs)| *differs);
    differing.map(|(what, before, _)| format!("{what} {}", cell(&before))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_asked_for_can_differ() {
        let before = VhostTraits {
            default_queue_type: Some(b"classic".to_vec()),
            description: b"old".to_vec(),
            tags: vec![b"a".to_vec()],
        };
        let of = |kind: Option<&str>, description: Option<&str>, tags: Option<&str>| {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            let change = change(&owned(kind), &owned(description), &owned(tags)).unwrap();
            differences(&before, &change.of_existing(&before)).join(" and ")
        };
        assert_eq!(of(None, None, None), "");
        assert_eq!(of(Some("classic"), Some("old"), Some("a")), "");
        assert_eq!(of(Some("quorum"), None, Some("")), "default queue type classic and tags a");
        assert_eq!(of(None, Some(""), None), "description old");
        let failure = change(&Some("lazy".to_owned()), &None, &None).unwrap_err();
        assert_eq!(failure.exit().status(), 64);
    }
}
