//! Every argument of a queue: declared, declared again, changed, compared; each time the broker
//! itself is asked for the queue's description.

mod every_argument;

use rmq_tests::brokers::{self, release};
use rmq_tests::vhost::Vhost;

/// `4.3` as 403.
fn number(release: &str) -> u32 {
    let (major, minor) = release.split_once('.').unwrap();
    major.parse::<u32>().unwrap() * 100 + minor.parse::<u32>().unwrap()
}

#[test]
fn all_differences_are_told_in_one_run_the_type_first_and_with_a_command_that_exists() {
    let vhost = Vhost::new(brokers::one());
    let application =
        ["--type", "classic", "--message-ttl", "1m", "--max-priority", "9", "--transient"];
    vhost.declare(&application, "jobs");
    let is = vhost.arguments("jobs");
    for words in [&["--max-length", "5", "jobs"][..], &["--check", "--max-length", "5", "jobs"]] {
        let told = vhost.tool("rmq-declare").arguments(words).run();
        let told = told.expect(if words[0] == "--check" { 1 } else { 65 });
        let wanted = format!(
            "it exists with --type (x-queue-type) classic, quorum was asked for; with durable \
             false, true was asked for; without --max-length (x-max-length), 5 was asked for; with \
             --message-ttl (x-message-ttl) 1m, none was asked for; with --max-priority \
             (x-max-priority) 9, none was asked for; the type of a queue cannot be changed: use \
             another name, or delete it if it is empty and unused, and declare it again (rmq-declare \
             -p {} --delete --if-empty --if-unused jobs)",
            vhost.name
        );
        assert!(told.stderr.contains(&wanted), "{}", told.stderr);
        assert_eq!(told.stderr.lines().count(), 1, "{}", told.stderr);
    }
    assert_eq!(vhost.arguments("jobs"), is);
    // The advice works.
    let delete = ["-p", &vhost.name, "--delete", "--if-empty", "--if-unused", "jobs"];
    vhost.tool("rmq-declare").arguments(&delete).run().expect(0);
    vhost.declare(&["--quiet"], "jobs");
    let told = vhost.tool("rmq-declare").arguments(&["--quiet", "--max-length", "5", "jobs"]).run();
    let told = told.expect(65);
    let (_, command) = told.stderr.split_once("(rabbitmqctl ").unwrap();
    let command = command.trim_end().strip_suffix(')').unwrap().replace('\'', "");
    vhost.cluster.control(1, &command.split(' ').collect::<Vec<_>>());
    vhost.send(&["jobs"]).input(rmq_tests::text::numbered(9)).run().expect(0);
    vhost.wait_held("jobs", rmq_tests::observe::Held::ready(5));
}

#[test]
fn a_queue_whose_name_cuts_the_broker_short_is_told_as_far_as_it_goes() {
    let vhost = Vhost::new(brokers::one());
    let name = "q".repeat(200);
    vhost.declare(&["--max-length", "5"], &name);
    let told = vhost.tool("rmq-declare").arguments(&["--max-length", "9", &name]).run().expect(65);
    told.says("with another --max-length")
        .says("there may be more differences (rmq-perm list-queues -v");
}

#[test]
fn what_a_release_does_not_compare_a_check_says() {
    let vhost = Vhost::new(brokers::one());
    let release = number(&release());
    vhost.declare(&["--quiet", "--arg", "x-own=1"], "q");
    let check =
        |words: &[&str]| vhost.tool("rmq-declare").arguments(&["--check"]).arguments(words).run();
    check(&["--arg", "x-own=2", "q"]).expect(0).says("does not compare x-own,");
    check(&["--arg", "x-own=1", "--max-length", "5", "q"]).expect(1);
    if release >= 312 {
        vhost.declare(&["--quiet", "--consumer-timeout", "5m"], "timeout");
        let told = check(&["--consumer-timeout", "10m", "timeout"]);
        match release >= 403 {
            true => told.expect(1).says("5m, 10m was asked for"),
            false => told.expect(0).says("does not compare --consumer-timeout"),
        };
    } else {
        check(&["--consumer-timeout", "10m", "q"])
            .expect(1)
            .says("does not know --consumer-timeout");
    }
}

