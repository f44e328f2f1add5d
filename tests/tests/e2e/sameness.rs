//! What all tools have in common is identical in all of them, to the letter.

use rmq_tests::tool::Tool;
use std::fs;
use std::path::Path;

const TOOLS: [&str; 3] = ["rmq-declare", "rmq-send", "rmq-recv"];

/// The lines of `text` from the one that begins with `first` to the one before `end`.
fn part<'a>(text: &'a str, first: &str, end: impl Fn(&str) -> bool) -> Vec<&'a str> {
    let from = text.lines().skip_while(|line| !line.starts_with(first));
    from.enumerate().take_while(|(index, line)| *index == 0 || !end(line)).map(|it| it.1).collect()
}

#[test]
fn the_connection_options_have_the_same_help_in_every_tool() {
    let help = |tool| String::from_utf8(Tool::new(tool).arguments(&["--help=all"]).run().stdout);
    let parts = TOOLS.map(|tool| {
        let help = help(tool).unwrap();
        part(&help, "  -u, --url", str::is_empty).join("\n")
    });
    for option in ["--vhost", "--user", "--password-file", "--cacert", "--cert", "--key", "--retry"]
        .iter()
        .chain(&["--quiet", "--verbose", "--version", "--help"])
    {
        assert!(parts[0].contains(option), "{option} is missing: {}", parts[0]);
    }
    assert_eq!(parts[0], parts[1]);
    assert_eq!(parts[0], parts[2]);
}

#[test]
fn the_connection_options_are_the_same_in_every_manual() {
    let parts = TOOLS.map(|tool| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../man/{tool}.1"));
        let page = fs::read_to_string(path).unwrap();
        let is_section = |line: &str| line.starts_with(".Sh ") || line.starts_with(".Ss ");
        part(&page, ".Ss Connection options", is_section).join("\n")
    });
    assert!(parts[0].lines().count() > 50, "{}", parts[0]);
    assert_eq!(parts[0], parts[1]);
    assert_eq!(parts[0], parts[2]);
}
