//! Rewrites options in the form that argh supports.

use super::{Request, Subcommand, text};
use crate::cli::argument_bytes::BYTES;
use crate::cli::failure::Failure;
use crate::cli::nearest;
use crate::cli::synonyms;
use argh::{CommandInfoWithArgs, FlagInfo, FlagInfoKind};

/// The values that may be empty: texts, and names that the option itself checks. An empty file,
/// number or time comes from an unset shell variable.
const MAY_BE_EMPTY: &[&str] = &[
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
    "TAG",
    "TAGS",
    "TEXT",
    "TYPE",
    "VHOST",
    "auto|ID",
];

/// Options in argh's form, as far as the words are read.
pub(super) struct Form<'a> {
    pub(super) info: &'a CommandInfoWithArgs,
    pub(super) subcommand: Option<String>,
    /// The subcommand, if it is yet to come.
    pub(super) ahead: Option<Subcommand>,
    /// Options of the tool, which precede the subcommand in argh's form.
    pub(super) options: Vec<String>,
    /// Options of the subcommand.
    pub(super) own: Vec<String>,
}

impl Form<'_> {
    pub(super) fn named(&self) -> Option<String> {
        self.subcommand.clone().or_else(|| self.ahead.as_ref().map(|ahead| ahead.name.clone()))
    }

    pub(super) fn help(self, value: Option<&str>) -> Result<Request, Failure> {
        match value {
            None | Some("all") => Ok(Request::Help { command: self.named(), all: value.is_some() }),
            Some(_) => Err(Failure::usage("--help takes nothing, or all: --help=all")),
        }
    }

    pub(super) fn long<'w>(
        &mut self,
        name: &str,
        value: Option<&str>,
        words: &mut impl Iterator<Item = &'w str>,
    ) -> Result<(), Failure> {
        let shown = format!("--{name}");
        self.option(&shown, |flag| flag.long.trim_start_matches('-') == name, value, words)
    }

    /// `-abc`: switches, of which the last may be an option whose value is the rest or the next
    /// word.
    pub(super) fn cluster<'w>(
        &mut self,
        word: &str,
        words: &mut impl Iterator<Item = &'w str>,
    ) -> Result<Option<Request>, Failure> {
        let mut letters = word.chars();
        letters.next();
        while let Some(letter) = letters.next() {
            match letter {
                'h' => {
                    return Ok(Some(Request::Help { command: self.named(), all: false }));
                }
                'V' => return Ok(Some(Request::Version)),
                _ => {}
            }
            let rest = letters.as_str();
            let is_switch = self
                .find(|flag| flag.short == Some(letter))
                .is_some_and(|(flag, _)| matches!(flag.kind, FlagInfoKind::Switch));
            let value = Some(rest).filter(|rest| !is_switch && !rest.is_empty());
            let shown = format!("-{letter}");
            self.option(&shown, |flag| flag.short == Some(letter), value, words)?;
            if !is_switch {
                break;
            }
        }
        Ok(None)
    }

    fn option<'w>(
        &mut self,
        shown: &str,
        wanted: impl Fn(&FlagInfo<'_>) -> bool,
        value: Option<&str>,
        words: &mut impl Iterator<Item = &'w str>,
    ) -> Result<(), Failure> {
        let Some((flag, of_subcommand)) = self.find(wanted) else {
            let shown = text(shown)?;
            let known: Vec<&str> = self.known().collect();
            let hint = synonyms::hint(&shown, &known);
            let hint = hint.unwrap_or_else(|| nearest::hint(&shown, known));
            return Err(Failure::usage(format!("unknown option {shown}{hint}")));
        };
        let long = format!("--{}", flag.long.trim_start_matches('-'));
        let value = match (&flag.kind, value) {
            (FlagInfoKind::Switch, None) => None,
            (FlagInfoKind::Switch, Some(_)) => {
                return Err(Failure::usage(format!("{shown} takes no value")));
            }
            (FlagInfoKind::Option { arg_name }, value) => match value.or_else(|| words.next()) {
                Some("") if !MAY_BE_EMPTY.contains(arg_name) => {
                    return Err(Failure::usage(format!("{shown} '': the value is empty")));
                }
                Some(value) if BYTES.contains(arg_name) => Some(value.to_owned()),
                Some(value) => Some(text(value)?),
                None => return Err(Failure::usage(format!("{shown} needs its {arg_name}"))),
            },
        };
        let into = if of_subcommand { &mut self.own } else { &mut self.options };
        into.push(long);
        into.extend(value);
        Ok(())
    }

    /// The long names of the options that are valid here.
    fn known(&self) -> impl Iterator<Item = &str> {
        let named = self.named();
        let subcommand = self.info.commands.iter().find(|it| Some(it.name) == named.as_deref());
        let own = subcommand.into_iter().flat_map(|it| it.command.flags);
        own.chain(self.info.flags).filter(|flag| !flag.hidden).map(|flag| flag.long)
    }

    /// The option, and whether it is the subcommand's. If both have it, it is the tool's before the
    /// subcommand and the subcommand's after it.
    fn find(&self, wanted: impl Fn(&FlagInfo<'_>) -> bool) -> Option<(&FlagInfo<'_>, bool)> {
        let named = self.named();
        let own = self.info.commands.iter().find(|it| Some(it.name) == named.as_deref());
        let own = own.and_then(|it| it.command.flags.iter().find(|flag| wanted(flag)));
        let own = own.map(|flag| (flag, true));
        let tools = || self.info.flags.iter().find(|flag| wanted(flag)).map(|flag| (flag, false));
        if self.subcommand.is_some() { own.or_else(tools) } else { tools().or(own) }
    }
}
