use super::*;
use rmq_common::diagnostics::Diagnostics;

#[test]
fn a_failure_says_exactly_which_records_are_confirmed() {
    let mut verdict = Verdict::default();
    verdict.fail_record(18, Failure::data("line 18: publish to jobs: no such queue"));
    verdict.fail_record(17, Failure::data("line 17: publish to jobs: no such queue"));
    verdict.fail(Failure::data("something else"));
    verdict.take_stock((1..=16).collect(), [18].into_iter().collect(), (19..=20).collect());
    let failure = verdict.outcome().unwrap_err();
    assert_eq!(
        failure.to_string(),
        "line 17: publish to jobs: no such queue; confirmed 1-16; sent but not confirmed 18; \
         read but not sent 19-20"
    );
    assert_eq!(failure.exit(), Exit::DataErr);
}

#[test]
fn what_was_rejected_is_told_with_its_first_record_and_the_worst_status() {
    let mut verdict = Verdict::default();
    let diagnostics = Diagnostics::new("rmq-send", true, false);
    let rejections = verdict.rejections();
    rejections.add(9, Failure::new(Exit::NoPerm, "line 9: refused"), diagnostics);
    rejections.add(2, Failure::data("line 2: no such queue"), diagnostics);
    rejections.are("kept in bad".to_owned());
    let failure = verdict.outcome().unwrap_err();
    assert_eq!(failure.to_string(), "line 2: no such queue; 2 records rejected, kept in bad");
    assert_eq!(failure.exit(), Exit::NoPerm);
}

#[test]
fn what_a_spool_keeps_is_unconfirmed_and_a_signal_that_left_nothing_is_only_a_signal() {
    for (kept, wanted) in [(0, Ok(Ending::Signal(15))), (7, Err(Exit::TempFail))] {
        let mut verdict = Verdict::default();
        verdict.signalled(15);
        verdict.give_up_for_the_signal();
        verdict.spool_keeps("/s", kept, 0);
        let outcome = verdict.outcome();
        if let Err(failure) = &outcome {
            let text = "stopped by a signal before everything was confirmed; 7 records are in \
                        the spool /s";
            assert_eq!(failure.to_string(), text);
        }
        assert_eq!(outcome.map_err(|failure| failure.exit()), wanted);
    }
}

#[test]
fn an_input_that_fails_is_told_and_does_not_stop_what_was_read() {
    let mut verdict = Verdict::default();
    verdict.fail_input(Failure::data("line 3: no separator"));
    assert!(!verdict.is_failure());
    assert_eq!(verdict.outcome().unwrap_err().to_string(), "line 3: no separator");
}

#[test]
fn a_signal_ends_by_itself_only_when_nothing_is_left_unconfirmed() {
    let mut verdict = Verdict::default();
    verdict.signalled(15);
    assert_eq!(verdict.outcome().unwrap(), Ending::Signal(15));
    let mut verdict = Verdict::default();
    verdict.signalled(15);
    verdict.partial(3);
    let failure = verdict.outcome().unwrap_err();
    assert_eq!(failure.exit(), Exit::TempFail);
    assert!(failure.to_string().contains("3 bytes"), "{failure}");
}

#[test]
fn no_broker_any_more_is_a_temporary_failure_once_something_was_read() {
    let mut verdict = Verdict::default();
    verdict.give_up(Failure::new(Exit::Unavailable, "connect to h:5672: refused"));
    verdict.take_stock(Ranges::default(), [1].into_iter().collect(), Ranges::default());
    assert_eq!(verdict.outcome().unwrap_err().exit(), Exit::TempFail);
}
