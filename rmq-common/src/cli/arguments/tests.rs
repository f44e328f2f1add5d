use super::*;

/// A tool.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(help_triggers("-h", "--help"))]
struct Tool {
    /// where
    #[argh(option, short = 'u')]
    url: Option<String>,
    /// how many
    #[argh(option, short = 'n')]
    number: Option<u32>,
    /// less
    #[argh(switch)]
    quiet: bool,
    /// more
    #[argh(switch, short = 'v')]
    verbose: bool,
    /// what
    #[argh(positional)]
    words: Vec<String>,
}

const HELP: Help =
    Help { usage: &["WORD..."], example: "tool a", groups: &[], common: &[], commands: &[] };

fn tool(line: &str) -> Result<Option<Tool>, Failure> {
    read("tool", line.split(' ').filter(|w| !w.is_empty()).map(OsString::from), &[], &HELP)
}

#[test]
fn every_usual_form_of_an_option_is_understood() {
    for line in [
        "--url=x --number=5 -v a -",
        "a --url x -n5 - -v",
        "-vn5 -u x -- a -",
        "-vux --number 5 a -",
    ] {
        let tool = tool(line).unwrap().unwrap();
        assert_eq!(tool.url.as_deref(), Some("x"), "{line}");
        assert_eq!(tool.number, Some(5), "{line}");
        assert_eq!(tool.words, ["a", "-"], "{line}");
        assert!(tool.verbose && !tool.quiet, "{line}");
    }
}

#[test]
fn what_follows_two_hyphens_is_no_option() {
    assert_eq!(tool("-- -v --url --").unwrap().unwrap().words, ["-v", "--url", "--"]);
    assert_eq!(tool("help").unwrap().unwrap().words, ["help"]);
}

#[test]
fn a_usage_error_is_one_line_that_names_the_word() {
    let table = [
        ("--quite", "unknown option --quite; did you mean --quiet?"),
        ("--window", "unknown option --window"),
        ("--help=most", "--help takes nothing, or all"),
        ("-x", "unknown option -x"),
        ("--quiet=yes", "--quiet takes no value"),
        ("--number", "--number needs its number"),
        ("--number many", "--number many: "),
    ];
    for (line, wanted) in table {
        let failure = tool(line).unwrap_err();
        assert!(failure.to_string().contains(wanted), "{line}: {failure}");
        assert_eq!(failure.exit().status(), 64);
    }
}

#[test]
fn what_argh_says_is_told_in_our_words() {
    let table = [
        ("Required positional arguments not provided:\n    QUEUE\n", "missing: QUEUE"),
        ("Unrecognized argument: q2\n", "unexpected argument 'q2'"),
        (
            "One of the following subcommands must be present:\n    help\n    set\n    list\n",
            "missing: one of set, list",
        ),
        (
            "Error parsing option '--window' with value '0': not a number\n",
            "--window 0: not a number",
        ),
        (
            "Error parsing option '--url' with value 'amqp://u:p@h': duplicate values provided",
            "--url is given twice",
        ),
        (
            "Error parsing positional argument 'operation' with value 'x': 'x' is none\n",
            "'x' is none",
        ),
        ("Something else\n", "Something else"),
    ];
    for (said, message) in table {
        assert_eq!(problem(said), message);
    }
}

/// A tool with subcommands.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(help_triggers("-h", "--help"))]
struct Perm {
    /// where
    #[argh(option, short = 'p')]
    vhost: Option<String>,
    #[argh(subcommand)]
    command: Command,
}

#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand)]
enum Command {
    Set(Set),
}

/// Sets.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand, name = "set", help_triggers("-h", "--help"))]
struct Set {
    /// wraps
    #[argh(switch)]
    anchor: bool,
    /// who
    #[argh(positional)]
    user: String,
}

#[test]
fn the_tools_options_stand_before_or_after_a_subcommand_and_aliases_work() {
    for line in [
        "-p v set --anchor me",
        "set me -p v --anchor",
        "set_permissions me --anchor -pv",
        "set-permissions me --anchor -pv",
        "--anchor -p v set me",
        "--anchor --vhost=v set_permissions -- me",
        "-pv set_anchored me",
    ] {
        let words = line.split(' ').map(OsString::from);
        let aliases = &[("set_permissions", "set"), ("set_anchored", "set --anchor")];
        let perm: Perm = read("perm", words, aliases, &HELP).unwrap().unwrap();
        assert_eq!(perm.vhost.as_deref(), Some("v"), "{line}");
        let wanted = Command::Set(Set { anchor: true, user: "me".to_owned() });
        assert_eq!(perm.command, wanted, "{line}");
    }
}

#[test]
fn an_unknown_subcommand_is_told_with_the_one_that_may_be_meant() {
    for (word, message) in [
        ("sett", "unknown command sett; did you mean set?"),
        ("set_permission", "unknown command set_permission; did you mean set_permissions?"),
        ("frobnicate", "unknown command frobnicate"),
        ("drop_queue", "unknown command drop_queue; that is: tool --drop QUEUE"),
        ("drop-queue", "unknown command drop-queue; that is: tool --drop QUEUE"),
        (
            "drop_queu",
            "unknown command drop_queu; did you mean drop_queue? that is: tool --drop QUEUE",
        ),
    ] {
        let words = [word].map(OsString::from).into_iter();
        let aliases = &[("set_permissions", "set"), ("drop_queue", "tool --drop QUEUE")];
        let failure = read::<Perm>("perm", words, aliases, &HELP);
        assert_eq!(failure.unwrap_err().to_string(), message);
    }
}
