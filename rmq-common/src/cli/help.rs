//! Generates `--help` from the definition of the options.
//!
//! It fits on a screen: each group explains its common options and only names the others.
//! `--help=all` explains every one.

use argh::{CommandInfoWithArgs, FlagInfo, FlagInfoKind, Optionality, PositionalInfo};

/// The columns in which explanations begin and end.
const COLUMN: usize = 26;
const WIDTH: usize = 80;
/// The minimum width of subcommand names.
const COMMAND_COLUMN: usize = 19;
/// The groups of the options that several tools share.
const SHARED_GROUPS: [(&str, &str); 2] = [("Broker", "--url"), ("In every tool", "--quiet")];
/// The common options among them.
const SHARED_COMMON: [&str; 2] = ["--url", "--vhost"];

/// What the help needs besides the definition of the options.
#[derive(Clone, Copy, Debug)]
pub struct Help {
    /// The forms of the command line, without the tool's name.
    pub usage: &'static [&'static str],
    /// An example that works as it stands.
    pub example: &'static str,
    /// Groups of options, in the order of the definition: a title, and the first option. The shared
    /// options need none.
    pub groups: &'static [(&'static str, &'static str)],
    /// The common options, which `--help` explains; if empty, it explains all.
    pub common: &'static [&'static str],
    /// Groups of commands, likewise. `--help` names the commands of each, `--help=all` explains them.
    pub commands: &'static [(&'static str, &'static str)],
}

impl Help {
    /// The help of the tool called `program`, for all options or the common ones.
    pub(crate) fn of_tool(&self, program: &str, info: &CommandInfoWithArgs, all: bool) -> String {
        let mut text = String::new();
        for (index, usage) in self.usage.iter().enumerate() {
            let before = if index == 0 { "Usage:" } else { "      " };
            text.push_str(&format!("{before} {program} {usage}\n"));
        }
        text.push('\n');
        wrap(&mut text, 0, info.description);
        text.push_str(&format!("\nExample: {}\n", self.example));
        if all || self.common.is_empty() {
            arguments(&mut text, info.positionals);
        }
        text.push('\n');
        self.options(&mut text, &options(info).collect::<Vec<_>>(), all || self.common.is_empty());
        if !info.commands.is_empty() {
            text.push_str("\nCommands:\n");
            if all { explained(&mut text, info) } else { self.grouped(&mut text, info) }
        }
        let more = match (info.commands.is_empty(), all) {
            (false, false) => format!(
                "{program} COMMAND --help explains a command, --help=all says what each does"
            ),
            (false, true) => {
                format!("{program} COMMAND --help explains a command; man {program} all")
            }
            (true, false) => {
                format!("{program} --help=all explains every option, man {program} what it does")
            }
            (true, true) => format!("man {program} explains what it does"),
        };
        text.push_str(&format!("\n{more}.\n"));
        text
    }

    /// The names of the commands, a group a line.
    fn grouped(&self, text: &mut String, info: &CommandInfoWithArgs) {
        let names: Vec<&str> = info.commands.iter().map(|command| command.name).collect();
        let title = |name: &str| self.commands.iter().find(|(_, first)| *first == name);
        let mut rest = names.as_slice();
        while let Some(first) = rest.first() {
            let end = rest.iter().skip(1).position(|name| title(name).is_some());
            let (group, after) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
            let left = title(first).map_or(String::new(), |(title, _)| format!("  {title}:"));
            wrap_behind(text, &format!("{left:COMMAND_COLUMN$} "), &group.join(", "));
            rest = after;
        }
    }