#[test]
fn sizes_and_places_are_written_as_people_write_them() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&["--quiet", "--max-bytes", "20G", "--leader-locator", "least-leaders"], "q");
    let is = vhost.arguments("q").unwrap();
    assert!(is.contains(r#"{<<"x-max-length-bytes">>,long,21474836480}"#), "{is}");
    let stream =
        ["--type", "stream", "--leader-locator", "least-leaders", "--max-segment-bytes", "2M"];
    vhost.declare(&stream, "s");
    let is = vhost.arguments("s").unwrap();
    assert!(is.contains("least-leaders") && is.contains("2097152"), "{is}");
    let check = [&["--check"], &stream[..], &["s"]].concat();
    vhost.tool("rmq-declare").arguments(&check).run().expect(0);
    let file = "queue,max-bytes,leader-locator\nq,20G,least-leaders\n";
    let check = vhost.tool("rmq-declare").arguments(&["--check", "--csv", "-"]).input(file);
    assert_eq!(check.run().expect(0).stdout, file.as_bytes());
}

#[test]
fn a_quorum_queue_on_three_nodes_has_three_members() {
    let vhost = Vhost::new(brokers::three());
    vhost.declare(&[], "q");
    vhost.declare(&["--group-size", "1"], "single");
    assert_eq!((vhost.members("q"), vhost.members("single")), (3, 1));
}

#[test]
fn what_the_release_does_not_know_yet_is_refused_and_not_silently_ignored() {
    let vhost = Vhost::new(brokers::one());
    let known = number(&release()) >= 403;
    let retry = ["--delayed-retry-type", "all", "--delayed-retry-min", "1s", "q"];
    let ended = vhost.tool("rmq-declare").arguments(&retry).run();
    if known {
        ended.expect(0);
        // One that is no longer permitted is reported at once, although its code is INTERNAL_ERROR.
        let old = ["--type", "classic", "--master-locator", "random", "old"];
        let ended = vhost.tool("rmq-declare").arguments(&old).run().expect(65);
        let ended = ended.says("does not allow it").says("queue_master_locator");
        assert!(ended.took < std::time::Duration::from_secs(10), "{:?}", ended.took);
        assert_eq!(vhost.arguments("old"), None);
    } else {
        ended.expect(65).says("does not know --delayed-retry-type").says("from 4.3 on");
        assert_eq!(vhost.arguments("q"), None);
    }
}

#[test]
fn a_misspelt_argument_is_warned_of_and_so_is_an_even_group() {
    let vhost = Vhost::new(brokers::one());
    let declare = |words: &[&str]| vhost.tool("rmq-declare").arguments(words).run().expect(0);
    let told = declare(&["--arg", "x-max-lenght=5", "a", "b"]).says("(did you mean x-max-length?)");
    assert_eq!(told.stderr.matches("x-max-lenght").count(), 1, "{}", told.stderr);
    declare(&["--group-size", "4", "c"]).says("survives the loss of 1 node, as 3 does");
    assert!(vhost.arguments("a").unwrap().contains("x-max-lenght"));
}

#[test]
fn messages_that_would_be_dropped_are_warned_of_where_the_broker_has_a_limit() {
    let vhost = Vhost::new(brokers::one_of_four());
    let declare = |words: &[&str]| vhost.tool("rmq-declare").arguments(words).run().expect(0);
    declare(&["a"]).says("without a dead-letter exchange");
    for words in [&["--with-dlq", "b"][..], &["--delivery-limit", "unlimited", "c"]] {
        let quiet = declare(words);
        assert!(quiet.stderr.is_empty(), "{}", quiet.stderr);
    }
}

#[test]
fn a_dry_run_tells_what_would_be_declared_and_declares_nothing() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "there");
    let run =
        |words: &[&str]| vhost.tool("rmq-declare").arguments(&["--dry-run"]).arguments(words).run();
    let told =
        run(&["--max-length", "5", "--exchange", "e:topic", "--bind", "e:k", "new"]).expect(1);
    let text = String::from_utf8(told.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("exchange\te\tmissing\t{"), "{text}");
    assert!(lines[1].starts_with("queue\tnew\tmissing\t{"), "{text}");
    assert!(
        lines[1].contains(r#""arguments":{"x-max-length":5,"x-queue-type":"quorum"}"#),
        "{text}"
    );
    assert!(lines[2].starts_with("binding\tnew\tmissing\t{"), "{text}");
    assert_eq!((vhost.arguments("new"), vhost.exchange("e")), (None, None));
    let told = run(&["there"]).expect(0);
    assert!(told.stdout.starts_with(b"queue\tthere\tthere\t{"));
}

#[test]
fn a_check_without_options_needs_no_permission_and_makes_nothing() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&["--max-length", "5"], "q");
    let user = format!("{}-monitor", vhost.name);
    // 4.3 answers only users who have some permission on the queue.
    vhost.add_user(&user, ["^$", "^$", ".*"]);
    let url = vhost.url_for(&user);
    let check = |words: &[&str]| {
        vhost.tool("rmq-declare").arguments(&["--url", &url, "--check"]).arguments(words).run()
    };
    assert_eq!(check(&["q"]).expect(0).stdout, b"q\t0\t0\n");
    assert_eq!(check(&["q", "nope"]).expect(1).stdout, b"q\t0\t0\nnope\tmissing\n");
    check(&["--max-length", "5", "q"]).expect(77).says("configure on q in ");
    assert_eq!(check(&["--max-length", "5", "nope"]).expect(1).stdout, b"nope\tmissing\n");
    assert_eq!(vhost.arguments("nope"), None);
}
