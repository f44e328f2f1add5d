use super::*;

const fn option(long: &'static str, description: &'static str) -> FlagInfo<'static> {
    let kind = FlagInfoKind::Option { arg_name: "VALUE" };
    let optionality = Optionality::Optional;
    FlagInfo { kind, optionality, long, short: None, description, hidden: false }
}

static FLAGS: [FlagInfo<'static>; 4] = [
    option("--to", "where to; the rest follows"),
    option("--rare", "what hardly anybody wants"),
    option("--colour", "which colour"),
    option("--url", "the broker. Default: none"),
];

fn help(all: bool) -> String {
    let info = CommandInfoWithArgs { description: "Does it.", flags: &FLAGS, ..Default::default() };
    let groups = &[("Where to", "--to"), ("Looks", "--colour")];
    let common = &["--to"];
    let help = Help { usage: &["QUEUE"], example: "tool q", groups, common, commands: &[] };
    help.of_tool("tool", &info, all)
}

#[test]
fn help_explains_what_most_people_want_and_names_the_rest() {
    let wanted = "Usage: tool QUEUE\n\nDoes it.\n\nExample: tool q\n\n\
                  Where to:\n      --to VALUE          where to\n  also --rare\n\
                  Looks: --colour\n\
                  Broker:\n      --url VALUE         the broker\n  also --help\n\n\
                  tool --help=all explains every option, man tool what it does.\n";
    assert_eq!(help(false), wanted);
}

#[test]
fn all_of_it_explains_every_option_to_its_end() {
    let all = help(true);
    for line in
        ["where to; the rest follows", "what hardly anybody wants", "the broker. Default: none"]
    {
        assert!(all.contains(line), "{all}");
    }
    assert!(!all.contains("also"), "{all}");
}

#[test]
fn commands_are_named_in_groups_and_all_explained_by_all() {
    let command = |name, description| argh::SubCommandInfo {
        name,
        command: CommandInfoWithArgs { name, description, ..Default::default() },
    };
    let info = CommandInfoWithArgs {
        description: "Does it.",
        commands: vec![
            command("add", "Add one. It is new."),
            command("drop", "Drop one (-p), if it exists."),
            command("show", "Show it."),
        ],
        ..Default::default()
    };
    let commands = &[("Change", "add"), ("Look", "show")];
    let help =
        Help { usage: &["COMMAND"], example: "tool show", groups: &[], common: &[], commands };
    let brief = help.of_tool("tool", &info, false);
    let wanted = "\nCommands:\n  Change:           add, drop\n  Look:             show\n";
    assert!(brief.contains(wanted), "{brief}");
    let all = help.of_tool("tool", &info, true);
    let wanted = "  add               Add one\n  drop              Drop one\n";
    assert!(all.contains(wanted), "{all}");
}

#[test]
fn the_first_clause_is_without_what_is_only_good_to_know() {
    for (description, clause) in [
        ("where to; the rest follows", "where to"),
        ("where to. Default: nowhere", "where to"),
        ("where to (default: nowhere)", "where to"),
        ("a host (-p): its name.", "a host (-p): its name"),
        ("", ""),
    ] {
        assert_eq!(first_clause(description), clause);
    }
}

#[test]
fn no_line_is_wider_than_the_screen() {
    let mut text = String::new();
    entry(&mut text, "  -x, --an-option-with-a-long-name VALUE", &"word ".repeat(40));
    entry(&mut text, "  -y, --other", &"x".repeat(100));
    let words = text.lines().filter(|line| !line.contains("xxx"));
    assert!(words.clone().all(|line| line.len() <= WIDTH), "{text}");
    assert_eq!(words.filter(|line| line.starts_with(&" ".repeat(COLUMN))).count(), 4, "{text}");
    assert!(text.ends_with(&format!("{}\n", "x".repeat(100))), "{text}");
}
