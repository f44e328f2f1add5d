//! `--help` as users see it.

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

#[test]
fn an_option_of_another_tool_is_told_with_what_does_the_same() {
    for (tool, line, told) in [
        ("rmq-recv", "-c 1 q", "unknown option -c; use -n N"),
        ("rmq-recv", "--count=1 q", "unknown option --count; use -n N"),
        ("rmq-recv", "-q jobs", "unknown option -q; use the queue as an argument: rmq-recv QUEUE"),
        ("rmq-recv", "--json q", "unknown option --json; use --format json"),
        ("rmq-recv", "--no-ack q", "unknown option --no-ack; use --ack"),
        ("rmq-send", "--queue jobs", "use the queue as an argument: rmq-send QUEUE"),
        ("rmq-send", "--ttl 60000 q", "unknown option --ttl; use --expiration DURATION"),
        ("rmq-send", "--json q", "unknown option --json; use --format json"),
        ("rmq-send", "--message x q", "unknown option --message; use -b TEXT"),
        ("rmq-send", "--host h q", "unknown option --host; use --url amqp://HOST"),
        ("rmq-declare", "--ttl 60000 q", "unknown option --ttl; use --message-ttl DURATION"),
        ("rmq-declare", "--queue jobs", "use the queue as an argument: rmq-declare QUEUE"),
        ("rmq-declare", "--durable q", "unknown option --durable; not needed: queues are durable"),
        ("rmq-perm", "list-users --json", "unknown option --json; use --format json"),
        ("rmq-perm", "--host h list-users", "use --node NAME@HOST, or --api http://HOST"),
        ("rmq-perm", "add-user --password p u", "use --password-file FILE"),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let ended = Tool::new(tool).arguments(&words).run().expect(64).says(told);
        assert!(ended.stderr.ends_with(" (see --help)\n"), "{}", ended.stderr);
    }
}

#[test]
fn every_error_of_the_command_line_says_where_the_options_are() {
    for (tool, line) in [
        ("rmq-recv", ""),
        ("rmq-recv", "--peek 1 --drain q"),
        ("rmq-recv", "-n x q"),
        ("rmq-send", ""),
        ("rmq-send", "--format x q"),
        ("rmq-send", "--spool-max 1G q"),
        ("rmq-send", "--url http://h q"),
        ("rmq-declare", ""),
        ("rmq-declare", "--type x q"),
        ("rmq-perm", ""),
        ("rmq-perm", "list-users u"),
        ("rmq-perm", "bogus"),
    ] {
        let words: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
        let ended = Tool::new(tool).arguments(&words).run();
        let said = &ended.stderr;
        let is_one = said.matches("--help").count() == 1 && said.ends_with(" (see --help)\n");
        assert!(is_one, "{tool} {line}: {said}");
    }
}
