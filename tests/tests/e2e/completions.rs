//! Completions, in the shells themselves: text is typed at a terminal and the tab key is pressed.

use rmq_tests::help::{help, options};
use rmq_tests::terminal::Terminal;
use rmq_tests::tool::{Tool, binary};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const TOOLS: [&str; 4] = ["rmq-declare", "rmq-perm", "rmq-recv", "rmq-send"];

/// What is typed, and the line after the tab key.
const TYPED: [(&str, &str); 19] = [
    ("rmq-send --routin", "rmq-send --routing-key"),
    ("rmq-send --format wh", "rmq-send --format whole"),
    ("rmq-send --format=wh", "rmq-send --format=whole"),
    ("rmq-send -e x --message-id au", "rmq-send -e x --message-id auto"),
    ("rmq-send --url @pr", "rmq-send --url @prod"),
    ("rmq-send -q -u @pr", "rmq-send -q -u @prod"),
    ("rmq-send --rejects spoo", "rmq-send --rejects spoon"),
    ("rmq-send --spool po", "rmq-send --spool pool/"),
    ("rmq-send q spoo", "rmq-send q spoon"),
    ("rmq-recv --ack dow", "rmq-recv --ack downstream"),
    ("rmq-recv q -- rmq-decl", "rmq-recv q -- rmq-declare"),
    ("rmq-recv q -- cat spoo", "rmq-recv q -- cat spoon"),
    ("rmq-recv q --ack-f", "rmq-recv q --ack-from"),
    ("rmq-declare --typ", "rmq-declare --type"),
    ("rmq-declare --type cl", "rmq-declare --type classic"),
    ("rmq-perm add-user --form", "rmq-perm add-user --format"),
    ("rmq-perm cluster-", "rmq-perm cluster-status"),
    ("rmq-perm -p v add-user --password-f", "rmq-perm -p v add-user --password-file"),
    ("rmq-perm add_user --password-file spoo", "rmq-perm add_user --password-file spoon"),
];

/// A directory with files to complete, profiles, and what the shell reads at its start.
fn directory(shell: &str, start: impl Fn(&Path) -> String) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    fs::create_dir_all(path.join("pool")).unwrap();
    fs::write(path.join("polo"), "").unwrap();
    fs::write(path.join("spoon"), "").unwrap();
    fs::create_dir_all(path.join("config/rmq")).unwrap();
    fs::write(path.join("config/rmq/profiles.toml"), "[prod]\n[test]\nurl = 'amqp://h'\n").unwrap();
    fs::create_dir_all(path.join("scripts")).unwrap();
    for tool in TOOLS {
        let script = Tool::new(tool).arguments(&["--completions", shell]).run().expect(0);
        fs::write(path.join("scripts").join(format!("_{tool}")), script.stdout).unwrap();
    }
    fs::write(path.join("start"), start(path)).unwrap();
    fs::write(path.join(".zshrc"), start(path)).unwrap();
    directory
}

fn search_path() -> String {
    let tools = binary("rmq-send");
    format!("{}:{}", tools.parent().unwrap().display(), std::env::var("PATH").unwrap())
}

/// Types everything into `shell`, started by `command` in the directory.
fn types(shell: &str, directory: &Path, command: &str) {
    let config = directory.join("config").display().to_string();
    let home = directory.display().to_string();
    let environment = [
        ("PATH", search_path()),
        ("XDG_CONFIG_HOME", config),
        ("HOME", home.clone()),
        ("ZDOTDIR", home.clone()),
    ];
    let environment = environment.each_ref().map(|(name, value)| (*name, value.as_str()));
    let terminal = Terminal::run(shell, &environment, &format!("cd '{home}' && exec {command}"));
    let stands = |screen: &str, line: &str| screen.lines().any(|it| it.trim_end() == line);
    terminal.wait("the prompt", |screen| stands(screen, "$"));
    for (typed, completed) in TYPED {
        terminal.types(typed, &["Tab"]);
        // zsh puts an equals sign after an option that takes a value.
        let lines = [format!("$ {completed}"), format!("$ {completed}=")];
        terminal.wait(&format!("{shell}: {completed}"), |screen| {
            lines.iter().any(|line| stands(screen, line))
        });
        terminal.types("", &["C-u", "C-l"]);
        terminal.wait("an empty line", |screen| screen.trim_end() == "$");
    }
}

