//! Options of other tools for RabbitMQ, and their equivalents here.
//!
//! They come from amqp-tools, rabbitmqadmin, rabbitmqctl, amqpcat, kcat and similar tools.

/// Precedes the reason why an option needs no equivalent.
const NOTHING: &str = "nothing: ";

/// An equivalent: an option that the tool must have (none: any tool), and the words to use.
type Here = (&'static str, &'static str);

/// Options of other tools, each with its equivalents; the first that the tool has is shown.
const SYNONYMS: &[(&[&str], &[Here])] = &[
    (&["-c", "--count", "--limit", "--max-messages"], &[("--number", "-n N")]),
    (
        &["-q", "--queue", "--queue-name"],
        &[
            ("--body", "the queue as an argument: rmq-send QUEUE"),
            ("--drain", "the queue as an argument: rmq-recv QUEUE"),
            ("--with-dlq", "the queue as an argument: rmq-declare QUEUE"),
        ],
    ),
    (
        &["--ttl"],
        &[("--expiration", "--expiration DURATION"), ("--message-ttl", "--message-ttl DURATION")],
    ),
    (
        &["--json", "-J"],
        &[("--keep-x", "--format json"), ("--body", "--format json"), ("--api", "--format json")],
    ),
    (&["-o", "--output"], &[("--drain", "a redirection: > FILE")]),
    (&["--formatter"], &[("--format", "--format")]),
    (&["--data", "--message", "--payload", "-m"], &[("--body", "-b TEXT")]),
    (&["--body", "-b"], &[("--drain", "nothing: the body is what is written (--format for more)")]),
    (&["--file", "-i", "--input"], &[("--body", "the file as an argument: rmq-send QUEUE FILE")]),
    (&["--routingkey", "--rk", "--topic"], &[("--routing-key", "-r KEY")]),
    (&["--exchange-name", "-x"], &[("--exchange", "-e EXCHANGE")]),
    (&["--contenttype", "-C"], &[("--content-type", "--content-type TYPE")]),
    (&["--reply"], &[("--reply-to", "--reply-to QUEUE")]),
    (
        &["--persistent", "--durable"],
        &[
            ("--body", "nothing: messages are persistent unless --transient is given"),
            ("--with-dlq", "nothing: queues are durable"),
            ("--drain", "rmq-declare, which creates queues"),
        ],
    ),
    (&["--delivery-mode"], &[("--transient", "--transient for 1; 2 is the default")]),
    (&["--confirm", "--wait-for-ack"], &[("--body", "nothing: every message is confirmed")]),
    (&["-l", "--line-buffered", "--lines"], &[("--body", "nothing: each line is a message")]),
    (
        &["-A", "--no-ack", "--auto-ack", "--ackmode"],
        &[("--drain", "--ack: messages are acknowledged once they are out")],
    ),
    (
        &["-d", "--declare", "--exclusive"],
        &[
            (
                "--drain",
                "rmq-declare, which creates queues (or -e EXCHANGE for a queue of its own)",
            ),
            ("--body", "rmq-declare, which creates queues"),
        ],
    ),
    (&["--prefetch-count", "--qos"], &[("--prefetch", "--prefetch N")]),
    (&["--one", "--once", "-1"], &[("--drain", "-n 1")]),
    (&["--requeue", "--get"], &[("--peek", "--peek N")]),
    (&["--tail"], &[("--follow", "--follow"), ("--drain", "nothing: the queue is followed")]),
    (&["--max-length-bytes"], &[("--max-bytes", "--max-bytes BYTES")]),
    (&["--queue-type", "--x-queue-type"], &[("--type", "--type quorum|classic|stream")]),
    (&["--dlx"], &[("--dead-letter-exchange", "--dead-letter-exchange NAME")]),
    (&["--dlq"], &[("--with-dlq", "--with-dlq")]),
    (&["--auto-delete"], &[("--with-dlq", "--arg x-expires=MS with --type classic")]),
    (&["--argument", "--arguments"], &[("--arg", "--arg KEY=VALUE")]),
    (
        &[
            "--uri",
            "--amqp-url",
            "--server",
            "-s",
            "--host",
            "--hostname",
            "-H",
            "--port",
            "-P",
            "--broker",
        ],
        &[("--api", "--node NAME@HOST, or --api http://HOST"), ("--url", "--url amqp://HOST")],
    ),
    (&["--username", "-U"], &[("--user", "--user NAME")]),
    (&["--password", "-w", "--pass"], &[("--password-file", "--password-file FILE")]),
    (&["--virtual-host", "-V"], &[("--vhost", "-p VHOST")]),
    (&["--ssl", "--tls"], &[("--url", "--url amqps://HOST"), ("--api", "--api https://HOST")]),
    (
        &["--cacertfile", "--ca-cert", "--ca", "--cafile", "--ssl-ca-cert-file"],
        &[("--cacert", "--cacert FILE")],
    ),
    (&["--certfile", "--client-cert", "--ssl-cert-file"], &[("--cert", "--cert FILE")]),
    (&["--keyfile", "--client-key", "--ssl-key-file"], &[("--key", "--key FILE")]),
    (&["--heartbeat"], &[("--url", "--url 'amqp://HOST/?heartbeat=SECONDS'")]),
    (&["--erlang-cookie"], &[("--cookie-file", "--cookie-file FILE")]),
    (&["--longnames"], &[("--node", "--node NAME@HOST.DOMAIN")]),
    (&["--silent", "-Q", "--no-table-headers"], &[("--quiet", "--quiet")]),
    (&["--debug", "--trace", "-vv"], &[("--verbose", "-v")]),
];

/// `; use -n N` for an option of another tool that has an equivalent among the `known` options.
pub fn hint(option: &str, known: &[&str]) -> Option<String> {
    let (_, here) = SYNONYMS.iter().find(|(names, _)| names.contains(&option))?;
    let (_, words) = here.iter().find(|(needs, _)| known.contains(needs))?;
    Some(match words.strip_prefix(NOTHING) {
        Some(why) => format!("; not needed: {why}"),
        None => format!("; use {words}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_the_tool_has_is_meant() {
        let [send, receive] = [["--body", "--expiration"], ["--drain", "--number"]];
        assert_eq!(hint("--ttl", &send).unwrap(), "; use --expiration DURATION");
        assert_eq!(hint("--count", &receive).unwrap(), "; use -n N");
        assert_eq!(hint("-q", &send).unwrap(), "; use the queue as an argument: rmq-send QUEUE");
        assert_eq!(hint("--count", &send), None);
        assert_eq!(hint("--drian", &receive), None);
    }

    #[test]
    fn no_option_is_listed_twice() {
        let mut all: Vec<_> = SYNONYMS.iter().flat_map(|(names, _)| names.iter()).collect();
        all.sort();
        let count = all.len();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
