//! Parses a command line, the same way in every tool.
//!
//! argh supports neither `--option=value`, nor `-n5`, nor `-`, and ends a usage error with 1. So
//! the words are first rewritten in the form that it supports: options, then `--`, then everything
//! else. `#[derive(ArgsInfo)]` provides the options, so nothing is written twice.

mod form;

pub use crate::cli::aliases::Aliases;
use crate::cli::argument_bytes;
use crate::cli::completions;
use crate::cli::failure::{Cause, Failure};
use crate::cli::help::{self, Help};
use crate::cli::nearest;
use crate::cli::standard_streams;
use argh::{ArgsInfo, CommandInfoWithArgs, FlagInfo, FlagInfoKind, FromArgs};
use form::Form;
use std::ffi::OsString;
use std::io::Write;

/// Parses this process's arguments. `None` means that help or the version was requested and
/// printed.
///
/// # Errors
/// A usage error (64), or the help cannot be written (74).
pub fn parse<T: FromArgs + ArgsInfo>(
    program: &'static str,
    aliases: Aliases,
    help: &Help,
) -> Result<Option<T>, Failure> {
    read::<T>(program, std::env::args_os().skip(1), aliases, help)
}

fn read<T: FromArgs + ArgsInfo>(
    program: &str,
    arguments: impl Iterator<Item = OsString>,
    aliases: Aliases,
    help: &Help,
) -> Result<Option<T>, Failure> {
    let info = T::get_args_info();
    let words: Vec<String> = arguments.map(|word| argument_bytes::encode(&word)).collect();
    let plain = match plain_form(&words, &info, aliases)? {
        Request::Run(plain) => plain,
        Request::Version => {
            print(&format!("{program} {}\n", env!("CARGO_PKG_VERSION")))?;
            return Ok(None);
        }
        Request::Help { command, all } => {
            let command = info.commands.iter().find(|it| Some(it.name) == command.as_deref());
            print(&match command {
                Some(command) => help::of_command(program, &command.command),
                None => help.of_tool(program, &info, all),
            })?;
            return Ok(None);
        }
        Request::Completions(of) => {
            print(&completions::script(&of, program, &info, aliases)?)?;
            return Ok(None);
        }
    };
    let plain: Vec<&str> = plain.iter().map(String::as_str).collect();
    let parsed = T::from_args(&[program], &plain);
    parsed.map(Some).map_err(|early| Failure::usage(problem(&early.output)))
}

/// argh's sentence in this project's words, on one line.
pub fn problem(said: &str) -> String {
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some(missing) = said.strip_prefix("Required positional arguments not provided: ") {
        return format!("missing: {missing}");
    }
    if let Some(word) = said.strip_prefix("Unrecognized argument: ") {
        return format!("unexpected argument '{word}'");
    }
    if let Some(names) = said.strip_prefix("One of the following subcommands must be present: ") {
        let names = names.strip_prefix("help ").unwrap_or(names).replace(' ', ", ");
        return format!("missing: one of {names}");
    }
    // Error parsing positional argument 'operation' with value 'x': 'x' is no operation
    let positional = said.strip_prefix("Error parsing positional argument '");
    if let Some((_, why)) = positional.and_then(|rest| rest.split_once("': ")) {
        return why.to_owned();
    }
    // Error parsing option '--window' with value '0': not a number from 1 to 65535
    let parts = said.strip_prefix("Error parsing option '").and_then(|rest| {
        let (option, rest) = rest.split_once("' with value '")?;
        let (value, why) = rest.split_once("': ")?;
        if why.starts_with("duplicate") {
            // The value may be a URL with a password in it.
            return Some(format!("{option} is given twice"));
        }
        let value = argument_bytes::text(value).unwrap_or_else(|shown| shown);
        Some(format!("{option} {value}: {why}"))
    });
    parts.unwrap_or(said)
}

#[derive(Debug, PartialEq, Eq)]
enum Request {
    /// Run, with these words in argh's form.
    Run(Vec<String>),
    /// Help for a subcommand, if named, with the tool's common options or all.
    Help { command: Option<String>, all: bool },
    /// A shell's completions, or their candidates. It is for packages and shells, so it is not a
    /// normal option.
    Completions(String),
    /// The version.
    Version,
}

