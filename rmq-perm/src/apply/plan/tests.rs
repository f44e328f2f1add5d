//! A plan turns the present state into the desired one, and a second plan has nothing to do.

mod any_files;

use super::*;
use crate::administration::{Holder, Patterns, Permission, TopicPatterns, TopicPermission};
use crate::apply::sections::Sections;
use crate::apply::state::Known;
use proptest::prelude::*;
use rmq_common::secret::Secret;
use rmq_common::sheet::Sheet;

fn desired(text: &str) -> Desired {
    let sheet = Sheet::read("f.csv", text.as_bytes()).unwrap();
    let sections = Sections::of(&sheet).unwrap();
    let (desired, problems) = Desired::of(&sections, false, None);
    assert!(problems.is_empty(), "{problems:?}");
    desired
}

/// Makes a change without a broker.
fn made(state: &mut State, change: &Change) {
    let owned = |text: &String| text.clone().into_bytes();
    match &change.what {
        What::AddVhost { vhost, traits } => {
            assert_eq!(state.vhosts.insert(owned(vhost), traits.clone()), None);
        }
        What::SetVhost { vhost, before, traits } => {
            assert_eq!(state.vhosts.insert(owned(vhost), traits.clone()).as_ref(), Some(before));
        }
        What::AddUser { user, tags, .. } => {
            let tags = tags.iter().map(owned).collect();
            assert_eq!(state.users.insert(owned(user), Known { tags, hash: None }), None);
        }
        What::SetTags { user, before, tags } => {
            let tags = tags.iter().map(owned).collect();
            let known = state.users.get_mut(user.as_bytes()).unwrap();
            assert_eq!(&std::mem::replace(&mut known.tags, tags), before);
        }
        What::SetPassword { user, hash, .. } => {
            let known = state.users.get_mut(user.as_bytes()).unwrap();
            known.hash = Some(Secret::new(hash.base64()));
        }
        What::DeleteUser { user, tags } => {
            let gone = state.users.remove(user.as_bytes()).unwrap();
            assert_eq!(&gone.tags, tags);
        }
        What::SetLimits { holder, name, before, after } => {
            let (found, key) = match holder {
                Holder::Vhost => (state.vhosts.contains_key(name.as_bytes()), owned(name)),
                Holder::User => (state.users.contains_key(name.as_bytes()), owned(name)),
            };
            assert!(found, "what is limited comes first");
            let replaced = state.limits.insert((*holder, key), *after);
            assert_eq!(replaced.unwrap_or_default(), *before);
        }
        What::Set { rule, before } => {
            assert!(state.vhosts.contains_key(rule.vhost().as_bytes()), "the vhost comes first");
            assert!(state.users.contains_key(rule.user().as_bytes()), "the user comes first");
            assert_eq!(&state.rules.insert(rule.subject(), stored(rule)), before);
        }
        What::Clear(rule) => {
            assert_eq!(state.rules.remove(&rule.subject()).as_ref(), Some(rule));
        }
    }
}

/// A rule as the broker has it.
fn stored(rule: &Rule<String>) -> Rule<Text> {
    let text = |text: &str| text.as_bytes().to_vec();
    match rule.borrowed() {
        Rule::Vhost(Permission { vhost, user, patterns: Patterns { configure, write, read } }) => {
            let (configure, write, read) = (text(configure), text(write), text(read));
            let patterns = Patterns { configure, write, read };
            Rule::Vhost(Permission { vhost: text(vhost), user: text(user), patterns })
        }
        Rule::Topic(TopicPermission { vhost, user, exchange, patterns }) => {
            let patterns = TopicPatterns { write: text(patterns.write), read: text(patterns.read) };
            let (vhost, user, exchange) = (text(vhost), text(user), text(exchange));
            Rule::Topic(TopicPermission { vhost, user, exchange, patterns })
        }
    }
}

fn both(prune: bool) -> Lacking {
    Lacking { permissions: prune, users: prune }
}

fn diff(text: &str, state: &State, prune: bool) -> String {
    plan(&desired(text), state, both(prune)).iter().map(Change::diff).collect()
}

