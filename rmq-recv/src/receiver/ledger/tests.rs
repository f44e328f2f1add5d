//! What becomes of entries in the orders of events that matter.

use super::*;

fn ledger(tags: impl IntoIterator<Item = u64>) -> Ledger {
    let mut ledger = Ledger::default();
    for tag in tags {
        ledger.push(Entry {
            tag,
            end: tag.saturating_mul(10),
            newline: tag == 2,
            ..Entry::default()
        });
    }
    ledger
}

fn tags(done: &Done) -> Vec<(u64, bool)> {
    let all = done.acknowledgements.iter();
    all.map(|one| (one.tag, one.multiple)).collect()
}

#[test]
fn what_is_done_in_order_is_one_acknowledgement() {
    let mut ledger = ledger(1..=5);
    ledger.reached(|entry| entry.end <= 15);
    ledger.reached(|entry| entry.end <= 39);
    assert_eq!(ledger.done(), 3);
    let done = ledger.take_done(u64::MAX);
    assert_eq!((tags(&done), done.count, done.newlines), (vec![(3, true)], 3, 1));
    assert_eq!((ledger.len(), ledger.done()), (2, 0));
    assert!(ledger.take_done(u64::MAX).acknowledgements.is_empty());
}

#[test]
fn what_is_done_behind_one_that_is_not_is_acknowledged_alone_and_once() {
    let mut ledger = ledger(1..=6);
    assert!(ledger.mark(1) && ledger.mark(2) && ledger.mark(4) && ledger.mark(6));
    assert!(!ledger.mark(4) && !ledger.mark(7));
    let done = ledger.take_done(u64::MAX);
    assert_eq!(tags(&done), [(2, true), (4, false), (6, false)]);
    assert_eq!(done.count, 4);
    // The broker no longer knows 4 and 6: neither may be used again.
    assert!(!ledger.mark(4));
    assert!(ledger.mark(3) && ledger.mark(5));
    assert_eq!(tags(&ledger.take_done(u64::MAX)), [(5, true)]);
    assert!(ledger.is_empty());
}

#[test]
fn a_stream_goes_on_with_the_first_message_that_is_not_acknowledged() {
    let mut ledger = Ledger::default();
    for tag in 1..=4 {
        ledger.push(Entry { tag, offset: Some(tag + 10), ..Entry::default() });
    }
    assert!(ledger.mark(1) && ledger.mark(3) && ledger.mark(4));
    assert_eq!(ledger.take_done(u64::MAX).offset, Some(12));
    assert!(ledger.mark(2));
    assert_eq!(ledger.take_done(u64::MAX).offset, Some(15));
}

#[test]
fn what_did_not_reach_us_is_not_acknowledged_with_the_rest() {
    let mut ledger = ledger([1, 2, 4, 5]);
    ledger.reached(|entry| entry.tag <= 4);
    assert_eq!(tags(&ledger.take_done(u64::MAX)), [(1, false), (2, false), (4, false)]);
    ledger.push(Entry { tag: 6, ..Entry::default() });
    ledger.reached(|_| true);
    assert_eq!(tags(&ledger.take_done(u64::MAX)), [(5, false), (6, false)]);
    // Another channel counts from 1 again.
    ledger.clear();
    ledger.push(Entry { tag: 1, done: true, ..Entry::default() });
    assert_eq!(tags(&ledger.take_done(u64::MAX)), [(1, true)]);
}

#[test]
fn tags_that_no_broker_should_send_are_no_more_than_skipped_ones() {
    let mut ledger = ledger([u64::MAX, 0]);
    ledger.reached(|_| true);
    assert_eq!(tags(&ledger.take_done(u64::MAX)), [(u64::MAX, false), (0, false)]);
}

#[test]
fn no_more_is_taken_out_than_is_asked_for_and_the_oldest_go_first() {
    let mut ledger = ledger(1..=5);
    assert!(ledger.mark(1) && ledger.mark(2) && ledger.mark(4) && ledger.mark(5));
    assert_eq!((ledger.open_up_to(3), ledger.open_up_to(9), ledger.since(3)), (1, 1, 2));
    assert_eq!(tags(&ledger.take_done(1)), [(1, true)]);
    assert_eq!(tags(&ledger.take_done(2)), [(2, true), (4, false)]);
    assert_eq!((ledger.done(), ledger.len()), (1, 2));
    assert_eq!(tags(&ledger.take_done(0)), []);
    assert_eq!(tags(&ledger.take_done(9)), [(5, false)]);
}

#[test]
fn a_rejection_stands_alone_between_acknowledgements_of_many() {
    let mut ledger = ledger(1..=6);
    assert!(ledger.reject(3) && !ledger.reject(3) && !ledger.mark(3));
    assert!([1, 2, 4, 5].into_iter().all(|tag| ledger.mark(tag)));
    let done = ledger.take_done(u64::MAX);
    assert_eq!((done.count, done.rejected), (5, 1));
    let sent: Vec<_> = done.acknowledgements.iter().map(|it| (it.tag, it.reject)).collect();
    assert_eq!(sent, [(2, false), (3, true), (5, false)]);
}

#[test]
fn what_is_settled_in_another_way_is_not_acknowledged() {
    let mut ledger = ledger(1..=3);
    assert!(ledger.mark(3));
    assert!(ledger.remove(2) && !ledger.remove(2) && !ledger.remove(3));
    assert!(ledger.mark(1));
    assert_eq!(tags(&ledger.take_done(u64::MAX)), [(3, true)]);
}
