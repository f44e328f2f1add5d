//! Completions for bash; the package bash-completion is not needed.

use super::{Tool, Values, names, operands, own};
use crate::cli::help::options;
use argh::FlagInfo;

/// The same for every tool. `words` are valid here; `files` is how compgen finds more.
const TEMPLATE: &str = r#"# Completions of PROGRAM for bash, made by: PROGRAM --completions bash
# shellcheck shell=bash disable=SC2034

FUNCTION() {
    local line=${COMP_LINE:0:COMP_POINT} command='' option='' behind='' files='' i word
    local -a words
    # Not COMP_WORDS: there the words are cut at = : and @.
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=('')
    local last=$((${#words[@]} - 1))
    local value=${words[last]}
    for ((i = 1; i < last; i++)); do
        case "$command ${words[i]}" in
            *' --')
                behind=$((i + 1))
                break
                ;;
BEFORE        esac
    done
    if [[ -z $option && -z $behind && $value == --*=* ]]; then
        option=${value%%=*} value=${value#*=}
    fi
    words=()
    if [[ -n $option ]]; then
        case "$command $option" in
VALUES            *) ;;
        esac
    elif [[ -z $behind && $value == -* ]]; then
OPTIONS    else
        case $command in
OPERANDS            *) ;;
        esac
    fi
    COMPREPLY=()
    for word in "${words[@]}"; do
        [[ $word == "$value"* ]] && COMPREPLY+=("$word")
    done
    if [[ -n $files ]]; then
        compopt -o filenames
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen "$files" -- "$value")
    fi
    # What is before the last = or : of the word stands on the line already; an @ is given again.
    local before=${value%"${value##*["$COMP_WORDBREAKS"]}"}
    COMPREPLY=("${COMPREPLY[@]#"${before%@}"}")
}
complete -F FUNCTION PROGRAM
"#;

pub(super) fn script(tool: &Tool<'_>) -> String {
    TEMPLATE
        .replace("BEFORE", &before(tool))
        .replace("VALUES", &values(tool))
        .replace("OPTIONS", &words(tool))
        .replace("OPERANDS", &rest(tool))
        .replace("FUNCTION", &tool.function())
        .replace("PROGRAM", tool.program)
}

/// The words before the one under the cursor: options and their values, and the subcommand.
fn before(tool: &Tool<'_>) -> String {
    let takes_value = |flag: &&FlagInfo<'_>| Values::of_option(flag).is_some();
    let own = tool.info.commands.iter().flat_map(|it| {
        options(&it.command)
            .filter(takes_value)
            .map(|flag| pattern(&format!("'{} ", it.name), flag))
    });
    let shared = options(tool.info).filter(takes_value).map(|flag| pattern("*' ", flag));
    let patterns: Vec<String> = own.chain(shared).collect();
    let patterns = patterns.join(" | \\\n                ");
    let mut text = format!(
        "            {patterns})\n                \
         ((++i == last)) && option=${{words[i - 1]}}\n                ;;\n"
    );
    for command in &tool.info.commands {
        let names = tool.names(command.name);
        let names = names.iter().map(|name| format!("' {name}'")).collect::<Vec<_>>().join(" | ");
        text.push_str(&format!("            {names}) command='{}' ;;\n", command.name));
    }
    text
}

/// `*' -e' | *' --exchange'`, where `before` is `*' `.
fn pattern(before: &str, flag: &FlagInfo<'_>) -> String {
    names(flag).iter().map(|name| format!("{before}{name}'")).collect::<Vec<_>>().join(" | ")
}

fn values(tool: &Tool<'_>) -> String {
    let mut text = String::new();
    let mut add = |before: &str, flag: &FlagInfo<'_>| {
        let action = Values::of_option(flag).and_then(|values| action(tool, &values));
        if let Some(action) = action {
            text.push_str(&format!("            {}) {action} ;;\n", pattern(before, flag)));
        }
    };
    for command in &tool.info.commands {
        own(tool, &command.command).for_each(|flag| add(&format!("'{} ", command.name), flag));
    }
    options(tool.info).for_each(|flag| add("*' ", flag));
    text
}

fn action(tool: &Tool<'_>, values: &Values<'_>) -> Option<String> {
    if values.profiles {
        let program = tool.program;
        Some(format!("mapfile -t words < <({program} --completions profiles 2>/dev/null)"))
    } else if !values.words.is_empty() {
        Some(format!("words=({})", values.words.join(" ")))
    } else if values.files {
        Some("files=-f".to_owned())
    } else if values.directories {
        Some("files=-d".to_owned())
    } else {
        None
    }
}

/// The options that are valid: the tool's everywhere, and those of a subcommand.
fn words(tool: &Tool<'_>) -> String {
    let shared = options(tool.info).map(|flag| flag.long).collect::<Vec<_>>().join(" ");
    let mut text = format!("        words=({shared})\n");
    let mut cases = String::new();
    for command in &tool.info.commands {
        let own = own(tool, &command.command).map(|flag| flag.long).collect::<Vec<_>>().join(" ");
        if !own.is_empty() {
            cases.push_str(&format!("            {}) words+=({own}) ;;\n", command.name));
        }
    }
    if !cases.is_empty() {
        text.push_str(&format!("        case $command in\n{cases}        esac\n"));
    }
    text
}

/// What is valid that is not an option.
fn rest(tool: &Tool<'_>) -> String {
    if !tool.info.commands.is_empty() {
        let names: Vec<&str> = tool.info.commands.iter().map(|it| it.name).collect();
        let mut text = format!("            '') words=({}) ;;\n", names.join(" "));
        for command in &tool.info.commands {
            let values = Values::of_operands(&command.command);
            if let Some(action) = action(tool, &values) {
                text.push_str(&format!("            {}) {action} ;;\n", command.name));
            }
        }
        return text;
    }
    let values = operands(tool.info).last().map(Values::of_operand).unwrap_or_default();
    if values.command {
        let files = "[[ -n $behind ]] && files=-f; ((last == behind)) && files=-c";
        format!("            '') {files} ;;\n")
    } else {
        action(tool, &values).map(|it| format!("            '') {it} ;;\n")).unwrap_or_default()
    }
}
