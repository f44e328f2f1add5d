//! Completions for zsh, by its `_arguments` function.

use super::{Tool, Values, names, operands, own};
use crate::cli::help::{first_clause, options};
use argh::{CommandInfoWithArgs, FlagInfo, Optionality, PositionalInfo};

/// The action for an unknown value: its name is shown.
const NOTHING: &str = " ";

/// The script for zsh, to be stored as `_PROGRAM` in a directory of `$fpath`.
pub(super) fn script(tool: &Tool<'_>) -> String {
    let program = tool.program;
    let options: String =
        options(tool.info).map(|flag| format!("    {}\n", option(tool, flag))).collect();
    let mut text = format!(
        "#compdef {program}\n\
         # Completions of {program} for zsh, made by: {program} --completions zsh\n\n\
         local -a options operands\noptions=(\n{options})\n"
    );
    if tool.info.commands.is_empty() {
        text.push_str(&format!("operands=({})\n", of_operands(tool, tool.info)));
        if operands(tool.info).any(|operand| Values::of_operand(operand).command) {
            text.push_str("(( ${words[(i)--]} < CURRENT )) && operands+=('*:::command:_normal')\n");
        }
    } else {
        text.push_str(&commands(tool));
    }
    text.push_str("_arguments -s -S $options $operands\n");
    text
}

/// The same for every tool with subcommands.
const COMMANDS: &str = r"
local -a commands
commands=(
DESCRIBED)
local command previous word
for word in ${words[2,CURRENT-1]}; do
    case $previous in
        (VALUED) ;;
        (*)
            case $word in
NAMES            esac
            ;;
    esac
    [[ -n $command ]] && break
    previous=$word
done
case $command in
    ('') operands=(':command:{_describe -t commands command commands}') ;;
OWNesac
";

fn commands(tool: &Tool<'_>) -> String {
    let (mut described, mut all_names, mut own_ones) =
        (String::new(), String::new(), String::new());
    for command in &tool.info.commands {
        let name = command.name;
        let description = first_clause(command.command.description).replace(':', "\\:");
        described.push_str(&format!("    {}\n", quoted(&format!("{name}:{description}"))));
        let names = tool.names(name).join("|");
        all_names.push_str(&format!("                ({names}) command={name} ;;\n"));
        let own: String =
            own(tool, &command.command).map(|flag| format!(" {}", option(tool, flag))).collect();
        let operands = of_operands(tool, &command.command);
        own_ones.push_str(&format!(
            "    ({name}) options+=({own}) operands=(':command: '{operands}) ;;\n"
        ));
    }
    let valued = options(tool.info).filter(|flag| Values::of_option(flag).is_some());
    let valued = valued.flat_map(names).collect::<Vec<_>>().join("|");
    COMMANDS
        .replace("DESCRIBED", &described)
        .replace("VALUED", &valued)
        .replace("NAMES", &all_names)
        .replace("OWN", &own_ones)
}

/// `'(-e --exchange)'{-e+,--exchange=}'[send to this exchange]:NAME: '`
fn option(tool: &Tool<'_>, flag: &FlagInfo<'_>) -> String {
    let values = Values::of_option(flag);
    let is_repeated = matches!(flag.optionality, Optionality::Repeating);
    let all = names(flag);
    let excluded = match (is_repeated, flag.long) {
        (true, _) => "*".to_owned(),
        (false, "--help" | "--version") => "(- *)".to_owned(),
        (false, _) => format!("({})", all.join(" ")),
    };
    let forms = all.iter().map(|name| match (&values, name.starts_with("--")) {
        (None, _) => name.clone(),
        (Some(_), true) => format!("{name}="),
        (Some(_), false) => format!("{name}+"),
    });
    let forms: Vec<String> = forms.collect();
    let forms = match forms.as_slice() {
        [one] => one.clone(),
        several => format!("{{{}}}", several.join(",")),
    };
    let mut behind = format!("[{}]", escaped(first_clause(flag.description)));
    if let (Some(values), argh::FlagInfoKind::Option { arg_name }) = (values, &flag.kind) {
        behind.push_str(&format!(":{}:{}", escaped(arg_name), action(tool, &values)));
    }
    format!("{}{forms}{}", quoted(&excluded), quoted(&behind))
}

fn of_operands(tool: &Tool<'_>, info: &CommandInfoWithArgs) -> String {
    let specs = operands(info).map(|operand| of_operand(tool, operand));
    specs.map(|spec| format!(" {}", quoted(&spec))).collect()
}

/// `*:FILE:_files`
fn of_operand(tool: &Tool<'_>, operand: &PositionalInfo<'_>) -> String {
    let values = Values::of_operand(operand);
    let name = escaped(operand.name);
    let action = match action(tool, &values) {
        // Otherwise its message would keep zsh from completing an option that is also valid here.
        action if action == NOTHING => format!("_guard \"^-*\" \"{name}\""),
        action => action,
    };
    match operand.optionality {
        Optionality::Required => format!(":{name}:{action}"),
        Optionality::Optional => format!("::{name}:{action}"),
        // What follows -- is another program's command line.
        _ if values.command => format!(":{name}:{action}"),
        _ => format!("*:{name}:{action}"),
    }
}

fn action(tool: &Tool<'_>, values: &Values<'_>) -> String {
    if values.profiles {
        let program = tool.program;
        format!("{{compadd -- ${{(f)\"$({program} --completions profiles 2>/dev/null)\"}}}}")
    } else if !values.words.is_empty() {
        format!("({})", values.words.join(" "))
    } else if values.files {
        "_files".to_owned()
    } else if values.directories {
        "_files -/".to_owned()
    } else {
        NOTHING.to_owned()
    }
}

/// A text within a specification of `_arguments`.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]").replace(':', "\\:")
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