fn a_state() -> State {
    let text = |text: &str| text.as_bytes().to_vec();
    let permission = |vhost: &str, user: &str, pattern: &str| {
        let patterns =
            Patterns { configure: text(pattern), write: text(pattern), read: text(pattern) };
        Rule::Vhost(Permission { vhost: text(vhost), user: text(user), patterns })
    };
    let patterns = TopicPatterns { write: text("^a"), read: text("") };
    let (vhost, user, exchange) = (text("/"), text("a"), text("amq.topic"));
    let rules = [
        permission("/", "a", "^a"),
        permission("/", "g", ".*"),
        permission("/b", "g", ".*"),
        Rule::Topic(TopicPermission { vhost, user, exchange, patterns }),
    ];
    State {
        vhosts: ["/", "/b"].map(|vhost| (text(vhost), VhostTraits::default())).into(),
        users: [("a", vec![]), ("g", vec![text("administrator")])]
            .map(|(user, tags)| (text(user), Known { tags, hash: Some(Secret::new("")) }))
            .into(),
        rules: rules.map(|rule| (rule.subject(), rule)).into(),
        limits: [].into(),
    }
}

#[test]
fn a_plan_reads_like_a_diff() {
    let file = "vhost,user,configure,write,read,exchange,tags,password_hash\n\
                /c,,,,,,,\n\
                ,new,,,,,monitoring,VBzI8ylGfRQe1cWow92fSquUvNfwfDkmDpVysCO3Qh1TgI6x\n\
                ,g,,,,,,\n\
                /,a,.*,^a,^a,,,\n\
                /c,new,,a\\tb,,,,\n\
                /,a,,^b,,amq.topic,,\n";
    let wanted = "+vhost\t/c\n\
                  -user\tg\tadministrator\n\
                  +user\tg\t''\n\
                  +user\tnew\tmonitoring\n\
                  -permissions\t/\ta\t^a\t^a\t^a\n\
                  +permissions\t/\ta\t.*\t^a\t^a\n\
                  +permissions\t/c\tnew\t''\ta\\\\tb\t''\n\
                  -topic-permissions\t/\ta\tamq.topic\t^a\t''\n\
                  +topic-permissions\t/\ta\tamq.topic\t^b\t''\n";
    assert_eq!(diff(file, &a_state(), false), wanted);
}

#[test]
fn a_virtual_host_is_made_like_its_row() {
    let file =
        "vhost,default_queue_type,description,tags\n/,quorum,,\n/b,,mine,\"b,a\"\n/c,stream,new,\n";
    let mut state = a_state();
    state.vhosts.insert(
        b"/".to_vec(),
        VhostTraits {
            default_queue_type: Some(b"classic".to_vec()),
            description: b"default".to_vec(),
            tags: vec![b"x".to_vec()],
        },
    );
    let wanted = "-default-queue-type\t/\tclassic\n\
                  +default-queue-type\t/\tquorum\n\
                  -description\t/\tdefault\n\
                  -vhost-tags\t/\tx\n\
                  +description\t/b\tmine\n\
                  +vhost-tags\t/b\ta,b\n\
                  +vhost\t/c\n\
                  +default-queue-type\t/c\tstream\n\
                  +description\t/c\tnew\n";
    assert_eq!(diff(file, &state, false), wanted);
    for change in plan(&desired(file), &state, both(false)) {
        made(&mut state, &change);
    }
    assert_eq!(diff(file, &state, false), "");
    // A missing column changes nothing.
    assert_eq!(diff("vhost,default_queue_type\n/b,\n/c,\n", &state, false), "");
}

#[test]
fn limits_are_set_changed_and_removed_by_what_the_cells_say() {
    let mut state = a_state();
    let mut goes = |file: &str, wanted: &str| {
        assert_eq!(diff(file, &state, false), wanted);
        for change in plan(&desired(file), &state, both(false)) {
            made(&mut state, &change);
        }
        assert_eq!(diff(file, &state, false), "");
    };
    let file = "vhost,max_connections,max_queues\n/,5,\n/c,,0\n\nuser,max_channels\nnew,7\ng,\n";
    let wanted = "+vhost\t/c\n+user\tnew\t''\n+vhost-limit\t/\tmax-connections\t5\n\
                  +vhost-limit\t/c\tmax-queues\t0\n+user-limit\tnew\tmax-channels\t7\n";
    goes(file, wanted);
    let wanted = "-vhost-limit\t/c\tmax-queues\t0\n+vhost-limit\t/c\tmax-queues\t3\n\
                  -user-limit\tnew\tmax-channels\t7\n";
    goes("vhost,max_queues\n/,\n/c,3\n\nuser,max_channels\nnew,none\n", wanted);
    // A missing column changes nothing.
    goes("vhost\n/\n/c\n", "");
}

