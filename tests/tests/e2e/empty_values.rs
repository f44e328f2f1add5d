//! An option with an empty value, from an unset shell variable.

use rmq_tests::help::{help, options};
use rmq_tests::tool::Tool;

/// Texts and names may be empty, or have their own message for that.
const MAY_BE_EMPTY: [&str; 15] = [
    "CONF",
    "ENCODING",
    "EXCHANGE",
    "EXCHANGE[:KEY]",
    "HEADER",
    "ID",
    "KEY",
    "NAME",
    "NAME@HOST",
    "QUEUE",
    "SEP",
    "TAGS",
    "TEXT",
    "TYPE",
    "auto|ID",
];

/// `--retry` and `DURATION|forever` from a line of help; nothing for a switch.
fn option(line: &str) -> Option<(&str, &str)> {
    let (_, line) = line.split_at(line.find("--")?);
    let mut words = line.split(' ');
    let (name, value) = (words.next()?, words.next().filter(|value| !value.is_empty())?);
    Some((name, value))
}

#[track_caller]
fn refused(tool: &str, words: &[&str], help: &str) -> usize {
    let options = options(help).filter_map(option);
    let refused = options.filter(|(_, value)| !MAY_BE_EMPTY.contains(value));
    refused
        .map(|(name, _)| {
            let empty = format!("{name}=");
            for value in [&[name, ""][..], &[&empty]] {
                let ended = Tool::new(tool).arguments(words).arguments(value).run().expect(64);
                let ended = ended.says(&format!("{tool}: {name} '': the value is empty"));
                assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
            }
        })
        .count()
}

#[test]
fn an_empty_value_of_any_option_is_named_before_anything_is_done() {
    for (tool, most) in [("rmq-send", 15), ("rmq-recv", 15), ("rmq-declare", 20)] {
        let count = refused(tool, &["q"], &help(tool, &["--help=all"]));
        assert!(count > most, "{tool}: {count}");
    }
    assert!(refused("rmq-perm", &["list-users"], &help("rmq-perm", &["--help=all"])) > 5);
    for command in ["add-user", "apply", "list-queues", "set"] {
        refused("rmq-perm", &[command], &help("rmq-perm", &[command, "--help"]));
    }
}

#[test]
fn an_empty_name_is_named_too() {
    for (tool, words, why) in [
        ("rmq-send", &["--user", "", "q"][..], "--user: the name is empty"),
        ("rmq-recv", &["--user", "", "q"], "--user: the name is empty"),
        ("rmq-declare", &["--user", "", "q"], "--user: the name is empty"),
        ("rmq-send", &["--vhost", "", "q"], "--vhost: the name is empty"),
        ("rmq-send", &["q", ""], "the name of a FILE to read is empty"),
        ("rmq-send", &[""], "the queue's name is empty"),
    ] {
        Tool::new(tool).arguments(words).run().expect(64).says(why);
    }
}
