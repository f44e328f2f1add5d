//! Logs and reports that a timer or a cron job sends and fetches.

use super::*;

#[test]
fn the_journal_is_sent_from_where_it_was_confirmed() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "journal");
    let place = Place::new(&vhost);
    // A build machine has no journal: this journalctl writes the content of a file.
    stand_in(
        place.directory.path(),
        "journalctl",
        "echo \"$@\" >> called; cat entries; exec sleep 60",
    );
    for (numbers, last) in [(1..=3, "s=3\n"), (4..=5, "s=5\n")] {
        let entry =
            |n| format!("{{\"__CURSOR\":\"s={n}\",\"MESSAGE\":\"\\\"__CURSOR\\\":\\\"no\"}}\n");
        place.write("entries", &numbers.map(entry).collect::<String>());
        let running = place.shell("exec journal-to-queue state journal").start();
        wait_equal(LONG, &last.to_owned(), || place.read("state/cursor"));
        interrupt(running);
    }
    let words = "--follow --no-tail --all --output=json";
    assert_eq!(place.read("called"), format!("{words}\n{words} --after-cursor=s=3\n"));
    let sent = String::from_utf8(vhost.drain("journal")).unwrap();
    let cursors: Vec<&str> = sent.lines().filter_map(|line| line.split('"').nth(3)).collect();
    assert_eq!(cursors, ["s=1", "s=2", "s=3", "s=4", "s=5"]);
}

#[test]
fn a_cron_job_empties_a_queue_into_a_dated_file_and_has_nothing_to_say() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "reports");
    vhost.send(&["reports"]).input("one\ntwo\n").run().expect(0);
    let place = Place::new(&vhost);
    place.run("printf 'half a li\\0' > reports.$(date +%F)");
    let ended = place.shell("cron-drain . reports && cat reports.$(date +%F)").run().expect(0);
    assert_eq!(ended.stdout, b"half a li\0\none\ntwo\n");
    let ended = place.shell("cron-drain . reports").run().expect(0);
    assert_eq!((&ended.stdout[..], &ended.stderr[..]), (&b""[..], ""));
    let ended = place.shell("cron-drain . elsewhere").run().expect(65);
    assert!(ended.stderr.contains("no such queue"), "{}", ended.stderr);
}

#[test]
fn the_lines_of_the_crontab_do_what_they_say_with_what_it_sets_and_nothing_else() {
    let vhost = Vhost::new(brokers::one());
    vhost.tool("rmq-declare").arguments(&["reports", "jobs"]).run().expect(0);
    vhost.send(&["reports"]).input("one\n").run().expect(0);
    vhost.send(&["jobs"]).input(numbered(1001)).run().expect(0);
    let place = Place::new(&vhost);
    place.run(
        "mkdir -p -m 700 .config/rmq && umask 077 && \
               printf '[prod]\\nurl = \"%s\"\\n' \"$AMQP_URL\" > .config/rmq/profiles.toml",
    );
    let here = place.directory.path().to_str().unwrap();
    let table = fs::read_to_string(examples().join("crontab")).unwrap();
    let said: Vec<Vec<u8>> = table
        .lines()
        .filter(|line| line.starts_with(|first: char| first == '*' || first.is_ascii_digit()))
        .map(|line| {
            // Five fields, then what cron passes to the shell.
            let command = line.splitn(6, ' ').last().unwrap().trim_start().replace("\\%", "%");
            assert!(!line.replace("\\%", "").contains('%'), "{line}");
            let shell = place.shell(&format!("unset XDG_CONFIG_HOME\n{command}"));
            let shell = shell.environment("HOME", here).environment("AMQP_URL", "@prod");
            let ended = shell.run().expect(0);
            [ended.stdout, ended.stderr.into_bytes()].concat()
        })
        .collect();
    // The first empties the queue, the second puts a report into it, the third is a monitor.
    assert_eq!(said, [&b""[..], b"", b"jobs: 1001 messages\n"]);
    assert_eq!(place.run("cat reports.$(date +%F)"), b"one\n");
    assert!(String::from_utf8(vhost.drain("reports")).unwrap().starts_with("Filesystem"));
}

#[test]
fn a_report_that_could_not_be_sent_is_mailed_of_and_goes_with_the_next() {
    let vhost = Vhost::new(brokers::one());
    let place = Place::new(&vhost);
    let ended = place.shell("cron-report outbox reports printf 'a\\nb\\n'").run().expect(65);
    assert!(ended.stderr.contains("publish to reports: no such queue"), "{}", ended.stderr);
    vhost.declare(&[], "reports");
    let ended = place.shell("cron-report outbox reports echo c").run().expect(0);
    assert_eq!((&ended.stdout[..], &ended.stderr[..]), (&b""[..], ""));
    assert_eq!(place.run("ls outbox"), b"");
    let received = vhost.receive(&["--drain", "-0", "reports"]).run().expect(0).stdout;
    assert_eq!(received, b"a\nb\n\0c\n\0");
    // Half a report is neither sent nor kept.
    place.shell("cron-report outbox reports sh -c 'echo half; exit 3'").run().expect(3);
    assert_eq!(vhost.drain("reports"), b"");
    assert_eq!(place.run("ls outbox"), b"");
}

#[test]
fn reports_that_overlap_are_whole_and_one_that_is_too_large_stops_no_other() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "r p\"s");
    let place = Place::new(&vhost);
    // The second is completed while the first is half done.
    let inner = "cron-report 'o ut' 'r p\"s' echo second";
    place.write("first", &format!("echo begun\n{inner} >&2\necho ended\n"));
    place.run("cron-report 'o ut' 'r p\"s' sh first");
    let received = vhost.receive(&["--drain", "-0", "r p\"s"]).run().expect(0).stdout;
    assert_eq!(received, b"second\n\0begun\nended\n\0");
    place.run("truncate -s 20M 'o ut/0.report'");
    let ended = place.shell("cron-report 'o ut' 'r p\"s' printf '\\0\\377'").run().expect(65);
    ended.says("0.report: record 1: longer than --max-size");
    assert_eq!(vhost.receive(&["--drain", "-0", "r p\"s"]).run().stdout, b"\0\xff\0");
    assert_eq!(place.run("ls 'o ut'"), b"0.report\n");
}
