//! Every argument of a queue: declared, declared again, differing, compared; each time the broker
//! itself is asked what the queue is like.

use rmq_tests::brokers::{self, release};
use rmq_tests::vhost::Vhost;

/// An argument, and a queue that differs in it alone.
#[derive(Clone, Copy)]
struct Case {
    /// The options.
    words: &'static str,
    /// Others, which differ in one argument.
    other: &'static str,
    /// What the broker has it as.
    term: &'static str,
    /// What is told of the difference.
    told: &'static str,
    /// The first release that knows it, and the last.
    releases: (u32, u32),
}

const fn case(
    words: &'static str,
    other: &'static str,
    term: &'static str,
    told: &'static str,
) -> Case {
    Case { words, other, term, told, releases: (310, 999) }
}

const fn of(releases: (u32, u32), case: Case) -> Case {
    Case { releases, ..case }
}

const SEGMENT: &str = "--max-segment-bytes (x-stream-max-segment-size-bytes)";

#[rustfmt::skip]
fn cases() -> Vec<Case> {
    vec![
        case("", "--type classic", r#"{<<"x-queue-type">>,longstr,<<"quorum">>}"#,
            "--type (x-queue-type) quorum, classic was asked for; the type of a queue cannot"),
        case("--group-size 1", "--group-size 3", r#"{<<"x-quorum-initial-group-size">>,long,1}"#,
            "--group-size (x-quorum-initial-group-size) 1, 3 was asked for"),
        case("--delivery-limit 7", "--delivery-limit 5", r#"{<<"x-delivery-limit">>,long,7}"#,
            "--delivery-limit (x-delivery-limit) 7, 5 was asked for; a policy (delivery-limit) can lower it"),
        case("--max-length 10", "--max-length 20", r#"{<<"x-max-length">>,long,10}"#,
            "--max-length (x-max-length) 10, 20 was asked for; it cannot be changed"),
        case("--type classic --max-length 10", "--type classic --max-length 9",
            r#"{<<"x-max-length">>,long,10}"#,
            "--max-length (x-max-length) 10, 9 was asked for; a policy (max-length) can lower it"),
        case("--max-bytes 10", "", r#"{<<"x-max-length-bytes">>,long,10}"#,
            "with --max-bytes (x-max-length-bytes) 10, none was asked for"),
        case("--type stream --max-bytes 10000", "--type stream",
            r#"{<<"x-max-length-bytes">>,long,10000}"#,
            "with --max-bytes (x-max-length-bytes) 10000, none was asked for"),
        case("--overflow reject-publish", "--overflow drop-head",
            r#"{<<"x-overflow">>,longstr,<<"reject-publish">>}"#,
            "--overflow (x-overflow) reject-publish, drop-head was asked for"),
        case("--type classic --overflow reject-publish-dlx", "--type classic --overflow drop-head",
            r#"{<<"x-overflow">>,longstr,<<"reject-publish-dlx">>}"#,
            "--overflow (x-overflow) reject-publish-dlx, drop-head was asked for"),
        case("--message-ttl 1h", "--message-ttl 30m", r#"{<<"x-message-ttl">>,long,3600000}"#,
            "--message-ttl (x-message-ttl) 1h, 30m was asked for; a policy (message-ttl) can lower it"),
        case("--expires 1h", "--expires 2h", r#"{<<"x-expires">>,long,3600000}"#,
            "--expires (x-expires) 1h, 2h was asked for"),
        case("--dead-letter-exchange a", "--dead-letter-exchange b",
            r#"{<<"x-dead-letter-exchange">>,longstr,<<"a">>}"#,
            "--dead-letter-exchange (x-dead-letter-exchange) a, b was asked for"),
        case("--dead-letter-exchange= --dead-letter-key a", "--dead-letter-exchange= --dead-letter-key b",
            r#"{<<"x-dead-letter-routing-key">>,longstr,<<"a">>}"#,
            "--dead-letter-key (x-dead-letter-routing-key) a, b was asked for"),
        case("--overflow reject-publish --dead-letter-exchange a --dead-letter-strategy at-least-once",
            "--overflow reject-publish --dead-letter-exchange a --dead-letter-strategy at-most-once",
            r#"{<<"x-dead-letter-strategy">>,longstr,<<"at-least-once">>}"#,
            "--dead-letter-strategy (x-dead-letter-strategy) at-least-once, at-most-once was asked for"),
        case("--single-active-consumer", "", r#"{<<"x-single-active-consumer">>,bool,true}"#,
            "--single-active-consumer (x-single-active-consumer) true, none was asked for"),
        case("--leader-locator balanced", "--leader-locator client-local",
            r#"{<<"x-queue-leader-locator">>,longstr,<<"balanced">>}"#,
            "--leader-locator (x-queue-leader-locator) balanced, client-local was asked for"),
        case("--type stream --group-size 1", "--type stream --group-size 3",
            r#"{<<"x-initial-cluster-size">>,long,1}"#,
            "--group-size (x-initial-cluster-size) 1, 3 was asked for"),
        case("--type stream --max-age 7d", "--type stream --max-age 12h",
            r#"{<<"x-max-age">>,longstr,<<"7D">>}"#, "--max-age (x-max-age) 7D, 12h was asked for"),
        case("--type stream --max-segment-bytes 100000", "--type stream --max-segment-bytes 200000",
            r#"{<<"x-stream-max-segment-size-bytes">>,long,100000}"#, SEGMENT),
        case("--type classic --max-priority 5", "--type classic --max-priority 6",
            r#"{<<"x-max-priority">>,long,5}"#,
            "--max-priority (x-max-priority) 5, 6 was asked for; it cannot be changed"),
        case("--type classic --queue-mode lazy", "--type classic --queue-mode default",
            r#"{<<"x-queue-mode">>,longstr,<<"lazy">>}"#,
            "--queue-mode (x-queue-mode) lazy, default was asked for"),
        case("--type classic --queue-version 2", "--type classic",
            r#"{<<"x-queue-version">>,long,2}"#,
            "--queue-version (x-queue-version) 2, none was asked for"),
        case("--type classic --transient", "--type classic", "classic",
            "with durable false, true was asked for; it cannot be changed"),
        case("--type classic --auto-delete", "--type classic", "auto_delete",
            "with auto_delete true, false was asked for; it cannot be changed"),
        case("--arg x-max-length=10", "--max-length 11", r#"{<<"x-max-length">>,long,10}"#,
            "--max-length (x-max-length) 10, 11 was asked for"),
        of((310, 402), case("--type classic --master-locator random", "--type classic",
            r#"{<<"x-queue-master-locator">>,longstr,<<"random">>}"#,
            "--master-locator (x-queue-master-locator) random, none was asked for")),
        of((400, 999), case("--type classic --leader-locator balanced", "--type classic",
            r#"{<<"x-queue-leader-locator">>,longstr,<<"balanced">>}"#,
            "--leader-locator (x-queue-leader-locator) balanced, none was asked for")),
        of((400, 999), case("--delivery-limit unlimited", "--delivery-limit 3",
            r#"{<<"x-delivery-limit">>,long,-1}"#,
            "--delivery-limit (x-delivery-limit) unlimited, 3 was asked for")),
        // 4.0 knows it, and compares it from some later release on.
        of((403, 999), case("--type stream --filter-bytes 32", "--type stream --filter-bytes 33",
            r#"{<<"x-stream-filter-size-bytes">>,long,32}"#,
            "--filter-bytes (x-stream-filter-size-bytes) 32, 33 was asked for")),
        of((403, 999), case("--consumer-timeout 5m", "--consumer-timeout 10m",
            r#"{<<"x-consumer-timeout">>,long,300000}"#,
            "--consumer-timeout (x-consumer-timeout) 5m, 10m was asked for")),
        of((403, 999), case("--consumer-disconnected-timeout 5m", "",
            r#"{<<"x-consumer-disconnected-timeout">>,long,300000}"#,
            "--consumer-disconnected-timeout (x-consumer-disconnected-timeout) 5m, none was asked for")),
        of((403, 999), case("--delayed-retry-type all --delayed-retry-min 1s",
            "--delayed-retry-type failed --delayed-retry-min 1s",
            r#"{<<"x-delayed-retry-type">>,longstr,<<"all">>}"#,
            "--delayed-retry-type (x-delayed-retry-type) all, failed was asked for")),
        of((403, 999), case("--delayed-retry-type all --delayed-retry-min 1s",
            "--delayed-retry-type all --delayed-retry-min 2s",
            r#"{<<"x-delayed-retry-min">>,long,1000}"#,
            "--delayed-retry-min (x-delayed-retry-min) 1s, 2s was asked for")),
        of((403, 999), case("--delayed-retry-type all --delayed-retry-min 1s --delayed-retry-max 1m",
            "--delayed-retry-type all --delayed-retry-min 1s",
            r#"{<<"x-delayed-retry-max">>,long,60000}"#,
            "--delayed-retry-max (x-delayed-retry-max) 1m, none was asked for")),
    ]
}

/// `4.3` as 403.
fn number(release: &str) -> u32 {
    let (major, minor) = release.split_once('.').unwrap();
    major.parse::<u32>().unwrap() * 100 + minor.parse::<u32>().unwrap()
}

fn words(options: &str) -> Vec<&str> {
    options.split(' ').filter(|word| !word.is_empty()).collect()
}

fn every_argument_holds(vhost: &Vhost<'_>) {
    let release = number(&release());
    let declare = |options: &[&str], queue: &str| {
        vhost.tool("rmq-declare").arguments(options).arguments(&["--quiet", queue]).run()
    };
    for (index, case) in cases().iter().enumerate() {
        if !(case.releases.0..=case.releases.1).contains(&release) {
            continue;
        }
        let queue = format!("q{index}");
        let Case { words: given, other, term, told, .. } = case;
        let (same, other) = (words(given), words(other));
        let line = format!("{queue}\t0\t0\n").into_bytes();
        let declared = |ended: rmq_tests::tool::Ended, line: &[u8]| {
            assert_eq!(ended.stdout, line, "{given}: {}", ended.stderr);
        };
        declared(declare(&same, &queue).expect(0), &line);
        let is = vhost.arguments(&queue).unwrap();
        assert!(is.contains(term), "{given}: {is}");
        assert_eq!(is.contains("durable"), !given.contains("--transient"), "{is}");
        declared(declare(&same, &queue).expect(0), &line);
        declared(declare(&other, &queue).expect(65).says(told), b"");
        let check = |options: &[&str]| declare(&[&["--check"], options].concat(), &queue);
        declared(check(&same).expect(0), &line);
        declared(check(&[]).expect(0), &line);
        if !other.is_empty() {
            declared(check(&other).expect(1).says(told), &line);
        }
        // Nothing of all that has changed anything.
        assert_eq!(vhost.arguments(&queue), Some(is), "{given}");
    }
}

#[test]
fn every_argument_is_declared_compared_and_told_apart_on_one_node() {
    every_argument_holds(&Vhost::new(brokers::one()));
}

#[test]
fn every_argument_is_declared_compared_and_told_apart_on_three_nodes() {
    every_argument_holds(&Vhost::new(brokers::three()));
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
    // What is advised can be done.
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
        // One that is not permitted any more is told at once, although the broker calls it an
        // accident of its own.
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
    // 4.3 answers those only who have some permission on the queue.
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
