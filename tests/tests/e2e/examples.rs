//! Each file in `examples` does what it says.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::running::Running;
use rmq_tests::shell::stand_in;
use rmq_tests::text::numbered;
use rmq_tests::tool::{Ended, Tool};
use rmq_tests::vhost::{PASSWORD, Vhost};
use rmq_tests::wait::{wait_equal, wait_until};
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

/// A directory in which examples are run, against a vhost.
pub(crate) struct Place<'a> {
    /// Where its queues are.
    pub(crate) vhost: &'a Vhost<'a>,
    directory: tempfile::TempDir,
}

impl<'a> Place<'a> {
    pub(crate) fn new(vhost: &'a Vhost<'a>) -> Self {
        Place { vhost, directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn shell(&self, script: &str) -> Tool {
        Tool::shell(self.directory.path(), script).environment("AMQP_URL", &self.vhost.url())
    }

    /// A shell that has what rmq-perm needs to reach the node.
    pub(crate) fn operator(&self, script: &str) -> Tool {
        let cluster = self.vhost.cluster;
        let shell = self.shell(script).environment("HOME", cluster.variable("RMQ_CLUSTER_HOME"));
        let variables = ["RABBITMQ_NODENAME", "ERL_EPMD_PORT"];
        variables.iter().fold(shell, |shell, name| shell.environment(name, cluster.variable(name)))
    }

    pub(crate) fn run(&self, script: &str) -> Vec<u8> {
        self.shell(script).run().expect(0).stdout
    }

    pub(crate) fn read(&self, file: &str) -> String {
        fs::read_to_string(self.directory.path().join(file)).unwrap_or_default()
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        fs::write(self.directory.path().join(file), text).unwrap();
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.directory.path().join(file)
    }

    pub(crate) fn files(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(self.directory.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").canonicalize().unwrap()
}

/// Ctrl-C for all of it, as a terminal would.
fn interrupt(running: Running) -> String {
    running.signal(Signal::INT);
    running.wait().stderr
}

#[test]
fn every_example_says_what_it_guarantees_and_is_run_here() {
    let here = concat!(include_str!("examples.rs"), include_str!("recipes.rs"));
    for entry in fs::read_dir(examples()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() || name.ends_with(".md") || name.ends_with(".csv") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let first = usize::from(lines[0].starts_with("#!"));
        let guarantees = &lines[first..first + 2];
        assert!(guarantees[0].starts_with("# Guarantees: "), "{name}");
        assert!(guarantees[1].starts_with("# "), "{name}");
        assert!(
            here.contains(&format!("{name} ")) || here.contains(&format!("\"{name}\"")),
            "{name}"
        );
    }
}

#[test]
fn the_journal_is_sent_from_where_it_was_confirmed() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "journal");
    let place = Place::new(&vhost);
    // A build machine has no journal: this journalctl writes what is in a file.
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
            // Five fields, then what cron gives to the shell.
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
    // Half a report is not sent, nor kept.
    place.shell("cron-report outbox reports sh -c 'echo half; exit 3'").run().expect(3);
    assert_eq!(vhost.drain("reports"), b"");
    assert_eq!(place.run("ls outbox"), b"");
}

#[test]
fn reports_that_overlap_are_whole_and_one_that_is_too_large_stops_no_other() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "r p\"s");
    let place = Place::new(&vhost);
    // The second is made whole while the first is half made.
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

#[test]
fn any_bytes_are_saved_restored_moved_and_fanned_out_as_they_are() {
    let (vhost, other) = (Vhost::new(brokers::one()), Vhost::new(brokers::one()));
    let queue = "jo b\"'s;\\";
    vhost.declare(&[], queue);
    other.declare(&[], queue);
    let long = vec![b'x'; 1 << 20];
    let bodies: [&[u8]; 6] = [b"", b"\n", b"a\r\nb\n\n", b"\0\xff\xfe\0", b"\"'\\", &long];
    let mut framed = Vec::new();
    for body in bodies {
        framed.extend_from_slice(&u32::try_from(body.len()).unwrap().to_be_bytes());
        framed.extend_from_slice(body);
    }
    vhost.send(&["--format", "length", queue]).input(framed.clone()).run().expect(0);
    let place = Place::new(&vhost);
    let names = format!("queue=$(printf '%s' {queue:?}); file=$(printf 'o u\\nt\"')");
    place.run(&format!("{names}; queue-save \"$queue\" \"$file\""));
    place.run(&format!("{names}; queue-restore \"$queue\" \"$file\""));
    place.run(&format!("{names}; move-queue \"$AMQP_URL\" '{}' \"$queue\"", other.url()));
    let drain = ["--drain", "--format", "length", queue];
    assert!(other.receive(&drain).run().expect(0).stdout == framed);
    // What did not begin is no file in the way of the next.
    place.shell("queue-save missing saved").run().expect(65);
    assert!(!place.files().contains("saved"));

    let lines = [b"\n\r\n\0\xff\n\"q\" \\x\n".as_slice(), &long, b"\nno end"].concat();
    fs::write(place.directory.path().join("lines"), &lines).unwrap();
    place.run("fan-out 'e x\"' 'f 1' \"f'2\" < lines");
    for queue in ["f 1", "f'2"] {
        assert!(vhost.drain(queue) == [&lines[..], b"\n"].concat(), "{queue}");
    }
}

#[test]
fn a_line_is_fanned_out_to_every_queue_and_a_tap_sees_what_passes() {
    let vhost = Vhost::new(brokers::one());
    let place = Place::new(&vhost);
    place.run("printf '1\\n2\\n' | fan-out orders billing shipping");
    assert_eq!(vhost.drain("billing"), b"1\n2\n");
    assert_eq!(vhost.drain("shipping"), b"1\n2\n");
    vhost.add_exchange("events", "topic");
    let tap = place.shell("exec tap events 'order.*' 'invoice.#'").start();
    // Nobody can see from outside that the tap is bound: it is when something arrives.
    let send = "printf 'order.new\\tx\\nother.y\\tz\\ninvoice.a.b\\tw\\n' | \
                rmq-send --allow-unroutable -e events -K '\\t'";
    wait_until(LONG, "the tap", || {
        place.run(send);
        !tap.stdout().is_empty()
    });
    tap.wait_stdout("order.new\tx\ninvoice.a.b\tw\n".len());
    let seen = String::from_utf8(tap.stdout()).unwrap();
    interrupt(tap);
    let seen: BTreeSet<&str> = seen.lines().collect();
    assert_eq!(seen, BTreeSet::from(["invoice.a.b\tw", "order.new\tx"]));
}

#[test]
fn a_queue_is_moved_saved_and_restored_with_all_that_messages_carry() {
    let (vhost, other) = (Vhost::new(brokers::one()), Vhost::new(brokers::one()));
    vhost.declare(&[], "jobs");
    let words = ["-H", "try:int=1", "--message-id", "auto", "jobs"];
    vhost.send(&words).input("one\ntwo\n").run().expect(0);
    let all = |vhost: &Vhost| vhost.receive(&["--peek", "9", "-f", "%h %s\n", "jobs"]).run().stdout;
    let before = all(&vhost);
    let place = Place::new(&vhost);
    let script = format!("move-queue \"$AMQP_URL\" '{}' jobs", other.url());
    place.shell(&script).run().expect(65).says("no queue jobs at the destination");
    vhost.wait_held("jobs", Held::ready(2));
    other.declare(&[], "jobs");
    // Where the new place cannot be asked, nothing is taken.
    let elsewhere = format!("move-queue \"$AMQP_URL\" '{}-x' jobs", other.url());
    let ended = place.shell(&elsewhere).run();
    assert!(!ended.status.success() && !ended.stderr.contains("rmq-recv"), "{}", ended.stderr);
    place.run(&script);
    vhost.wait_held("jobs", Held::ready(0));
    assert_eq!(all(&other), before);
    let place = Place::new(&other);
    place.run("queue-save jobs saved");
    other.wait_held("jobs", Held::ready(0));
    let saved = place.read("saved");
    place.shell("queue-save jobs saved").run().expect(1);
    assert_eq!(place.read("saved"), saved);
    place.run("queue-restore jobs saved");
    assert_eq!(all(&other), before);
    assert_eq!(place.files(), BTreeSet::from(["saved.restored".to_owned()]));
}

#[test]
fn what_fails_in_a_pool_of_workers_is_a_dead_letter_that_is_looked_at_and_replayed() {
    let vhost = Vhost::new(brokers::one());
    let place = Place::new(&vhost);
    place.run("rmq-declare --quiet --with-dlq jobs");
    vhost.send(&["jobs"]).input("one\nbad\ntwo\n").run().expect(0);
    stand_in(place.directory.path(), "work", "read -r line; [ \"$line\" != bad ] && echo done");
    let mut pool = place.shell("exec worker-pool jobs work").environment("JOBS", "2").start();
    vhost.wait_held("jobs.dlq", Held::ready(1));
    wait_until(LONG, "all of them", || vhost.held("jobs").messages() == 0);
    assert!(pool.is_running());
    interrupt(pool);
    let seen = String::from_utf8(place.run("dead-letters look jobs")).unwrap();
    assert!(seen.contains("\"reason\":\"rejected\"") && seen.ends_with("\tbad\n"), "{seen}");
    place.run("dead-letters replay jobs");
    vhost.wait_held("jobs.dlq", Held::ready(0));
    assert_eq!(vhost.drain("jobs"), b"bad\n");
    // With none there is nothing to wait for.
    place.run("dead-letters replay jobs");
    place.shell("dead-letters replay elsewhere").run().expect(65).says("no queue elsewhere.dlq");
}

/// A request by pika for each word, to a queue and with an address of its own; the answers, sorted.
const REQUESTS: &str = "\
answers = []
def answered(channel, method, properties, body):
    answers.append((properties.correlation_id or '-') + ' ' + body.decode())
    if len(answers) == len(words): channel.stop_consuming()
channel.basic_consume('amq.rabbitmq.reply-to', answered, auto_ack=True)
for word in words:
    channel.basic_publish('', 'requests', word.encode(), pika.BasicProperties(
        reply_to='amq.rabbitmq.reply-to', correlation_id='-' + word if word != 'none' else None))
connection.call_later(30, channel.stop_consuming)
channel.start_consuming()
print('|'.join(sorted(answers)))
";

#[test]
fn requests_of_another_client_are_answered_where_it_waits_and_one_that_fails_is_a_dead_letter() {
    let vhost = Vhost::new(brokers::one());
    let place = Place::new(&vhost);
    // It fails over some, says nothing to others, and is given no password.
    let work = "[ -z \"${AMQP_URL-}\" ] || exit 1
        read -r line; [ \"$line\" != bad ] || { echo half; exit 1; }
        [ \"$line\" = empty ] || printf '%s\\n' \"$1\" \"$line\"";
    stand_in(place.directory.path(), "work", work);
    let here = place.directory.path().to_str().unwrap();
    let pool = place.shell("exec answer-requests requests work 'it is'").environment("JOBS", "2");
    let pool = pool.environment("TMPDIR", here).start();
    wait_until(LONG, "a worker", || vhost.try_held("requests").is_some_and(|it| it.consumers > 0));
    let answers = vhost.pika(&format!("words = ['one', 'empty', 'none', 'x y']\n{REQUESTS}"));
    let wanted = "- it is\nnone\n|-empty |-one it is\none\n|-x y it is\nx y\n\n";
    assert_eq!(String::from_utf8(answers).unwrap(), wanted);
    // Without an address it is only worked on, and so is what its sender no longer waits for.
    vhost.send(&["requests"]).input("quiet\n").run().expect(0);
    vhost.pika(
        "channel.basic_consume('amq.rabbitmq.reply-to', print, auto_ack=True)\n\
         channel.basic_publish('', 'requests', b'gone', pika.BasicProperties(\n\
         reply_to='amq.rabbitmq.reply-to'))\n\
         channel.basic_publish('', 'requests', b'bad', pika.BasicProperties(\n\
         reply_to='amq.rabbitmq.reply-to'))\n\
         connection.close()",
    );
    vhost.wait_held("requests.dlq", Held::ready(1));
    wait_until(LONG, "all of them", || vhost.held("requests").messages() == 0);
    interrupt(pool);
    assert_eq!(vhost.drain("requests.dlq"), b"bad\n");
    assert_eq!(place.files(), BTreeSet::from(["bin".to_owned()]));
}

#[test]
fn a_filter_takes_nothing_with_it_when_it_dies() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&["--delivery-limit", "unlimited"], "in");
    vhost.declare(&[], "out");
    vhost.send(&["in"]).input("1\n2\n3\n").run().expect(0);
    let place = Place::new(&vhost);
    // It takes two and dies with the second.
    let script = "through-a-filter in out sh -c 'read -r a; echo $a; read -r b; exit 1'";
    let status = place.shell(script).run().status;
    assert!(!status.success());
    vhost.wait_held("out", Held::ready(1));
    vhost.wait_held("in", Held::ready(2));
    let running = place.shell("exec through-a-filter in out sed -u 's/^/seen /'").start();
    vhost.wait_held("out", Held::ready(3));
    interrupt(running);
    assert_eq!(vhost.drain("out"), b"1\nseen 2\nseen 3\n");
    vhost.wait_held("in", Held::ready(0));
    // What it leaves of a line in which it dies is not sent in place of the line.
    vhost.send(&["in"]).input("one\ntwo\n").run().expect(0);
    let script =
        "through-a-filter in out sh -c 'read -r a; echo $a; read -r b; printf t; kill -9 $$'";
    place.shell(script).run().says("line 2: 1 byte of an incomplete record not sent");
    vhost.wait_held("in", Held::ready(1));
    assert_eq!(vhost.drain("out"), b"one\n");
}

#[test]
fn lines_of_one_key_stay_in_one_queue_in_their_order_and_files_in_theirs() {
    let vhost = Vhost::new(brokers::one());
    let place = Place::new(&vhost);
    let lines: String = (0..200).map(|n| format!("key{}\t{n}\n", n % 7)).collect();
    place.write("input", &lines);
    place.run("partition 3 'e\\ve nts' < input");
    let mut parts = Vec::new();
    for number in 0..3 {
        parts.push(String::from_utf8(vhost.drain(&format!("e\\ve nts.{number}"))).unwrap());
    }
    assert_eq!(parts.concat().lines().count(), 200);
    for key in 0..7 {
        let begins = format!("key{key}\t");
        let of_key = |text: &str| -> Vec<String> {
            text.lines().filter(|line| line.starts_with(&begins)).map(str::to_owned).collect()
        };
        let having: Vec<_> = parts.iter().filter(|part| !of_key(part).is_empty()).collect();
        assert_eq!(having.len(), 1, "key {key}");
        assert_eq!(of_key(having[0]), of_key(&lines), "key {key}");
    }
    place.write("-o ther", "a\nb\n");
    place.run("send-in-parallel 2 files input '-o ther'");
    let parts = ["files.0", "files.1"].map(|it| String::from_utf8(vhost.drain(it)).unwrap());
    let sent: Vec<&str> = parts.iter().flat_map(|part| part.lines()).collect();
    assert_eq!(sent.len(), 202);
    let order = |line: &&str| line.contains('\t');
    assert_eq!(
        sent.iter().copied().filter(order).collect::<Vec<_>>(),
        lines.lines().collect::<Vec<_>>()
    );
}

#[test]
fn permissions_in_a_file_are_planned_applied_and_watched() {
    let vhost = Vhost::new(brokers::one());
    let (name, developer) = (&vhost.name, format!("{}-developer", vhost.name));
    vhost.add_user(&developer, [".*", ".*", ".*"]);
    let place = Place::new(&vhost);
    let row = |user: &str, patterns| format!("{name},{user},{patterns}\n");
    let header = "vhost,user,configure,write,read\n".to_owned();
    let file = header + &row(name, ".*,.*,.*") + &row(&developer, "^$,^app[.],^app[.]");
    place.write("permissions.csv", &file);
    let ci = |what: &str| {
        let script = examples().join("permissions/permissions-ci");
        place.operator(&format!("exec {} {what} permissions.csv", script.display())).run()
    };
    let shown = |ended: Ended| String::from_utf8(ended.stdout).unwrap();
    assert!(shown(ci("plan").expect(0)).contains(&developer));
    // A plan changes nothing, and a watch says what is not as it is written.
    assert!(shown(ci("watch").expect(1)).contains(&developer));
    ci("apply").expect(0);
    assert_eq!(shown(ci("watch").expect(0)), "");
    let somebody = format!("{name}-somebody");
    vhost.add_user(&somebody, [".*", ".*", ".*"]);
    assert!(shown(ci("watch").expect(1)).contains(&somebody));
    ci("apply").expect(0);
    assert_eq!(shown(ci("watch").expect(0)), "");
    place.write("permissions.csv", &file.replace("^$", "("));
    ci("apply").expect(65).says("line 3");
    place.write("permissions.csv", &file);
    assert_eq!(shown(ci("watch").expect(0)), "");
    for user in [&somebody, &developer] {
        vhost.cluster.control(1, &["delete_user", user]);
    }
}

/// A unit, checked by systemd itself; what is open to the outside counts less than three of ten.
fn checked_unit(name: &str, instance: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let unit = examples().join("systemd").join(name);
    let copy = directory.path().join(name.replace('@', &format!("@{instance}")));
    fs::copy(&unit, &copy).unwrap();
    let systemd = |words: &[&str]| {
        let words = [words, &[copy.to_str().unwrap()]].concat();
        let told = Tool::program("systemd-analyze").arguments(&words).run().expect(0);
        (told.stderr, String::from_utf8_lossy(&told.stdout).into_owned())
    };
    let (told, _) = systemd(&["verify", "--man=no"]);
    assert!(!told.contains("rmq-"), "{told}");
    let words = ["security", "--offline=true", "--no-pager", "--threshold=30"];
    let (_, exposure) = systemd(&words);
    assert!(exposure.contains("Overall exposure level"), "{exposure}");
    fs::read_to_string(&unit).unwrap()
}

#[test]
fn the_unit_of_a_worker_is_valid_and_runs_a_command_for_each_message() {
    let text = checked_unit("rmq-recv@.service", "thumbnails");
    let line = |begins: &str| text.lines().find_map(|line| line.strip_prefix(begins)).unwrap();
    assert!(line("LoadCredential=").starts_with("password:"));
    let vhost = Vhost::new(brokers::one());
    let place = Place::new(&vhost);
    place.run("rmq-declare --quiet --with-dlq thumbnails");
    vhost.send(&["thumbnails"]).input("one\nbad\n").run().expect(0);
    place.write("password", &format!("{PASSWORD}\n"));
    let here = place.directory.path().to_str().unwrap();
    let work = format!("read -r line; echo \"$line\" >> {here}/done; [ \"$line\" != bad ]");
    stand_in(place.directory.path(), "thumbnails", &work);
    let command = line("ExecStart=").replace("%d", here).replace("%i", "thumbnails");
    let command = command.replace("/usr/local/lib/rmq", &format!("{here}/bin"));
    let url = format!("amqp://{}@{}/{}", vhost.name, vhost.cluster.hosts(), vhost.name);
    let unit = place.shell(&format!("exec {command}")).environment("AMQP_URL", &url).start();
    vhost.wait_held("thumbnails.dlq", Held::ready(1));
    drop(unit);
    let mut lines: Vec<String> = place.read("done").lines().map(str::to_owned).collect();
    lines.sort_unstable();
    assert_eq!(lines, ["bad", "bad", "bad", "one"]);
}

#[test]
fn the_unit_of_systemd_is_valid_and_ships_a_log_through_a_restart_of_the_broker() {
    let text = checked_unit("rmq-send-log.service", "");
    let line = |begins: &str| text.lines().find_map(|line| line.strip_prefix(begins)).unwrap();
    let url = line("Environment=AMQP_URL=");
    assert!(
        url.starts_with("amqps://log-shipper@") && line("LoadCredential=").starts_with("password:")
    );

    let cluster = brokers::one_to_break();
    let vhost = Vhost::new(&cluster);
    vhost.declare(&[], "logs");
    let place = Place::new(&vhost);
    let directory = place.directory.path();
    place.write("password", &format!("{PASSWORD}\n"));
    place.write("app.log", "before\n");
    fs::create_dir(directory.join("rmq-send-log")).unwrap();
    // What systemd puts in place of its specifiers, and a log and a broker that are here.
    let here = directory.to_str().unwrap();
    let command = line("ExecStart=").replace("%d", here).replace("%S", here);
    let command = command.replace("/var/log/app.log", &format!("{here}/app.log"));
    let url = format!("amqp://{}@{}/{}", vhost.name, cluster.hosts(), vhost.name);
    let unit = Tool::shell(directory, &format!("exec {command}")).environment("AMQP_URL", &url);
    let unit = unit.timeout(Duration::from_secs(180)).start();
    let log = |line: &str| {
        let mut log = fs::OpenOptions::new();
        let mut log = log.append(true).create(true).open(directory.join("app.log")).unwrap();
        writeln!(log, "{line}").unwrap();
    };
    vhost.wait_held("logs", Held::ready(1));
    fs::rename(directory.join("app.log"), directory.join("app.log.1")).unwrap();
    log("first");
    vhost.wait_held("logs", Held::ready(2));
    cluster.stop(&[1]);
    unit.wait_stderr("lost the connection");
    log("while it was away");
    cluster.start(&[1]);
    log("after");
    let arrived = || vhost.receive(&["--drain", "logs"]).run().stdout;
    let mut lines = String::new();
    wait_until(LONG, "the last line", || {
        lines += &String::from_utf8(arrived()).unwrap();
        lines.contains("after\n")
    });
    drop(unit);
    let mut lines: Vec<&str> = lines.lines().collect();
    lines.dedup();
    assert_eq!(lines, ["before", "first", "while it was away", "after"]);
}
