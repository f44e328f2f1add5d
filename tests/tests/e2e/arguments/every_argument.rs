//! A table of all arguments, each declared, compared and distinguished.

use super::*;

/// An argument, and a queue that differs only in it.
#[derive(Clone, Copy)]
struct Case {
    /// The options.
    words: &'static str,
    /// Others, which differ in one argument.
    other: &'static str,
    /// The broker's form of it.
    term: &'static str,
    /// The message about the difference.
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
        // None of that has changed anything.
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
