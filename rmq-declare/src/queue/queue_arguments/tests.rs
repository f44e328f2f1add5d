use super::*;
use crate::values::option_value;
use argh::FromArgs;

fn table(words: &str) -> Result<FieldTable, Failure> {
    let words: Vec<&str> = words.split(' ').filter(|word| !word.is_empty()).collect();
    let options = Arguments::from_args(&["rmq-declare"], &words).unwrap();
    from_options(&options, options.queue_type.unwrap_or(Quorum))
}

fn pairs(words: &str) -> Vec<(String, AMQPValue)> {
    let table = table(words).unwrap();
    table.into_iter().map(|(key, value)| (key.to_string(), value.clone())).collect()
}

#[test]
fn every_typed_option_is_its_argument_in_rabbitmqs_units() {
    let int = AMQPValue::LongLongInt;
    let cases = [
        ("--group-size 5", GROUP_SIZE, int(5)),
        ("--type stream --group-size 5", "x-initial-cluster-size", int(5)),
        ("--delivery-limit 7", DELIVERY_LIMIT, int(7)),
        ("--delivery-limit unlimited", DELIVERY_LIMIT, int(-1)),
        ("--max-length 10", "x-max-length", int(10)),
        ("--max-bytes 1000", "x-max-length-bytes", int(1000)),
        ("--overflow reject-publish", OVERFLOW, long("reject-publish")),
        ("--message-ttl 60s", "x-message-ttl", int(60_000)),
        ("--expires 1h", "x-expires", int(3_600_000)),
        ("--dead-letter-exchange dlx", DEAD_LETTER_EXCHANGE, long("dlx")),
        ("--dead-letter-key k", DEAD_LETTER_KEY, long("k")),
        ("--dead-letter-strategy at-least-once", DEAD_LETTER_STRATEGY, long("at-least-once")),
        ("--single-active-consumer", "x-single-active-consumer", AMQPValue::Boolean(true)),
        ("--leader-locator balanced", "x-queue-leader-locator", long("balanced")),
        ("--consumer-timeout 5m", "x-consumer-timeout", int(300_000)),
        ("--consumer-disconnected-timeout 5s", "x-consumer-disconnected-timeout", int(5_000)),
        ("--delayed-retry-type all", DELAYED_RETRY_TYPE, long("all")),
        ("--delayed-retry-min 1s", DELAYED_RETRY_MIN, int(1_000)),
        ("--delayed-retry-max 1m", "x-delayed-retry-max", int(60_000)),
        ("--type stream --max-age 7d", "x-max-age", long("7D")),
        ("--type stream --max-segment-bytes 9", "x-stream-max-segment-size-bytes", int(9)),
        ("--type stream --filter-bytes 32", "x-stream-filter-size-bytes", int(32)),
        ("--type classic --max-priority 5", "x-max-priority", int(5)),
        ("--type classic --queue-mode lazy", "x-queue-mode", long("lazy")),
        ("--type classic --queue-version 2", "x-queue-version", int(2)),
        ("--type classic --master-locator random", "x-queue-master-locator", long("random")),
        ("--arg x-new=5", "x-new", int(5)),
    ];
    for (words, key, value) in &cases {
        assert_eq!(pairs(words), [((*key).to_owned(), value.clone())], "{words}");
    }
    assert!(pairs("").is_empty());
    // What the broker reports of it is spelt so that the option reads the same.
    for (words, key, value) in &cases {
        let text = match value {
            AMQPValue::LongLongInt(number) => number.to_string(),
            AMQPValue::LongString(text) => text.to_string(),
            _ => continue,
        };
        if let (Some((option, _)), true) = (words.rsplit_once(' '), row_of(key).is_some()) {
            let words = format!("{option} {}", spelt(key, &text));
            assert_eq!(pairs(&words), [((*key).to_owned(), value.clone())], "{words}");
        }
    }
    for row in TABLE.iter().filter(|row| row.key != TYPE) {
        assert!(cases.iter().any(|(_, key, _)| *key == row.key), "{}", row.key);
    }
}

