//! `--help` as people see it.

use rmq_tests::help::{help, options};
use rmq_tests::tool::Tool;

#[test]
fn help_fits_a_screen_and_has_an_example() {
    for tool in ["rmq-declare", "rmq-perm", "rmq-recv", "rmq-send"] {
        let brief = help(tool, &["--help"]);
        assert_eq!(brief, help(tool, &["-h"]));
        let lines = brief.lines().count();
        assert!((20..=40).contains(&lines), "{lines} lines: {brief}");
        assert!(
            brief.contains(&format!("\nExample: {tool}")) || brief.contains(&format!("| {tool}")),
            "{brief}"
        );
        for text in [brief, help(tool, &["--help=all"])] {
            let wide: Vec<_> = text.lines().filter(|line| line.chars().count() > 80).collect();
            assert!(wide.is_empty(), "{wide:?}");
        }
    }
}

#[test]
fn help_names_every_option_that_it_does_not_explain() {
    for tool in ["rmq-declare", "rmq-perm", "rmq-recv", "rmq-send"] {
        let (brief, all) = (help(tool, &["--help"]), help(tool, &["--help=all"]));
        let names = |text: &str| {
            let words = text.split([' ', '\n', ',', '[']);
            words.filter(|word| word.starts_with("--")).map(str::to_owned).collect::<Vec<_>>()
        };
        let known = options(&all).filter_map(|line| names(line).into_iter().next());
        let known: Vec<String> = known.collect();
        let told = names(&brief);
        let untold: Vec<_> = known.iter().filter(|name| !told.contains(name)).collect();
        assert!(untold.is_empty() && known.len() > 10, "{tool}: {untold:?}");
    }
}

#[test]
fn a_slip_of_the_pen_is_told_with_what_is_meant() {
    let table = [
        ("rmq-send", "--formt lines q", "unknown option --formt; did you mean --format?"),
        ("rmq-recv", "--drian q", "unknown option --drian; did you mean --drain?"),
        ("rmq-perm", "list-vhost", "unknown command list-vhost; did you mean list-vhosts?"),
        ("rmq-perm", "add-user --pasword-file f u", "did you mean --password-file?"),
    ];
    for (tool, line, told) in table {
        let words: Vec<&str> = line.split(' ').collect();
        Tool::new(tool).arguments(&words).run().expect(64).says(told);
    }
}