    fn options(&self, text: &mut String, flags: &[&FlagInfo<'_>], all: bool) {
        let groups: Vec<_> = self.groups.iter().chain(&SHARED_GROUPS).collect();
        let begins = |flag: &FlagInfo<'_>| groups.iter().find(|(_, first)| *first == flag.long);
        let mut rest = flags;
        while let Some(first) = rest.first() {
            let end = rest.iter().skip(1).position(|flag| begins(flag).is_some());
            let (group, behind) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
            let title = begins(first).map_or("Options", |(title, _)| title);
            self.group(text, title, group, all);
            rest = behind;
        }
    }

    fn group(&self, text: &mut String, title: &str, flags: &[&FlagInfo<'_>], all: bool) {
        let is_common = |flag: &FlagInfo<'_>| {
            self.common.iter().chain(&SHARED_COMMON).any(|it| *it == flag.long)
        };
        let (explained, named): (Vec<&FlagInfo<'_>>, Vec<&FlagInfo<'_>>) =
            flags.iter().partition(|flag| all || is_common(flag));
        let names = named.iter().map(|flag| flag.long).collect::<Vec<_>>().join(", ");
        if explained.is_empty() {
            wrap_behind(text, &format!("{title}: "), &names);
            return;
        }
        text.push_str(&format!("{title}:\n"));
        for flag in explained {
            let description = flag.description;
            let description = if all { description } else { first_clause(description) };
            entry(text, &left(flag), description);
        }
        if !named.is_empty() {
            wrap_behind(text, "  also ", &names);
        }
    }
}

/// The commands, each with what it does.
fn explained(text: &mut String, info: &CommandInfoWithArgs) {
    for command in &info.commands {
        let clause = first_clause(command.command.description);
        let clause = clause.split([',', ':']).next().unwrap_or(clause);
        let clause = without_remark(clause).replace(" (-p)", "");
        let left = format!("  {}", command.name);
        wrap_behind(text, &format!("{left:COMMAND_COLUMN$} "), &clause);
    }
}

/// The help of a subcommand.
pub(crate) fn of_command(program: &str, info: &CommandInfoWithArgs) -> String {
    let mut text = format!("Usage: {program} {} [options]", info.name);
    for positional in info.positionals.iter().filter(|positional| !positional.hidden) {
        text.push(' ');
        text.push_str(&shown(positional));
    }
    text.push_str("\n\n");
    wrap(&mut text, 0, info.description);
    arguments(&mut text, info.positionals);
    text.push_str("\nOptions:\n");
    for flag in options(info) {
        entry(&mut text, &left(flag), flag.description);
    }
    text.push_str(&format!("\n{program} --help explains the options of every command.\n"));
    text
}

fn arguments(text: &mut String, positionals: &[PositionalInfo<'_>]) {
    let mut positionals = positionals.iter().filter(|positional| !positional.hidden).peekable();
    if positionals.peek().is_some() {
        text.push_str("\nArguments:\n");
    }
    for positional in positionals {
        entry(text, &format!("  {}", positional.name), positional.description);
    }
}

fn shown(positional: &PositionalInfo<'_>) -> String {
    let name = positional.name;
    match positional.optionality {
        Optionality::Required => name.to_owned(),
        Optionality::Optional => format!("[{name}]"),
        Optionality::Repeating | Optionality::Greedy => format!("[{name}...]"),
    }
}

/// `  -e, --exchange NAME`
fn left(flag: &FlagInfo<'_>) -> String {
    let short = flag.short.map_or("    ".to_owned(), |short| format!("-{short}, "));
    let value = match flag.kind {
        FlagInfoKind::Switch => String::new(),
        FlagInfoKind::Option { arg_name } => format!(" {arg_name}"),
    };
    format!("  {short}{}{value}", flag.long)
}

/// `--help`, which has no letter in argh's definition.
static HELP: FlagInfo<'static> = FlagInfo {
    kind: FlagInfoKind::Switch,
    optionality: Optionality::Optional,
    long: "--help",
    short: Some('h'),
    description: "explain the options and exit; with =all, all of them",
    hidden: false,
};

/// The options that are not hidden, `--help` last.
pub(crate) fn options(
    info: &CommandInfoWithArgs,
) -> impl Iterator<Item = &'static FlagInfo<'static>> {
    let others = info.flags.iter().filter(|flag| !flag.hidden && flag.long != HELP.long);
    others.chain([&HELP])
}

/// The main part of a description: up to the first semicolon or full stop, without a closing remark
/// in brackets.
pub(crate) fn first_clause(description: &str) -> &str {
    let end = ["; ", ". "].iter().filter_map(|end| description.find(end)).min();
    let clause = end.and_then(|end| description.get(..end)).unwrap_or(description);
    without_remark(clause.trim_end_matches('.'))
}

fn without_remark(clause: &str) -> &str {
    match clause.rsplit_once(" (") {
        Some((before, remark)) if remark.ends_with(')') => before,
        _ => clause,
    }
}

fn entry(text: &mut String, left: &str, description: &str) {
    if left.len() + 2 > COLUMN {
        text.push_str(left);
        text.push('\n');
        wrap_behind(text, &" ".repeat(COLUMN), description);
    } else {
        wrap_behind(text, &format!("{left:COLUMN$}"), description);
    }
}

/// Writes `words` after `before`; further lines are indented by its width.
fn wrap_behind(text: &mut String, before: &str, words: &str) {
    let mut wrapped = String::new();
    wrap(&mut wrapped, before.len(), words);
    text.push_str(before);
    text.push_str(wrapped.trim_start());
}

/// Writes `words` in lines of at most [`WIDTH`] columns, each indented by `indent`.
fn wrap(text: &mut String, indent: usize, words: &str) {
    let mut line = " ".repeat(indent);
    let mut is_empty = true;
    for word in words.split_whitespace() {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            text.push_str(&line);
            text.push('\n');
            line = " ".repeat(indent);
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    text.push_str(&line);
    text.push('\n');
}

#[cfg(test)]
mod tests;
