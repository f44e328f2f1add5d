//! The messages of the tools according to their sources, and according to a page's DIAGNOSTICS.

use std::fs;
use std::path::{Path, PathBuf};

/// Placeholders in the messages of the pages.
const PLACEHOLDERS: [&str; 52] = [
    "ADDRESS",
    "ARGUMENT",
    "CAUSE",
    "COMMAND",
    "CONFIGURE",
    "DIR",
    "DURATION",
    "EXCHANGE",
    "FEATURE",
    "FIFO",
    "FILE",
    "HOST",
    "KEY",
    "N",
    "NAME",
    "NAMES",
    "NODE",
    "Nms",
    "Ns",
    "OPTION",
    "PATTERN",
    "PERMISSION",
    "PORT",
    "QUEUE",
    "QUEUES",
    "RANGES",
    "READ",
    "REASON",
    "REMEDY",
    "SEP",
    "TEXT",
    "TIME",
    "TYPE",
    "URL",
    "USER",
    "VALUE",
    "VALUES",
    "VERSION",
    "VHOST",
    "WORD",
    "WRITE",
    "X",
    "RECORD",
    "LINE",
    "RUN",
    "ID",
    "ACTION",
    "WHAT",
    "TARGET",
    "HEADER",
    "TAG",
    "ALARM",
];
/// The most pieces of source text that a piece of a message may come from: the text between two
/// values often consists of two sentences.
const PIECES: usize = 3;

/// The pieces of text between inserted values in the sources of a crate.
///
/// # Panics
/// When they cannot be read.
pub fn pieces(package: &str) -> Vec<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(package).join("src");
    let mut texts = Vec::new();
    for file in files(&directory) {
        let source = fs::read_to_string(&file).expect("read a source");
        let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        texts.extend(literals(code).iter().flat_map(|text| between_values(text)));
    }
    assert!(texts.len() > 50, "{package}: are its sources still understood?");
    texts
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("a directory of sources");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let sources = paths.filter(|path| !path.ends_with("tests"));
    sources.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The string literals in Rust code.
fn literals(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(start) = rest.find(['"', '/', '\'']) {
        let at = &rest[start..];
        let is_raw = at.starts_with('"') && rest[..start].ends_with("r#");
        rest = if is_raw {
            let (text, rest) = at[1..].split_once("\"#").unwrap_or((&at[1..], ""));
            // Its braces are text, unless a value is inserted.
            let text = if text.contains("{}") { text.to_owned() } else { doubled(text) };
            found.push(text);
            rest
        } else if at.starts_with("//") {
            at.find('\n').map_or("", |end| &at[end..])
        } else if at.starts_with("'\"'") || at.starts_with("'\\\"'") {
            at[1..].split_once('\'').map_or("", |(_, rest)| rest)
        } else if let Some(inside) = at.strip_prefix('"') {
            let (text, rest) = literal(inside);
            found.push(text);
            rest
        } else {
            &at[1..]
        };
    }
    found
}

/// Braces escaped as in a format string.
fn doubled(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}

/// A text up to its closing quote, and what follows it.
fn literal(inside: &str) -> (String, &str) {
    let mut text = String::new();
    let mut letters = inside.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => break,
            '\\' => match letters.next() {
                Some('\n') => letters = letters.as_str().trim_start().chars(),
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                other => text.extend(other),
            },
            _ => text.push(letter),
        }
    }
    (text, letters.as_str())
}

/// The text between `{value}` and `{}` in a format string.
fn between_values(format: &str) -> Vec<String> {
    let plain = format.replace("{{", "\u{1}").replace("}}", "\u{2}");
    let mut pieces = plain.split('{');
    let first = pieces.next().map(str::to_owned);
    let others =
        pieces.map(|piece| piece.split_once('}').map_or(piece, |(_, after)| after).to_owned());
    let all = first.into_iter().chain(others);
    all.map(|piece| piece.replace('\u{1}', "{").replace('\u{2}', "}")).collect()
}

/// The messages in the DIAGNOSTICS of a page.
///
/// # Panics
/// When the page cannot be read, or has no such section.
pub fn told(page: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../man").join(page);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{page}: {error}"));
    let mut in_list = false;
    let mut told = Vec::new();
    for line in text.lines() {
        match line {
            ".Bl -diag" => in_list = true,
            ".El" => in_list = false,
            _ => {
                let item = line.strip_prefix(".It ").filter(|_| in_list);
                told.extend(item.map(|item| item.replace("\\&", "").replace("\\e", "\\")));
            }
        }
    }
    assert!(told.len() > 10, "{page}: are its DIAGNOSTICS still understood?");
    told
}

/// The first part of a message that no source contains; `None` if each part is found.
pub fn unfounded(message: &str, sources: &[String]) -> Option<String> {
    let spoken = fragments(message);
    if spoken.is_empty() {
        return Some(message.to_owned());
    }
    spoken.into_iter().find(|fragment| !is_said(fragment, sources))
}

/// A message split at inserted values and between its sentences.
fn fragments(message: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for word in message.split_inclusive(|letter: char| !letter.is_alphanumeric()) {
        let bare = word.trim_end_matches(|letter: char| !letter.is_alphanumeric());
        if PLACEHOLDERS.contains(&bare) {
            parts.push(word[bare.len()..].to_owned());
        } else {
            parts.last_mut().expect("one at least").push_str(word);
        }
    }
    let ends = [": ", "; ", ", "];
    let sentences = ends.iter().fold(parts, |parts, end| {
        parts.iter().flat_map(|part| part.split(end)).map(str::to_owned).collect()
    });
    let marks = |letter: char| " ';(),:?=%\\".contains(letter);
    let sentences = sentences.iter().map(|part| part.trim_matches(marks));
    sentences.filter(|part| part.len() > 1).map(str::to_owned).collect()
}

fn is_said(fragment: &str, sources: &[String]) -> bool {
    let mut words: Vec<&str> = fragment.split(' ').collect();
    for _ in 0..PIECES {
        let known = |count: &usize| {
            let part = words[..*count].join(" ");
            sources.iter().any(|piece| piece.contains(&part))
        };
        match (1..=words.len()).rev().find(known) {
            Some(count) => drop(words.drain(..count)),
            None => return false,
        }
        if words.is_empty() {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_taken_from_sources_as_they_are_said() {
        let code = "// a \"comment\"\nlet a = '\"'; f(\"one {a} and \\\n    two {{}}: {}\\\\n\")";
        let pieces: Vec<String> = literals(code).iter().flat_map(|it| between_values(it)).collect();
        assert_eq!(pieces, ["one ", " and two {}: ", "\\n"]);
    }

    #[test]
    fn a_sentence_that_no_source_has_is_found() {
        let sources = ["publish to ", "no such queue in vhost ", "its certificate ", "has expired"];
        let sources = sources.map(str::to_owned);
        assert_eq!(unfounded("publish to QUEUE: no such queue in vhost VHOST", &sources), None);
        assert_eq!(unfounded("its certificate has expired", &sources), None);
        let other = unfounded("publish to QUEUE: no such exchange in vhost VHOST", &sources);
        assert_eq!(other.as_deref(), Some("no such exchange in vhost"));
        assert!(unfounded("QUEUE: CAUSE", &sources).is_some());
    }
}
