//! Queues that are saved, restored, moved and fanned out.

use super::*;

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
    // A run that did not start leaves no file in the way of the next.
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
    // Whether the tap is bound cannot be seen from outside: it is when something arrives.
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
    // If the destination cannot be reached, nothing is taken.
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
