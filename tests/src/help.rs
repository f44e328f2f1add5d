//! What `--help` prints, and its lines that define options.

use crate::tool::Tool;

/// What the tool prints for these words, including `--help`.
///
/// # Panics
/// When it fails.
pub fn help(tool: &str, words: &[&str]) -> String {
    String::from_utf8(Tool::new(tool).arguments(words).run().expect(0).stdout).unwrap()
}

/// `-e, --exchange NAME   send to ...`: the lines that begin with an option. Explanations are
/// indented further, whatever they begin with.
pub fn options(help: &str) -> impl Iterator<Item = &str> {
    help.lines().filter_map(|line| {
        let option = line.trim_start();
        let indent = line.len() - option.len();
        (option.starts_with('-') && (2..=6).contains(&indent)).then_some(option)
    })
}
