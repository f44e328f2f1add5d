//! Checks that the broker's words are parsed in one file: here, and for administration in rmq-perm.

use super::words::PHRASES;
use std::fs;
use std::path::{Path, PathBuf};

/// Phrases that our own sentences contain as well; no other file may search for them.
const COMMON: &[&str] = &["refused", "the value ", " not empty", " in use", "limit (", "limit of "];

/// Ways to search a text.
const LOOKS: &[&str] = &[
    "contains(",
    "starts_with(",
    "ends_with(",
    "strip_prefix(",
    "strip_suffix(",
    "split_once(",
    "find(",
    "== ",
    "!= ",
];

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The code of a file, line by line, without its comments and tests.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let tests = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    text[..tests].lines().map(str::trim).filter(|line| !line.starts_with("//"))
}

/// The first of the broker's phrases on a line.
fn phrase_in(line: &str) -> Option<&'static str> {
    let mut literals = line.split('"').skip(1).step_by(2);
    literals.find_map(|literal| {
        let own = PHRASES.iter().filter(|phrase| !COMMON.contains(phrase));
        let of_broker = own.copied().find(|phrase| literal.contains(phrase));
        let looks = LOOKS.iter().any(|look| line.contains(&format!("{look}\"{literal}")));
        let common = || COMMON.iter().find(|phrase| literal.trim() == phrase.trim()).copied();
        of_broker.or_else(|| common().filter(|_| looks))
    })
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn is_test(file: &Path) -> bool {
    let text = file.to_string_lossy();
    ["tests.rs", "_tests/", "fuzz.rs", "/orders", "/tests/"].iter().any(|part| text.contains(part))
}

/// Finds lines of rmq-perm outside of `words` that contain one of the words defined there: anywhere
/// if the word has no other use, otherwise if something is compared with it.
fn administration_words_in(line: &str, words: &[String]) -> Option<String> {
    let looks = ["is_atom(", "tagged(", "property(", "get(", "== ", "!= ", "Some("];
    let literals = line.split('"').skip(1).step_by(2);
    let mut found = literals.filter_map(|literal| words.iter().find(|word| *word == literal));
    found
        .find(|word| {
            let is_common = word.chars().all(|letter| letter.is_ascii_lowercase());
            !is_common || looks.iter().any(|look| line.contains(&format!("{look}\"{word}\"")))
        })
        .cloned()
}

/// The words that rmq-perm's `words` defines, each in a constant.
fn administration_words() -> Vec<String> {
    let file = workspace().join("rmq-perm/src/refusal/words.rs");
    let text = fs::read_to_string(file).unwrap();
    let constants = text.lines().filter(|line| line.starts_with("const "));
    constants.filter_map(|line| Some(line.split('"').nth(1)?.to_owned())).collect()
}

#[test]
fn no_other_file_of_rmq_perm_reads_a_word_of_its_brokers() {
    let words = administration_words();
    assert!(words.len() > 20, "{words:?}");
    let mut files = Vec::new();
    sources(&workspace().join("rmq-perm/src"), &mut files);
    let mut found = Vec::new();
    for file in files.iter().filter(|file| !is_test(file) && !file.ends_with("refusal/words.rs")) {
        let text = fs::read_to_string(file).unwrap();
        found.extend(code(&text).filter_map(|line| {
            Some(format!("{}: {}: {line}", file.display(), administration_words_in(line, &words)?))
        }));
    }
    assert!(found.is_empty(), "{found:#?}");
    for (line, wanted) in [
        (r#"if reason == "Login failed" {"#, Some("Login failed")),
        (r#"let why = answer.tagged("error")?;"#, Some("error")),
        (r#"diagnostics.detail("error")"#, None),
        (r#"format!("no such user")"#, None),
    ] {
        assert_eq!(administration_words_in(line, &words).as_deref(), wanted, "{line}");
    }
}

#[test]
fn no_other_file_has_a_word_of_the_brokers_sentences() {
    let workspace = workspace();
    let mut files = Vec::new();
    for tool in ["rmq-common", "rmq-declare", "rmq-perm", "rmq-recv", "rmq-send"] {
        sources(&workspace.join(tool).join("src"), &mut files);
    }
    assert!(files.len() > 200, "{} files", files.len());
    let mut found = Vec::new();
    for file in files.iter().filter(|file| !is_test(file)) {
        if file.ends_with("amqp_error/words.rs") {
            continue;
        }
        let text = fs::read_to_string(file).unwrap();
        found.extend(
            code(&text).filter_map(|line| {
                Some(format!("{}: {}: {line}", file.display(), phrase_in(line)?))
            }),
        );
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_word_of_the_brokers_is_found_and_our_own_are_not() {
    for (line, wanted) in [
        ("if text.contains(\"reserved prefix\") {", Some("reserved prefix")),
        ("if why.starts_with(\"no queue 'x\") {", Some("no queue '")),
        ("if why.ends_with(\"not empty\") {", Some(" not empty")),
        ("Some(\"it is not empty\")", None),
        ("format!(\"the broker refused it\")", None),
    ] {
        assert_eq!(phrase_in(line), wanted, "{line}");
    }
}
