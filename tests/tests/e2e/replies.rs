//! Direct Reply-to: a worker answers a requester that waits, at an address that is not a queue.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::tool::binary;
use rmq_tests::vhost::Vhost;
use std::fs;
use std::time::Duration;

/// A request by pika, and the answer to it.
const REQUEST: &str = "\
def answered(channel, method, properties, body):
    sys.stdout.buffer.write(properties.correlation_id.encode() + b' ' + body)
    channel.stop_consuming()
channel.basic_consume('amq.rabbitmq.reply-to', answered, auto_ack=True)
channel.basic_publish('', 'requests', b'question', pika.BasicProperties(
    reply_to='amq.rabbitmq.reply-to', correlation_id='c7'))
connection.call_later(20, channel.stop_consuming)
channel.start_consuming()
";

#[test]
fn a_worker_answers_a_requester_who_waits_by_direct_reply_to() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "requests");
    let send = "\"$SEND\" -u \"$URL\" --correlation-id \"$AMQP_CORRELATION_ID\"";
    let scripts = [
        format!("tr a-z A-Z | {send} -- \"$AMQP_REPLY_TO\""),
        format!("tr a-z A-Z | {send} -e '' -r \"$AMQP_REPLY_TO\""),
        format!("(printf '%s:' \"$AMQP_REPLY_TO\"; tr a-z A-Z) | {send} --routed -K :"),
    ];
    for script in &scripts {
        let words = ["-n", "1", "requests", "--", "bash", "-c", script];
        let worker = vhost.receive(&words).environment("URL", &vhost.url());
        let worker = worker.environment("SEND", binary("rmq-send").to_str().unwrap()).start();
        let reply = vhost.pika(REQUEST);
        assert_eq!(String::from_utf8_lossy(&reply), "c7 QUESTION", "{script}");
        let ended = worker.wait().expect(0);
        assert_eq!(ended.stderr, "", "{script}");
        vhost.wait_held("requests", Held::ready(0));
    }
}

#[test]
fn what_a_requester_consumes_from_is_refused_as_a_queue_at_once() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let address = "amq.rabbitmq.reply-to";
    let why = "amq.rabbitmq.reply-to: it is not a queue";
    let fixed: [&[&str]; 2] = [&["-b", "x", address], &["-b", "x", "-e", "", "-r", address]];
    for words in fixed {
        vhost.send(words).run().expect(65).says(why);
    }
    vhost.receive(&["--drain", address]).run().expect(65).says(why);
    vhost.tool("rmq-declare").arguments(&[address]).run().expect(65).says(why);
    // It does not keep later records from being sent.
    let directory = tempfile::tempdir().unwrap();
    for (option, file) in [("--rejects", "rejects"), ("--spool", "spool")] {
        let file = directory.path().join(file);
        let words = ["--routed", "-K", ":", option, file.to_str().unwrap()];
        let sent = vhost.send(&words).input("amq.rabbitmq.reply-to:x\nq:y\n").run().expect(65);
        let sent = sent.says(why);
        assert!(sent.took < Duration::from_secs(10), "{:?}", sent.took);
        assert_eq!(vhost.drain("q"), b"y\n");
        let kept = if option == "--spool" { file.join("rejected") } else { file };
        assert_eq!(fs::read_to_string(kept).unwrap().lines().count(), 1);
    }
}
