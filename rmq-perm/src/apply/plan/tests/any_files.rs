//! Any file applied after any other.

use super::*;

/// Names and patterns from a small set, so that files and states overlap.
fn files() -> impl Strategy<Value = String> {
    let name = || prop::sample::select(vec!["x", "y", "z"]);
    let pattern = || prop::sample::select(vec!["", ".*", "^x"]);
    let cell = |values| prop::sample::select(values);
    let vhost = (
        name(),
        cell(vec!["", "quorum", "classic"]),
        cell(vec!["", "a"]),
        cell(vec!["", "0", "5"]),
    )
        .prop_map(|(vhost, kind, tags, limit)| {
            (format!("v {vhost}"), format!("{vhost},{kind},{tags},{limit}\n"))
        });
    let user = (name(), prop::sample::select(vec!["", "a", "\"a,b\""]))
        .prop_map(|(user, tags)| (format!("u {user}"), format!(",{user},,,,{tags}\n")));
    let permission =
        (name(), name(), pattern(), pattern()).prop_map(|(vhost, user, write, read)| {
            (format!("p {vhost} {user}"), format!("{vhost},{user},,{write},{read},\n"))
        });
    let row = prop_oneof![user, permission];
    let rows = |rows: Vec<(String, String)>| {
        let rows: std::collections::BTreeMap<_, _> = rows.into_iter().collect();
        rows.into_values().collect::<String>()
    };
    let (vhosts, others) = (prop::collection::vec(vhost, 0..4), prop::collection::vec(row, 0..12));
    (vhosts, others).prop_map(move |(vhosts, others)| {
        let (vhosts, others) = (rows(vhosts), rows(others));
        format!(
            "vhost,user,configure,write,read,tags\n{others}\n\
             vhost,default_queue_type,tags,max_queues\n{vhosts}"
        )
    })
}

proptest! {
    #[test]
    fn after_a_plan_nothing_is_left_to_do(before in files(), file in files(), prune: bool) {
        // Everything that any row may name, so that the plans can be carried out.
        let all = "vhost,user\nx,\ny,\nz,\n,x\n,y\n,z\n";
        let mut state = State::default();
        for text in [all, &before] {
            for change in plan(&desired(text), &state, both(false)) {
                made(&mut state, &change);
            }
        }
        let wanted = desired(&file);
        for change in plan(&wanted, &state, both(prune)) {
            made(&mut state, &change);
        }
        prop_assert_eq!(plan(&wanted, &state, both(prune)), []);
        for (subject, (_, rule)) in &wanted.rules {
            prop_assert_eq!(state.rules.get(subject), Some(&stored(rule)));
        }
        if prune {
            let named = wanted.named_vhosts();
            let kept = state.rules.values().filter(|rule| named.contains(&rule.vhost()));
            prop_assert_eq!(kept.count(), wanted.rules.len());
        }
    }
}
