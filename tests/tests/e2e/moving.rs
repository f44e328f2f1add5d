//! `examples/move-queue`: a queue with its arguments and messages goes to another cluster.

use crate::examples::Place;
use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::text::numbered;
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::wait_until;
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

/// A listing of a virtual host's queues, bindings or exchanges.
fn listed(place: &Place, vhost: &Vhost, what: &str) -> String {
    let command = format!("rmq-perm {what} -p {} --format json", vhost.name);
    String::from_utf8(place.operator(&command).run().expect(0).stdout).unwrap()
}

#[test]
fn a_queue_is_moved_with_its_arguments_bindings_exchanges_and_messages() {
    let (vhost, other) = (Vhost::new(brokers::one()), Vhost::new(brokers::one()));
    let place = Place::new(&vhost);
    place.run(
        "rmq-declare --quiet --max-length 5000 --message-ttl 1h --delivery-limit 100 --arg x-max-in-memory-length=7 \
         --exchange events:topic --bind 'events:order.#' --bind 'amq.direct:it'\\''s' \
         --exchange '{\"name\":\"h\",\"type\":\"headers\",\"durable\":false}' \
         --bind '{\"source\":\"h\",\"arguments\":{\"x-match\":\"any\",\"a\":1,\"b\":\"$x\"}}' 'jo$b'
         rmq-declare --quiet --type classic --transient --max-priority 3 plain
         rmq-declare --quiet --type stream log
         printf 'text\\0\\377\\n' | rmq-send --priority 3 -H k=v -H n:int=5 --message-id m1 --format whole 'jo$b'",
    );
    let peek = |vhost: &Vhost| {
        let looked = vhost.receive(&["--peek", "9", "--format", "json", "jo$b"]);
        looked.run().expect(0).stdout
    };
    let before = peek(&vhost);
    let moving = |queue: &str, options: &str| {
        let line = format!("move-queue \"$AMQP_URL\" '{}' '{queue}' -p {options}", other.url());
        place.operator(&line)
    };
    for queue in ["jo$b", "plain"] {
        moving(queue, &vhost.name).run().expect(0);
    }
    vhost.wait_held("jo$b", Held::ready(0));
    assert_eq!(peek(&other), before);
    for what in [
        "list-queues name type arguments durable auto_delete",
        "list-bindings -v",
        "list-exchanges -v",
    ] {
        let of = |vhost| {
            let listed = listed(&place, vhost, what);
            // The stream stays behind.
            listed
                .split(",\n ")
                .filter(|row| !row.contains("\"log\""))
                .collect::<Vec<_>>()
                .join("\n")
        };
        let trimmed = |text: String| text.trim_matches(['[', ']', '\n']).to_owned();
        assert_eq!(trimmed(of(&other)), trimmed(of(&vhost)), "{what}");
    }
    // A second time, it changes nothing; what cannot be moved or differs at the destination is
    // refused.
    moving("jo$b", &vhost.name).run().expect(0);
    moving("log", &vhost.name).run().expect(65).says("log is a stream");
    moving("missing", &vhost.name).run().expect(65).says("lists no queue missing");
    place.run("rmq-declare --quiet differs; rmq-send -b kept differs");
    other.declare(&["--max-length", "5"], "differs");
    moving("differs", &vhost.name).run().expect(65).says("--max-length (x-max-length) 5");
    vhost.wait_held("differs", Held::ready(1));
}

#[test]
fn a_move_that_is_killed_at_any_moment_and_run_again_loses_nothing() {
    let (vhost, other) = (Vhost::new(brokers::one()), Vhost::new(brokers::one()));
    let place = Place::new(&vhost);
    place.run("rmq-declare --quiet --delivery-limit unlimited jobs");
    let lines = numbered(8_000);
    vhost.send(&["jobs"]).input(lines.clone()).run().expect(0);
    let line = format!("exec move-queue \"$AMQP_URL\" '{}' jobs -p {}", other.url(), vhost.name);
    for least in [1, 500, 1_000] {
        let moving = place.operator(&line).start();
        wait_until(SOON, "some of it is moved", || {
            other.try_held("jobs").is_some_and(|held| held.messages() >= least)
        });
        moving.signal(Signal::KILL);
        moving.wait();
    }
    vhost.wait_no_connections();
    assert!(vhost.held("jobs").ready > 0, "nothing was left to move");
    place.operator(&line).run().expect(0);
    vhost.wait_held("jobs", Held::ready(0));
    let moved = other.drain("jobs");
    let moved: BTreeSet<&[u8]> = moved.split(|byte| *byte == b'\n').collect();
    let all: BTreeSet<&[u8]> = lines.split(|byte| *byte == b'\n').collect();
    assert_eq!(moved, all);
}
