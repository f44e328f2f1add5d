//! Completions for bash, zsh and fish, made from the definition of the options.
//!
//! `--completions SHELL` prints a script for that shell. The valid values of an option come from
//! the value's name: `lines|nul|TEMPLATE` means two words or anything else, `FILE` means a file.

mod bash;
mod fish;
mod zsh;

use crate::cli::aliases::Aliases;
use crate::cli::failure::Failure;
use crate::cli::help::options;
use crate::cli::profiles;
use argh::{CommandInfoWithArgs, FlagInfo, FlagInfoKind, PositionalInfo};

/// What `--completions` of `what` prints: a shell's script, or the profiles for which the scripts
/// ask, one per line and in the form that `--url` takes.
///
/// # Errors
/// `what` is neither (64).
pub(crate) fn script(
    what: &str,
    program: &str,
    info: &CommandInfoWithArgs,
    aliases: Aliases,
) -> Result<String, Failure> {
    let tool = Tool { program, info, aliases };
    match what {
        "bash" => Ok(bash::script(&tool)),
        "fish" => Ok(fish::script(&tool)),
        "zsh" => Ok(zsh::script(&tool)),
        "profiles" => Ok(profiles::names().iter().map(|name| format!("@{name}\n")).collect()),
        _ => Err(Failure::usage("--completions takes bash, fish, zsh or profiles")),
    }
}

/// The tool to complete.
struct Tool<'a> {
    program: &'a str,
    info: &'a CommandInfoWithArgs,
    aliases: Aliases,
}

impl Tool<'_> {
    /// The program's name in a form that is valid for a shell function.
    fn function(&self) -> String {
        format!("_{}", self.program.replace('-', "_"))
    }

    /// The names of the subcommand `name`: its own, and rabbitmqctl's.
    fn names(&self, name: &str) -> Vec<String> {
        let others = self
            .aliases
            .iter()
            .filter(|(_, of)| of.split(' ').next() == Some(name))
            .map(|(alias, _)| *alias);
        [name].into_iter().chain(others).map(str::to_owned).collect()
    }
}

/// What is valid in one place.
#[derive(Debug, Default, PartialEq, Eq)]
struct Values<'a> {
    words: Vec<&'a str>,
    /// A profile, as `@NAME`.
    profiles: bool,
    files: bool,
    directories: bool,
    /// A command and its arguments, after `--`.
    command: bool,
}

impl<'a> Values<'a> {
    /// The values of an option; `None` if it takes none.
    fn of_option(flag: &FlagInfo<'a>) -> Option<Self> {
        match flag.kind {
            FlagInfoKind::Switch => None,
            FlagInfoKind::Option { arg_name } => Some(Values::of(arg_name)),
        }
    }

    /// The values of an operand, the last of which may be repeated.
    fn of_operand(positional: &PositionalInfo<'a>) -> Self {
        Values::of(positional.name.rsplit(' ').next().unwrap_or_default())
    }

    /// The values of a subcommand's operands, in any place.
    fn of_operands(info: &CommandInfoWithArgs) -> Values<'static> {
        operands(info).map(Values::of_operand).fold(Values::default(), |mut all, one| {
            all.words.extend(one.words);
            Values { words: all.words, files: all.files || one.files, ..all }
        })
    }

    fn of(name: &'a str) -> Self {
        let mut values = Values::default();
        for part in name.split('|') {
            match part {
                "@PROFILE" => values.profiles = true,
                "FILE" | "FIFO" => values.files = true,
                "DIR" => values.directories = true,
                "COMMAND" => values.command = true,
                _ if part.chars().any(char::is_uppercase) => {}
                _ => values.words.push(part),
            }
        }
        values
    }
}

/// The operands that are not hidden.
fn operands(info: &CommandInfoWithArgs) -> impl Iterator<Item = &'static PositionalInfo<'static>> {
    info.positionals.iter().filter(|positional| !positional.hidden)
}

/// The options of a subcommand that the tool itself does not have.
fn own<'a>(
    tool: &Tool<'a>,
    command: &'a CommandInfoWithArgs,
) -> impl Iterator<Item = &'static FlagInfo<'static>> + use<'a> {
    let info = tool.info;
    options(command).filter(|own| options(info).all(|shared| shared.long != own.long))
}

/// An option's names, the short one first.
fn names(flag: &FlagInfo<'_>) -> Vec<String> {
    let short = flag.short.map(|short| format!("-{short}"));
    short.into_iter().chain([flag.long.to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_value_says_what_may_stand_there() {
        let words = |name| Values::of(name).words;
        assert_eq!(words("lines|nul|TEMPLATE"), ["lines", "nul"]);
        assert_eq!(words("auto|ID"), ["auto"]);
        assert_eq!(words("1|2"), ["1", "2"]);
        for free in ["N", "NAME:TYPE", "EXCHANGE[:KEY]", "first-OF", "@SECONDS"] {
            assert_eq!(
                Values::of(free),
                Values { words: Values::of(free).words, ..Values::default() }
            );
            assert_eq!(words(free), [""; 0], "{free}");
        }
        assert!(Values::of("URL|@PROFILE").profiles);
        assert!(Values::of("FIFO").files && Values::of("DIR").directories);
    }

    #[test]
    fn what_is_no_shell_is_a_usage_error() {
        let info = CommandInfoWithArgs::default();
        assert_eq!(script("csh", "tool", &info, &[]).unwrap_err().exit().status(), 64);
    }
}
