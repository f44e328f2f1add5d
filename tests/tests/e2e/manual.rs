//! The manual and the tools have the same options and the same messages.

use rmq_tests::help::{help, options};
use rmq_tests::messages::{pieces, told, unfounded};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn every_option_of_rmq_declare_is_in_its_manual_and_no_other() {
    holds("rmq-declare");
}

#[test]
fn every_option_of_rmq_perm_is_in_its_manual_and_no_other() {
    holds("rmq-perm");
}

#[test]
fn every_option_of_rmq_recv_is_in_its_manual_and_no_other() {
    holds("rmq-recv");
}

#[test]
fn every_option_of_rmq_send_is_in_its_manual_and_no_other() {
    holds("rmq-send");
}

#[test]
fn every_message_in_the_diagnostics_of_a_page_is_one_that_the_sources_have() {
    let tools = ["rmq-declare", "rmq-perm", "rmq-recv", "rmq-send"];
    let common = pieces("rmq-common");
    let all: Vec<String> = tools.iter().flat_map(|tool| pieces(tool)).collect();
    says(&[&common[..], &all].concat(), "rmq.7");
    for tool in tools {
        says(&[&common[..], &pieces(tool)].concat(), &format!("{tool}.1"));
    }
}

/// What follows on the line is in the quotes, too.
#[test]
fn what_a_page_quotes_ends_where_the_quoted_text_does() {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../man");
    for page in fs::read_dir(pages).unwrap().map(|entry| entry.unwrap().path()) {
        for (number, line) in fs::read_to_string(&page).unwrap().lines().enumerate() {
            let words: Vec<&str> = line.split(' ').collect();
            let quoted = words.iter().position(|word| word.trim_start_matches('.') == "Ql");
            let after = quoted.map_or(&[][..], |place| &words[place + 1..]);
            let text = after.contains(&"No") || after.contains(&"Ql");
            assert!(!line.starts_with('.') || !text, "{page:?}:{}: {line}", number + 1);
        }
    }
}

fn says(sources: &[String], page: &str) {
    let unfounded = |message: &String| Some((unfounded(message, sources)?, message.clone()));
    let unfounded: Vec<_> = told(page).iter().filter_map(unfounded).collect();
    assert!(unfounded.is_empty(), "{page}: no source says {unfounded:#?}");
}

fn holds(tool: &str) {
    let help = help(tool, &["--help=all"]);
    let mut known = options_of_help(&help);
    for command in commands_of_help(&help) {
        known.extend(options_of_help(&self::help(tool, &[&command, "--help"])));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../man/{tool}.1"));
    let page = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let told = options_of_page(&page);
    let untold: Vec<_> = known.difference(&told).collect();
    assert!(untold.is_empty(), "not in {tool}.1: {untold:?}");
    let unknown: Vec<_> = told.difference(&known).collect();
    assert!(unknown.is_empty(), "only in {tool}.1: {unknown:?}");
    for option in ["--help", "--version", "--quiet", "-v"] {
        assert!(known.contains(option), "{tool} has no {option}: is its help still understood?");
    }
}

/// `  -u, --url URL         broker, as ...` gives `-u` and `--url`.
fn options_of_help(help: &str) -> BTreeSet<String> {
    // Mentions of other options in the text after them do not count.
    let words = options(help).flat_map(|line| {
        line.split([' ', ',', '['])
            .filter(|word| !word.is_empty())
            .take_while(|word| word.starts_with('-'))
    });
    words.filter(|word| *word != "--").map(str::to_owned).collect()
}

/// `  add-vhost         Add a virtual host...` gives `add-vhost`.
fn commands_of_help(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands = lines.filter_map(|line| line.strip_prefix("  "));
    let first =
        commands.filter(|line| !line.starts_with(' ')).filter_map(|line| line.split(' ').next());
    first.map(str::to_owned).collect()
}

/// `.It Fl u Ar url , Fl -url Ar url` gives `-u` and `--url`.
fn options_of_page(page: &str) -> BTreeSet<String> {
    let items = page.lines().filter(|line| line.starts_with(".It Fl "));
    let flags = items.flat_map(|line| line.split(" Fl ").skip(1));
    let flags = flags.chain(
        // The first of an item has the macro's own dot before it.
        page.lines().filter_map(|line| line.strip_prefix(".It Fl ")),
    );
    flags.filter_map(|flag| Some(format!("-{}", flag.split(' ').next()?))).collect()
}