#[test]
fn bash_completes_options_values_files_profiles_and_commands() {
    let directory = directory("bash", |path| {
        let scripts = path.join("scripts");
        format!("PS1='$ '\nfor it in {}/_*; do source \"$it\"; done\n", scripts.display())
    });
    types("bash", directory.path(), "bash --noprofile --rcfile start -i");
}

#[test]
fn zsh_completes_options_values_files_profiles_and_commands() {
    let directory = directory("zsh", |path| {
        let scripts = path.join("scripts");
        format!(
            "PROMPT='$ '\nfpath=({} $fpath)\nautoload -U compinit\ncompinit -u -D\n",
            scripts.display()
        )
    });
    types("zsh", directory.path(), "zsh -d -i");
}

#[test]
fn fish_completes_options_values_files_profiles_and_commands() {
    let directory = directory("fish", |path| {
        let scripts = path.join("scripts");
        let scripts = scripts.display();
        format!(
            "function fish_prompt; echo '$ '; end\nset -g fish_greeting\n\
             set -g fish_autosuggestion_enabled 0\nfor it in {scripts}/_*; source $it; end\n"
        )
    });
    types("fish", directory.path(), "fish --no-config --private -C 'source start'");
}

/// The long options in `--help=all`.
fn known(tool: &str) -> BTreeSet<String> {
    let help = help(tool, &["--help=all"]);
    let words =
        options(&help).filter_map(|line| line.split([' ', '[']).find(|it| it.starts_with("--")));
    words.map(str::to_owned).collect()
}

/// The shell's output, a word per line, without fish's own messages.
fn offered(shell: &[&str], script: &str) -> BTreeSet<String> {
    let (program, words) = shell.split_first().unwrap();
    let shell = Tool::program(*program).environment("PATH", &search_path());
    let said = shell.arguments(words).arguments(&[script]).run().expect(0);
    let said = String::from_utf8(said.stdout).unwrap();
    said.lines().filter_map(|line| line.split('\t').next()).map(str::to_owned).collect()
}

#[test]
fn every_option_is_offered() {
    for tool in TOOLS {
        let known = known(tool);
        assert!(known.contains("--vhost") && known.contains("--help"), "{tool}: {known:?}");
        let function = format!("_{}", tool.replace('-', "_"));
        let bash = format!(
            "source <({tool} --completions bash); COMP_LINE='{tool} --'; COMP_POINT=100; \
             COMP_WORDBREAKS=' =:@'; {function}; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        assert_eq!(offered(&["bash", "-c"], &bash), known, "{tool}");
        let fish = format!("source ({tool} --completions fish | psub); complete -C '{tool} --'");
        assert_eq!(offered(&["fish", "--no-config", "-c"], &fish), known, "{tool}");
    }
}

#[test]
fn every_value_that_is_offered_is_one() {
    let mut seen = 0;
    for tool in TOOLS {
        let help = help(tool, &["--help=all"]);
        // Only the first invalid value is reported: this one, if the one before it is valid.
        let wrong = if tool == "rmq-perm" { "--dist-port" } else { "--retry" };
        for line in options(&help) {
            let mut words = line.split_whitespace().skip_while(|word| !word.starts_with("--"));
            let (Some(option), Some(values)) = (words.next(), words.next()) else { continue };
            let is_name = |value: &&str| !value.chars().any(char::is_uppercase);
            if option == wrong || !values.contains('|') {
                continue;
            }
            for value in values.split('|').filter(is_name) {
                let words = [option, value, wrong, "x", "cluster-status"];
                let ended = Tool::new(tool).arguments(&words).run().expect(64);
                assert!(
                    ended.stderr.contains(&format!("{wrong} x")),
                    "{words:?}: {}",
                    ended.stderr
                );
                seen += 1;
            }
        }
    }
    assert!(seen > 30, "{seen} values: is the help still understood?");
}
