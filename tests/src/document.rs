//! The commands that a page shows, and the output that it shows for them.
//!
//! In a block of literal text, a line that begins with `$ ` is a command, followed by its output;
//! in a block without such lines, everything is commands. A command has as many lines as the shell
//! needs.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// A part of a page, from one heading to the next.
#[derive(Debug)]
pub struct Section {
    /// Its heading.
    pub title: String,
    /// The blocks of literal text in it.
    pub blocks: Vec<Block>,
}

/// Literal text.
#[derive(Debug, Default)]
pub struct Block {
    /// Its first line in the page, from 1.
    pub line: usize,
    /// Its lines.
    pub lines: Vec<String>,
}

/// A command of a page.
#[derive(Debug)]
pub struct Step {
    /// Its first line in the page, from 1.
    pub line: usize,
    /// What is typed.
    pub command: String,
    /// The output that the page shows; empty if it shows none.
    pub output: Vec<String>,
}

/// The sections of a manual page or a Markdown page, by its path from the top directory.
///
/// # Panics
/// When it cannot be read.
pub fn sections(page: &str) -> Vec<Section> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(page);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{page}: {error}"));
    if page.ends_with(".md") { of_markdown(&text) } else { of_manual(&text) }
}

fn of_markdown(text: &str) -> Vec<Section> {
    let mut pages = Pages::default();
    for (number, line) in text.lines().enumerate() {
        if let Some(title) = line.strip_prefix("## ") {
            pages.begin_section(title);
        } else if let Some(line) = line.strip_prefix("    ") {
            pages.add(number + 1, line.to_owned());
        } else {
            pages.end_block();
        }
    }
    pages.sections
}

fn of_manual(text: &str) -> Vec<Section> {
    let mut pages = Pages::default();
    let mut literal = false;
    for (number, line) in text.lines().enumerate() {
        if let Some(title) = line.strip_prefix(".Sh ") {
            pages.begin_section(title);
        } else if line.starts_with(".Dl $") {
            panic!(
                "line {}: .Dl takes a lone dot for the end of a sentence; .Bd -literal",
                number + 1
            );
        } else if line.starts_with(".Bd -literal") {
            literal = true;
        } else if line == ".Ed" {
            literal = false;
            pages.end_block();
        } else if literal {
            pages.add(number + 1, unescaped(line));
        }
    }
    pages.sections
}

/// Text as a manual page shows it.
fn unescaped(line: &str) -> String {
    let line = line.replace("\\(dq", "\"").replace("\\(aq", "'").replace("\\&", "");
    line.replace("\\e", "\\")
}

#[derive(Default)]
struct Pages {
    sections: Vec<Section>,
    in_block: bool,
}

impl Pages {
    fn begin_section(&mut self, title: &str) {
        self.end_block();
        self.sections.push(Section { title: title.to_owned(), blocks: Vec::new() });
    }

    fn add(&mut self, number: usize, line: String) {
        if self.sections.is_empty() {
            self.begin_section("");
        }
        let blocks = &mut self.sections.last_mut().expect("one was begun").blocks;
        if !self.in_block {
            blocks.push(Block { line: number, lines: Vec::new() });
        }
        self.in_block = true;
        blocks.last_mut().expect("one was begun").lines.push(line);
    }

    fn end_block(&mut self) {
        self.in_block = false;
    }
}

impl Block {
    /// The commands in it.
    pub fn steps(&self) -> Vec<Step> {
        let prompted = self.lines.iter().any(|line| line.starts_with("$ "));
        let mut steps: Vec<Step> = Vec::new();
        for (index, line) in self.lines.iter().enumerate() {
            let typed = if prompted { line.strip_prefix("$ ") } else { Some(&line[..]) };
            let unfinished = steps.last_mut().filter(|it| it.output.is_empty());
            match (unfinished.filter(|it| !is_whole(&it.command)), typed) {
                (Some(step), _) => {
                    step.command.push('\n');
                    step.command.push_str(line);
                }
                (None, Some(typed)) => steps.push(Step {
                    line: self.line + index,
                    command: typed.to_owned(),
                    output: Vec::new(),
                }),
                (None, None) => {
                    let step = steps.last_mut().expect("a prompt before what comes out");
                    step.output.push(line.clone());
                }
            }
        }
        steps
    }
}

/// Whether the shell needs no more lines.
fn is_whole(command: &str) -> bool {
    let mut shell = Command::new("bash");
    shell.args(["-n", "-c", command]).stdin(Stdio::null()).stderr(Stdio::null());
    !command.ends_with('\\') && shell.status().expect("run bash").success()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(block: &Block) -> Vec<(String, Vec<String>)> {
        block.steps().into_iter().map(|step| (step.command, step.output)).collect()
    }

    #[test]
    fn a_command_is_as_many_lines_as_the_shell_needs_and_what_follows_is_its_output() {
        let text = "# Page\n\n## One\n\n    $ a |\n        b \\\n        c\n    out\n\n\
                    \u{20}   put\n    $ d\n\n## Two\n\n    e\n    f 'g\n    h'\n";
        let sections = of_markdown(text);
        assert_eq!(sections.iter().map(|it| &it.title[..]).collect::<Vec<_>>(), ["One", "Two"]);
        assert_eq!(sections[0].blocks.len(), 2);
        let first = commands(&sections[0].blocks[0]);
        assert_eq!(first, [("a |\n    b \\\n    c".to_owned(), vec!["out".to_owned()])]);
        let last = commands(&sections[1].blocks[0]);
        assert_eq!(last, [("e".to_owned(), vec![]), ("f 'g\nh'".to_owned(), vec![])]);
    }

    #[test]
    fn a_manual_page_shows_its_escapes_as_what_they_are() {
        let text = ".Sh EXAMPLES\n.Bd -literal\n$ a '\\et'\n.Ed\nText.\n\
                    .Bd -literal -offset indent\n$ b \\(dqc\\(dq\nd\n.Ed\n";
        let sections = of_manual(text);
        let [one, two] = &sections[0].blocks[..] else { panic!("{sections:?}") };
        assert_eq!(commands(one), [("a '\\t'".to_owned(), vec![])]);
        assert_eq!(commands(two), [("b \"c\"".to_owned(), vec!["d".to_owned()])]);
        assert_eq!((one.line, two.line), (3, 7));
    }
}
