//! Headers that no client should have to read, and that any publisher can send.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::vhost::Vhost;

/// Publishes a message whose headers are nested this deeply.
fn publish_nested(vhost: &Vhost<'_>, depth: usize) {
    vhost.pika(&format!(
        "sys.setrecursionlimit(100000)\n\
         import threading\n\
         threading.stack_size(512 << 20)\n\
         def publish():\n\
         \theaders = {{}}\n\
         \tfor _ in range({depth}): headers = {{'': headers}}\n\
         \tproperties = pika.BasicProperties(headers={{'k': headers}})\n\
         \tchannel.confirm_delivery()\n\
         \tchannel.basic_publish('', 'q', b'nested', properties)\n\
         thread = threading.Thread(target=publish)\n\
         thread.start()\n\
         thread.join()\n"
    ));
    vhost.wait_held("q", Held::ready(1));
}

#[test]
fn headers_nested_beyond_reading_end_rmq_recv_with_a_word_and_leave_the_message() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    publish_nested(&vhost, 5000);
    for words in [&["--drain", "q"][..], &["--format", "json", "q"], &["--peek", "1", "q"]] {
        let ended = vhost.receive(words).run().expect(70);
        let ended = ended.says(" q").says("nested more than 500 deep");
        assert!(ended.stdout.is_empty());
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        vhost.wait_held("q", Held::ready(1));
    }
    // An operator who knows of it can discard it.
    vhost.tool("rmq-declare").arguments(&["--delete", "q"]).run().expect(0);
}

#[test]
fn headers_nested_as_deeply_as_rmq_send_sends_are_read() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    publish_nested(&vhost, 499);
    let received = vhost.receive(&["--drain", "--format", "json", "q"]).run().expect(0);
    assert!(received.stdout.ends_with(b"\n"));
    vhost.send(&["--format", "json", "q"]).input(received.stdout.clone()).run().expect(0);
    let again = vhost.receive(&["--drain", "--format", "json", "q"]).run().expect(0);
    assert!(again.stdout == received.stdout);
}
