//! Completions for fish, by its `complete` command.

use super::{Tool, Values, operands, own};
use crate::cli::help::{first_clause, options};
use argh::{CommandInfoWithArgs, FlagInfo};

pub(super) fn script(tool: &Tool<'_>) -> String {
    let program = tool.program;
    let mut text =
        format!("# Completions of {program} for fish, made by: {program} --completions fish\n\n");
    text.push_str(&of_operands(tool, tool.info));
    for flag in options(tool.info) {
        text.push_str(&option(tool, "", flag));
    }
    let all: Vec<String> = tool.info.commands.iter().flat_map(|it| tool.names(it.name)).collect();
    let none = format!("not __fish_seen_subcommand_from {}", all.join(" "));
    for command in &tool.info.commands {
        let description = quoted(first_clause(command.command.description));
        let name = command.name;
        text.push_str(&format!("complete -c {program} -n '{none}' -a {name} -d {description}\n"));
        let names = tool.names(name).join(" ");
        let condition = format!(" -n '__fish_seen_subcommand_from {names}'");
        let values = Values::of_operands(&command.command);
        if values.files {
            text.push_str(&format!("complete -c {program}{condition} -F\n"));
        }
        if !values.words.is_empty() {
            let words = values.words.join(" ");
            text.push_str(&format!("complete -c {program}{condition} -a '{words}'\n"));
        }
        for flag in own(tool, &command.command) {
            text.push_str(&option(tool, &condition, flag));
        }
    }
    text
}

/// What is valid that is not an option.
fn of_operands(tool: &Tool<'_>, info: &CommandInfoWithArgs) -> String {
    let Tool { program, .. } = tool;
    let values = operands(info).last().map(Values::of_operand).unwrap_or_default();
    if values.files {
        return String::new();
    }
    let mut text = format!("complete -c {program} -f\n");
    if values.command {
        let function = tool.function();
        text.push_str(&format!(
            r#"function _{function}_command
    set -l words (commandline -opc)
    set -l behind (contains -i -- -- $words)
    set -l command (string escape -- $words[(math $behind + 1)..])
    complete -C "$command $(commandline -ct)"
end
complete -c {program} -n 'contains -- -- (commandline -opc)' -a '(_{function}_command)'
"#
        ));
    }
    text
}

fn option(tool: &Tool<'_>, condition: &str, flag: &FlagInfo<'_>) -> String {
    let short = flag.short.map(|short| format!(" -s {short}")).unwrap_or_default();
    let long = flag.long.trim_start_matches('-');
    let value = Values::of_option(flag).map(|values| value(tool, &values)).unwrap_or_default();
    let description = quoted(first_clause(flag.description));
    format!("complete -c {}{condition}{short} -l {long}{value} -d {description}\n", tool.program)
}

/// `-x` marks a value that is not a file.
fn value(tool: &Tool<'_>, values: &Values<'_>) -> String {
    if values.profiles {
        format!(" -x -a '({} --completions profiles 2>/dev/null)'", tool.program)
    } else if !values.words.is_empty() {
        format!(" -x -a '{}'", values.words.join(" "))
    } else if values.files {
        " -r -F".to_owned()
    } else if values.directories {
        " -x -a '(__fish_complete_directories (commandline -ct))'".to_owned()
    } else {
        " -x".to_owned()
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
