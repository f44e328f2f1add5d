//! `dump`.

use crate::administration::{Holder, Limited, Rule, Text};
use crate::apply::state::{More, State};
use crate::output::{self, Column, Listing, Value};
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::failure::Failure;
use std::collections::BTreeSet;

/// Write the file that apply takes on any cluster: virtual hosts, users with the hashes of their
/// passwords, and permissions. With -p, one virtual host and who has permissions there.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "dump", help_triggers("-h", "--help"))]
pub struct Dump {
    /// leave out the hashes of passwords, as for a file in git; apply then leaves passwords as they are
    #[argh(switch)]
    no_password_hashes: bool,

    /// write to this file, readable by its owner only (mode 0600), instead of standard output
    #[argh(option, arg_name = "FILE")]
    output: Option<String>,
}

impl Dump {
    /// Whether it writes to standard output.
    pub fn writes(&self) -> bool {
        self.file().is_none()
    }

    fn file(&self) -> Option<&str> {
        self.output.as_deref().filter(|name| *name != "-")
    }

    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let context = |failure: Failure| failure.context("dump");
        let only = session.given_vhost().transpose()?;
        let mut broker = session.broker()?;
        if let Some(vhost) = only {
            let context = |failure: Failure| failure.context(format!("dump {vhost}"));
            broker.require_vhost(vhost).map_err(context)?;
        }
        let mut state =
            State::read(broker.as_mut(), More { hashes: !self.no_password_hashes, limits: true })
                .map_err(context)?;
        if let Some(vhost) = only {
            keep(&mut state, vhost.as_bytes());
        }
        let sections: Vec<Vec<u8>> = sections(&state).iter().map(Listing::csv).collect();
        let text = sections.join(&b'\n');
        if let Err(error) = std::str::from_utf8(&text) {
            let before = text.get(..error.valid_up_to()).unwrap_or_default();
            let line = String::from_utf8_lossy(before).lines().last().unwrap_or("").to_owned();
            let why =
                format!("a name or pattern is not UTF-8, which a file cannot have: {line}...");
            return Err(context(Failure::data(why)));
        }
        match self.file() {
            Some(file) => {
                session.diagnostics().trace(&format!("writing {file}"));
                output::write_private(file, &text).map_err(context)
            }
            None if self.no_password_hashes => output::write(&text),
            None => {
                session.diagnostics().notice(
                    "dump: it contains password hashes, from which passwords can be guessed; keep \
                     it private (--output FILE writes a file of mode 0600)",
                );
                output::write(&text)
            }
        }
    }
}

/// Keeps one virtual host, its permissions, and the users who have any.
fn keep(state: &mut State, vhost: &[u8]) {
    state.vhosts.retain(|name, _| name == vhost);
    state.rules.retain(|_, rule| rule.row().first().is_some_and(|name| *name == vhost));
    let users: BTreeSet<Text> = state.rules.keys().map(|(_, _, user, _)| user.clone()).collect();
    state.users.retain(|name, _| users.contains(name));
}