/// Rewrites the words in argh's form: options, the subcommand, its options, `--`, the rest.
fn plain_form(
    words: &[String],
    info: &CommandInfoWithArgs,
    aliases: Aliases,
) -> Result<Request, Failure> {
    // A subcommand's options may also precede it.
    let subcommand_at = subcommand_at(words, info);
    let ahead = subcommand_at.and_then(|at| subcommand(words.get(at)?, info, aliases).ok());
    let mut form = Form { info, subcommand: None, ahead, options: Vec::new(), own: Vec::new() };
    let mut positionals = Vec::new();
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        if word == "--" {
            for word in words.by_ref() {
                positionals.push(text(word)?);
            }
        } else if let Some(long) = word.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (long, None),
            };
            match name {
                "help" => return form.help(value),
                "version" => return Ok(Request::Version),
                "completions" => {
                    let of = value.or_else(|| words.next()).unwrap_or_default();
                    return Ok(Request::Completions(of.to_owned()));
                }
                _ => form.long(name, value, &mut words)?,
            }
        } else if word.len() > 1 && word.starts_with('-') {
            if let Some(request) = form.cluster(word, &mut words)? {
                return Ok(request);
            }
        } else if !info.commands.is_empty() && form.subcommand.is_none() {
            let named = subcommand(&text(word)?, info, aliases)?;
            form.own.extend(named.switch);
            form.subcommand = Some(named.name);
        } else {
            positionals.push(text(word)?);
        }
    }
    let mut plain = form.options;
    plain.extend(form.subcommand);
    plain.extend(form.own);
    if !positionals.is_empty() {
        plain.push("--".to_owned());
        plain.extend(positionals);
    }
    Ok(Request::Run(plain))
}

/// A word that has to be text.
fn text(word: &str) -> Result<String, Failure> {
    argument_bytes::text(word)
        .map_err(|shown| Failure::usage(format!("the argument '{shown}' is not UTF-8")))
}

/// A subcommand, and the switch that its alias implies.
#[derive(Debug)]
struct Subcommand {
    name: String,
    switch: Option<String>,
}

/// The subcommand for `word`.
fn subcommand(
    word: &str,
    info: &CommandInfoWithArgs,
    aliases: Aliases,
) -> Result<Subcommand, Failure> {
    // rabbitmqctl uses underscores, and its users may type hyphens.
    let is_same = |name: &str| name == word || name.replace('_', "-") == word.replace('_', "-");
    let alias = aliases.iter().find(|(alias, _)| is_same(alias)).map(|(_, target)| *target);
    let target = alias.unwrap_or(word);
    let (name, switch) = match target.split_once(' ') {
        Some((name, switch)) => (name, Some(switch.to_owned())),
        None => (target, None),
    };
    let known = || info.commands.iter().map(|command| command.name);
    let same = known().find(|known| *known == name || (alias.is_none() && is_same(known)));
    if let Some(name) = same {
        return Ok(Subcommand { name: name.to_owned(), switch });
    }
    if let Some(command) = alias {
        return Err(Failure::usage(format!("unknown command {word}; that is: {command}")));
    }
    let names = known().chain(aliases.iter().map(|(alias, _)| *alias));
    let hint = match nearest::nearest(word, names) {
        Some(meant) => match aliases.iter().find(|(alias, _)| *alias == meant) {
            Some((_, target)) if known().all(|known| target.split(' ').next() != Some(known)) => {
                format!("; did you mean {meant}? that is: {target}")
            }
            _ => format!("; did you mean {meant}?"),
        },
        None => String::new(),
    };
    Err(Failure::usage(format!("unknown command {word}{hint}")))
}

/// The position of the subcommand: the first word that is neither an option nor an option's value.
fn subcommand_at(words: &[String], info: &CommandInfoWithArgs) -> Option<usize> {
    let commands = info.commands.iter().flat_map(|command| command.command.flags);
    let flags: Vec<&FlagInfo<'_>> = info.flags.iter().chain(commands).collect();
    let takes_value = |wanted: &dyn Fn(&FlagInfo<'_>) -> bool| {
        let flag = flags.iter().find(|flag| wanted(flag));
        flag.is_some_and(|flag| matches!(flag.kind, FlagInfoKind::Option { .. }))
    };
    let mut at = 0;
    while let Some(word) = words.get(at).map(String::as_str) {
        let value_follows = match word.strip_prefix("--") {
            Some("") => return None,
            Some(long) => takes_value(&|flag| flag.long.trim_start_matches('-') == long),
            None if word.len() > 1 && word.starts_with('-') => {
                let letters = word.char_indices().skip(1);
                let option = letters.clone().find(|(_, letter)| {
                    takes_value(&|flag: &FlagInfo<'_>| flag.short == Some(*letter))
                });
                option.is_some_and(|(at, letter)| at + letter.len_utf8() == word.len())
            }
            None => return (!info.commands.is_empty()).then_some(at),
        };
        at += if value_follows { 2 } else { 1 };
    }
    None
}

fn print(text: &str) -> Result<(), Failure> {
    standard_streams::output()?;
    let mut output = std::io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::new(
            crate::cli::exit::Exit::IoErr,
            format!("write help: {}", Cause(&error)),
        )),
        Ok(()) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