#[test]
fn a_value_is_spelt_as_its_option_reads_it() {
    assert_eq!(spelt("x-message-ttl", "60000"), "1m");
    assert_eq!(option_value::message_ttl(&spelt("x-message-ttl", "0")), Ok(0));
    assert_eq!(option_value::expires(&spelt("x-expires", "90001")), Ok(90_001));
    assert_eq!(spelt("x-delivery-limit", "-1"), "unlimited");
    assert_eq!(spelt("x-delivery-limit", "5"), "5");
    assert_eq!(spelt("x-max-age", "604800000"), "7D");
    assert_eq!(spelt("x-max-age", "5400000"), "90m");
    assert_eq!(spelt("x-max-age", "1Y"), "1Y");
    assert_eq!(spelt("x-max-length", "60000"), "60000");
}

#[test]
fn an_option_the_type_does_not_have_is_refused_and_says_which_types_do() {
    let failure = table("--type stream --delivery-limit 5").unwrap_err();
    assert_eq!(failure.exit().status(), 64);
    assert_eq!(
        failure.to_string(),
        "--delivery-limit: streams have no such argument, only quorum queues \
         (rabbitmq.com/docs/queues)"
    );
    let failure = table("--type classic --group-size 3").unwrap_err();
    assert!(failure.to_string().contains("only quorum queues and streams"), "{failure}");
}

#[test]
fn an_argument_cannot_be_given_twice() {
    for words in
        ["--max-length 5 --arg x-max-length=6", "--arg a=1 --arg a=1", "--arg x-queue-type=classic"]
    {
        assert_eq!(table(words).unwrap_err().exit().status(), 64, "{words}");
    }
}

#[test]
fn an_argument_the_release_does_not_know_yet_or_no_longer_is_reported() {
    let server = |version: &str| Server {
        product: "RabbitMQ".to_owned(),
        version: version.to_owned(),
        ..Server::default()
    };
    let unknown = |version, words| unknown_to(&server(version), &table(words).unwrap());
    assert!(unknown("4.2.0", "--delayed-retry-type all").unwrap().contains("from 4.3 on"));
    assert_eq!(unknown("4.3.0", "--delayed-retry-type all"), None);
    assert!(unknown("3.10.8", "--consumer-timeout 5m").is_some());
    assert!(unknown("3.10.8", "--arg x-consumer-timeout=5").is_some());
    assert_eq!(unknown("3.10.8", "--max-length 5"), None);
    let lazy = table("--type classic --queue-mode lazy").unwrap();
    assert!(ignored_by(Some(&server("3.10.8")), &lazy).is_empty());
    assert_eq!(ignored_by(Some(&server("4.0.5")), &lazy).len(), 1);
    assert!(ignored_by(None, &lazy).is_empty());
}

#[test]
fn what_a_release_does_not_compare_is_reported() {
    let notices = |version: &str, words: &str| {
        let server = Server {
            product: "RabbitMQ".to_owned(),
            version: version.to_owned(),
            ..Server::default()
        };
        not_compared(Some(&server), &table(words).unwrap()).join("\n")
    };
    let timeout = "--consumer-timeout 5m --max-length 5";
    let wanted = "RabbitMQ 4.0.5 does not compare --consumer-timeout (x-consumer-timeout), \
                  so --check cannot detect a difference";
    assert_eq!(notices("4.0.5", timeout), wanted);
    assert_eq!(notices("4.3.0", timeout), "");
    assert!(notices("4.3.0", "--arg x-own=1").contains("does not compare x-own,"));
    assert_eq!(not_compared(None, &table(timeout).unwrap()), [""; 0]);
}

#[test]
fn a_difference_can_be_told_by_its_option() {
    assert_eq!(option_of("x-max-length-bytes"), Some("--max-bytes"));
    assert_eq!(option_of("x-queue-type"), Some("--type"));
    assert_eq!(option_of("x-new"), None);
}