/// The sections of the file, each sorted.
fn sections(state: &State) -> [Listing; 4] {
    let listing = |names: &[&'static str]| {
        Listing::new(names.iter().map(|it| Column::text(it)).collect::<Vec<_>>())
    };
    let text = |text: &Text| Value::Text(text.clone());
    let limits = |holder, name: &Text| {
        let Limited(limits) =
            state.limits.get(&(holder, name.clone())).copied().unwrap_or_default();
        limits.map(|limit| limit.map_or(Value::Unknown, |limit| Value::Number(limit.into())))
    };
    let mut vhosts = listing(&[
        "vhost",
        "default_queue_type",
        "max_connections",
        "max_queues",
        "tags",
        "description",
    ]);
    for (name, traits) in &state.vhosts {
        let kind = traits.default_queue_type.as_ref().map_or(Value::Unknown, text);
        let tags = Value::Texts(traits.tags.clone());
        let [connections, queues] = limits(Holder::Vhost, name);
        vhosts.push([text(name), kind, connections, queues, tags, text(&traits.description)]);
    }
    let mut columns = vec!["user", "tags", "max_connections", "max_channels"];
    if state.users.values().any(|known| known.hash.is_some()) {
        columns.push("password_hash");
    }
    let mut users = listing(&columns);
    for (name, known) in &state.users {
        let [connections, channels] = limits(Holder::User, name);
        let tags = Value::Texts(known.tags.clone());
        let hash = known.hash.as_ref().map(|hash| Value::Text(hash.reveal().into()));
        let row = [text(name), tags, connections, channels];
        users.push(row.into_iter().chain(hash).collect::<Vec<_>>());
    }
    let mut permissions = listing(&["vhost", "user", "configure", "write", "read"]);
    let mut topics = listing(&["vhost", "user", "exchange", "write", "read"]);
    for rule in state.rules.values() {
        let row: Vec<_> = rule.row().into_iter().map(text).collect();
        match rule {
            Rule::Vhost(_) => permissions.push(row),
            Rule::Topic(_) => topics.push(row),
        }
    }
    [vhosts, users, permissions, topics]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::administration::{Patterns, Permission, VhostTraits};
    use crate::apply::desired::Desired;
    use crate::apply::plan::{Lacking, plan};
    use crate::apply::sections::Sections;
    use crate::apply::state::Known;
    use crate::password_hash::PasswordHash;
    use proptest::prelude::*;
    use rmq_common::sheet::Sheet;

    fn written(state: &State) -> String {
        let sections: Vec<Vec<u8>> = sections(state).iter().map(Listing::csv).collect();
        String::from_utf8(sections.join(&b'\n')).unwrap()
    }

    /// States with names that could be misread in a file.
    fn states() -> impl Strategy<Value = State> {
        let odd = || "[a-c#\"' ,;\n\t=ü]{1,4}";
        let vhost = (odd(), prop::option::of("quorum|stream"), "[a# \n,]{0,4}", 0..3_usize)
            .prop_map(|(name, kind, description, tags)| {
                let tags = (0..tags).map(|tag| format!("t{tag}").into_bytes()).collect();
                let default_queue_type = kind.map(String::into_bytes);
                let description = description.into_bytes();
                (name.into_bytes(), VhostTraits { default_queue_type, description, tags })
            });
        let user = (odd(), 0..3_usize, any::<u8>()).prop_map(|(name, tags, hash)| {
            let tags = (0..tags).map(|tag| format!("t{tag}").into_bytes()).collect();
            let hash = Some(PasswordHash::encode(&[hash; 36]));
            (name.into_bytes(), Known { tags, hash })
        });
        let vhosts = (prop::collection::vec(vhost, 0..3), prop::collection::vec(user, 0..4), odd());
        vhosts.prop_map(|(vhosts, users, pattern)| {
            let mut state = State {
                vhosts: vhosts.into_iter().collect(),
                users: users.into_iter().collect(),
                ..State::default()
            };
            let limited = Limited([Some(5), None]);
            for name in state.vhosts.keys() {
                state.limits.insert((Holder::Vhost, name.clone()), limited);
            }
            for vhost in state.vhosts.keys() {
                for user in state.users.keys() {
                    let pattern = pattern.clone().into_bytes();
                    let patterns =
                        Patterns { configure: pattern.clone(), write: Vec::new(), read: pattern };
                    let (vhost, user) = (vhost.clone(), user.clone());
                    let rule = Rule::Vhost(Permission { vhost, user, patterns });
                    state.rules.insert(rule.subject(), rule);
                }
            }
            state
        })
    }

    proptest! {
        #[test]
        fn what_is_dumped_asks_for_what_is_there_and_nothing_else(state in states()) {
            let text = written(&state);
            let sheet = Sheet::read("dump", text.as_bytes()).unwrap();
            let sections = Sections::of(&sheet).unwrap();
            let (desired, problems) = Desired::of(&sections, false, None);
            prop_assert!(problems.is_empty(), "{problems:?}\n{text}");
            let all = Lacking { permissions: true, users: true };
            prop_assert_eq!(plan(&desired, &state, all), [], "{}", text);
            prop_assert_eq!(desired.rules.len(), state.rules.len());
            prop_assert_eq!(desired.users.len(), state.users.len());
        }
    }

    #[test]
    fn one_virtual_host_brings_those_who_have_permissions_there() {
        let rule = |vhost: &str, user: &str| {
            let patterns = Patterns { configure: vec![], write: vec![], read: vec![] };
            Rule::Vhost(Permission { vhost: vhost.into(), user: user.into(), patterns })
        };
        let rules: [Rule<Text>; 2] = [rule("/a", "x"), rule("/b", "y")];
        let mut state = State {
            vhosts: ["/a", "/b"].map(|name| (name.into(), VhostTraits::default())).into(),
            users: ["x", "y", "z"].map(|name| (name.into(), Known::default())).into(),
            rules: rules.map(|rule| (rule.subject(), rule)).into(),
            limits: [].into(),
        };
        keep(&mut state, b"/a");
        assert_eq!((state.vhosts.len(), state.rules.len()), (1, 1));
        assert_eq!(state.users.keys().collect::<Vec<_>>(), [b"x"]);
    }
}
