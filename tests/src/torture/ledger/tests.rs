use super::*;

fn received(ledger: &mut Ledger, line: Line, mark: &str) {
    ledger.receive(format!("{mark} {}", line.text().trim_end()).as_bytes());
}

#[test]
fn a_line_that_was_promised_and_does_not_come_is_lost() {
    let mut ledger = Ledger::default();
    let run = ledger.begin();
    let lines: Vec<Line> = (0..3).filter_map(|_| ledger.feed(run, true)).collect();
    ledger.promise_first(run, 2);
    ledger.end(run, Some(0));
    received(&mut ledger, lines[0], "0");
    let account = ledger.account();
    assert_eq!((account.promised, account.out, account.lost.len()), (2, 1, 1));
    assert_eq!(account.faults(0).len(), 1);
    // What was not promised is given to the next run.
    let run = ledger.begin();
    assert_eq!(ledger.feed(run, false), Some(Line { number: 2, run }));
    assert_eq!(ledger.feed(run, false), None);
}

#[test]
fn copies_are_explained_by_their_marks_or_by_the_tally_and_by_nothing_else() {
    let mut ledger = Ledger::default();
    let run = ledger.begin();
    let line = ledger.feed(run, true).unwrap();
    ledger.promise_first(run, 1);
    ledger.end(run, Some(0));
    received(&mut ledger, line, "0");
    received(&mut ledger, line, "1");
    assert_eq!(ledger.account().faults(0), Vec::<String>::new());
    received(&mut ledger, line, "0");
    assert_eq!(ledger.account().faults(0).len(), 1);
}

#[test]
fn what_was_never_sent_and_what_is_torn_and_what_is_out_of_order_is_told() {
    let mut ledger = Ledger::default();
    let run = ledger.begin();
    let lines: Vec<Line> = (0..3).filter_map(|_| ledger.feed(run, true)).collect();
    ledger.end(run, Some(0));
    for line in [lines[2], lines[0], lines[1], Line { number: 3, run }] {
        received(&mut ledger, line, "0");
    }
    ledger.receive(b"0 #0123");
    let account = ledger.account();
    assert_eq!((account.disordered, account.foreign.len(), account.torn), (1, 1, 1));
    assert_eq!(account.faults(0).len(), 3);
    assert_eq!(account.faults(1).len(), 2);
}

#[test]
fn of_what_a_killed_run_had_read_a_beginning_comes_and_no_hole() {
    let mut ledger = Ledger::default();
    let run = ledger.begin();
    let lines: Vec<Line> = (0..6).filter_map(|_| ledger.feed(run, true)).collect();
    ledger.end_killed(run, 1, true);
    for number in [0, 1, 3] {
        received(&mut ledger, lines[number], "0");
    }
    let account = ledger.account();
    assert_eq!((account.lost, account.unread), (vec![2], 2));
}
