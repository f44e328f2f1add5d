//! Workers, requests, filters and partitions.

use super::*;

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
    // If there are none, there is nothing to wait for.
    place.run("dead-letters replay jobs");
    place.shell("dead-letters replay elsewhere").run().expect(65).says("no queue elsewhere.dlq");
}

/// A request by pika for each word, to a queue, with its own reply address; the answers, sorted.
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
    // It fails for some, writes nothing for others, and gets no password.
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
    // Without a reply address, or if its sender no longer waits, the work is done but not answered.
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
    // It takes two and dies at the second.
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
    // The part of a line that it leaves when it dies is not sent instead of the line.
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
