use super::*;
use std::sync::Arc;

fn record(number: u64, body: &str) -> Record {
    let raw = Bytes::copy_from_slice(body.as_bytes());
    let message = Message { route: Arc::default(), properties: Arc::default(), body: raw.clone() };
    Record { number, raw, delivery: None, message: Some(message) }
}

fn window(bodies: &[&str]) -> Window {
    let mut window = Window::new(1024);
    for (number, body) in (1..).zip(bodies) {
        window.push(record(number, body));
    }
    window
}

fn send_all(window: &mut Window) -> Vec<(u64, bool)> {
    std::iter::from_fn(|| {
        let Due { number, again, .. } = window.due(false)?;
        window.sent(number);
        Some((number, again))
    })
    .collect()
}

#[test]
fn confirms_may_come_in_any_order() {
    let mut window = window(&["a", "b", "c"]);
    assert_eq!(send_all(&mut window), [(1, false), (2, false), (3, false)]);
    assert_eq!(window.confirmed(3), Some(Settled::Confirmed));
    assert_eq!(window.confirmed(1), Some(Settled::Confirmed));
    assert_eq!(window.unknown().collect::<Vec<_>>(), [2]);
    assert_eq!(window.confirmed(2), Some(Settled::Confirmed));
    assert_eq!(window.confirmed(2), None);
}

#[test]
fn records_leave_in_the_order_of_the_input_with_what_became_of_them() {
    let mut window = window(&["a", "b"]);
    window.push_bad(3, Bytes::new(), Fate::Rejected);
    window.push(record(4, "d"));
    assert_eq!(send_all(&mut window), [(1, false), (2, false), (4, false)]);
    window.confirmed(2);
    assert!(window.leave().is_none());
    window.settle(1, Fate::Failed);
    let left = std::iter::from_fn(|| window.leave().map(|(record, fate)| (record.number, fate)));
    let wanted = [(1, Fate::Failed), (2, Fate::Confirmed), (3, Fate::Rejected)];
    assert_eq!(left.collect::<Vec<_>>(), wanted);
    assert_eq!(window.unknown().collect::<Vec<_>>(), [4]);
    window.confirmed(4);
    window.leave();
    assert!(window.is_empty());
}

#[test]
fn what_was_lost_or_nacked_goes_again_in_order_before_anything_new() {
    let mut window = window(&["a", "b", "c", "d"]);
    send_all(&mut window);
    window.push(record(5, "e"));
    window.confirmed(2);
    window.nacked(4);
    window.lost();
    let sent = send_all(&mut window);
    assert_eq!(sent, [(1, true), (3, true), (4, true), (5, false)]);
}

#[test]
fn after_a_failure_one_record_goes_alone_until_the_broker_confirms_one() {
    let mut window = window(&["a", "b", "c"]);
    send_all(&mut window);
    for _ in 0..3 {
        window.lost();
        window.begin_tentatively();
        assert_eq!(send_all(&mut window), [(1, true)]);
        window.nacked(1);
    }
    assert_eq!(send_all(&mut window), [(1, true)]);
    assert_eq!(window.confirmed(1), Some(Settled::Confirmed));
    assert_eq!(send_all(&mut window), [(2, true), (3, true)]);
}

#[test]
fn a_returned_message_fails_the_record_it_belongs_to_whichever_confirm_brought_it() {
    let mut window = window(&["a", "b", "b"]);
    send_all(&mut window);
    assert!(window.returned("NO_ROUTE", |message| *message.body == *b"b"));
    assert_eq!(window.confirmed(1), Some(Settled::Confirmed));
    assert_eq!(window.confirmed(2), Some(Settled::Returned("NO_ROUTE".to_owned())));
    window.settle(2, Fate::Failed);
    assert_eq!(window.confirmed(3), Some(Settled::Confirmed));
    assert!(!window.returned("NO_ROUTE", |_| true));
}

#[test]
fn a_channel_closed_over_one_of_many_is_traced_to_it_one_by_one() {
    let mut window = window(&["a", "b", "c"]);
    send_all(&mut window);
    assert_eq!(window.blame(), None);
    assert_eq!(send_all(&mut window), [(1, true)]);
    window.confirmed(1);
    assert_eq!(send_all(&mut window), [(2, true)]);
    assert_eq!(window.blame(), Some(2));
    window.settle(2, Fate::Failed);
    window.lost();
    assert_eq!(send_all(&mut window), [(3, true)]);
}

#[test]
fn what_was_in_flight_at_two_ends_of_a_connection_goes_alone_until_it_is_found() {
    let mut window = window(&["a", "b", "c"]);
    send_all(&mut window);
    assert_eq!(window.suspect(true), Suspicion::default());
    window.lost();
    send_all(&mut window);
    assert_eq!(window.suspect(true), Suspicion { begins: true, alone: None });
    window.lost();
    assert_eq!(send_all(&mut window), [(1, true)]);
    window.confirmed(1);
    for times in 1..=3 {
        assert_eq!(send_all(&mut window), [(2, true)]);
        let alone = Some((2, times));
        assert_eq!(window.suspect(true), Suspicion { begins: false, alone });
        window.lost();
    }
    window.settle(2, Fate::Rejected);
    window.push(record(4, "d"));
    assert_eq!(send_all(&mut window), [(3, true)]);
    window.confirmed(3);
    window.leave();
    window.leave();
    window.leave();
    assert_eq!(send_all(&mut window), [(4, false)]);
}

#[test]
fn a_connection_that_lived_on_for_a_while_was_not_lost_over_a_record() {
    let mut window = window(&["a"]);
    for _ in 0..9 {
        send_all(&mut window);
        assert_eq!(window.suspect(false).alone, None);
        window.lost();
    }
}

#[test]
fn the_window_is_bounded_in_records_and_in_bytes_but_always_takes_one() {
    let mut window = Window::new(2);
    window.push(record(1, "a"));
    assert!(window.has_room());
    window.push(record(2, "b"));
    assert!(!window.has_room());
    let mut window = Window::new(2);
    assert!(window.has_room());
    window.push(record(1, &"x".repeat(MOST_BYTES)));
    assert!(!window.has_room());
}