#[test]
fn all_sections_of_a_file_are_one_desired_state() {
    let file = "vhost,description\n/,\n\nuser,tags\na,\n\n\
                vhost,user,configure,write,read\n/,a,^a,^a,^a\n\n\
                vhost,user,exchange,write,read\n";
    let wanted = "-permissions\t/\tg\t.*\t.*\t.*\n-topic-permissions\t/\ta\tamq.topic\t^a\t''\n\
                  -user\tg\tadministrator\n";
    assert_eq!(diff(file, &a_state(), true), wanted);
    assert_eq!(diff(file, &a_state(), false), "");
}

#[test]
fn what_the_file_lacks_goes_only_when_asked_and_only_where_the_file_looks() {
    let file = "vhost,user,configure,write,read\n/,a,^a,^a,^a\n";
    assert_eq!(diff(file, &a_state(), false), "");
    assert_eq!(diff(file, &a_state(), true), "-permissions\t/\tg\t.*\t.*\t.*\n");
    let file = "vhost,user,exchange,write,read,configure\n/,a,,^a,^a,^a\n";
    let wanted = "-permissions\t/\tg\t.*\t.*\t.*\n-topic-permissions\t/\ta\tamq.topic\t^a\t''\n";
    assert_eq!(diff(file, &a_state(), true), wanted);
    assert_eq!(diff("vhost\n/b\n", &a_state(), true), "-permissions\t/b\tg\t.*\t.*\t.*\n");
    // Output of list-vhosts -v, list-vhost-limits and list-user-limits: no permissions, not all
    // users.
    for file in ["vhost,default_queue_type,description,tags\n/b,,,\n", "vhost,max_queues\n/b,\n"] {
        assert_eq!(diff(file, &a_state(), true), "");
    }
    assert_eq!(diff("user,max_connections,max_channels\ng,,\n", &a_state(), true), "");
}

#[test]
fn a_file_of_topic_permissions_alone_takes_away_no_others() {
    let file = "vhost,user,exchange,write,read\n/,g,amq.topic,^b,\n";
    let wanted = "+topic-permissions\t/\tg\tamq.topic\t^b\t''\n\
                  -topic-permissions\t/\ta\tamq.topic\t^a\t''\n";
    assert_eq!(diff(file, &a_state(), true), wanted);
}

#[test]
fn users_that_a_file_of_users_lacks_are_lacking_and_in_another_file_they_are_not() {
    let user = "-user\tg\tadministrator\n";
    assert_eq!(diff("user,tags\na,\n", &a_state(), true), user);
    assert_eq!(diff("user\na\n", &a_state(), true), user);
    assert_eq!(diff("user,tags\na,\n", &a_state(), false), "");
    // A row of permissions names its user, too.
    let named = "vhost,user,configure,write,read,tags\n/,a,^a,^a,^a,\n/,g,.*,.*,.*,\n";
    assert_eq!(diff(named, &a_state(), true), "");
    let other = "vhost,user,configure,write,read\n/,a,^a,^a,^a\n/,g,.*,.*,.*\n";
    assert_eq!(diff(other, &State { users: [].into(), ..a_state() }, true), "");
}

#[test]
fn a_password_is_changed_where_the_file_has_another_hash_and_no_hash_is_shown() {
    let hash = |byte, size| PasswordHash::encode(&vec![byte; size]);
    let file = |hash: &Secret| format!("user,password_hash\na,{}\ng,\n", hash.reveal());
    let mut state = a_state();
    let first = hash(1, 36);
    assert_eq!(diff(&file(&first), &state, false), "+password\ta\tsha256\n");
    for change in plan(&desired(&file(&first)), &state, both(false)) {
        made(&mut state, &change);
    }
    assert_eq!(diff(&file(&first), &state, false), "");
    let plan = "-password\ta\tsha256\n+password\ta\tsha512\n";
    assert_eq!(diff(&file(&hash(2, 68)), &state, false), plan);
}
