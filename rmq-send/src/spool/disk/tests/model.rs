//! Any sequence of operations, compared with a list.

use super::*;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Act {
    Append(Vec<Vec<u8>>),
    /// Takes a batch, if one is there.
    Take,
    /// Marks part of what was taken as done.
    Done(prop::sample::Index),
    Reopen,
}

fn act() -> impl Strategy<Value = Act> {
    let payload = prop_oneof![
        9 => proptest::collection::vec(any::<u8>(), 0..60),
        1 => (0usize..9000).prop_map(|size| vec![b'x'; size]),
    ];
    prop_oneof![
        4 => proptest::collection::vec(payload, 0..12).prop_map(Act::Append),
        4 => Just(Act::Take),
        3 => any::<prop::sample::Index>().prop_map(Act::Done),
        1 => Just(Act::Reopen),
    ]
}

/// What the spool should hold.
#[derive(Default)]
struct Model {
    /// Every payload ever appended; the first has the number 1.
    payloads: Vec<Vec<u8>>,
    /// Taken in this run, up to this number.
    taken: u64,
    done: u64,
}

impl Model {
    fn check(&mut self, batch: &Batch) {
        assert_eq!(batch.damage, None);
        for (sequence, payload) in batch.records() {
            self.taken += 1;
            assert_eq!(sequence, self.taken);
            assert_eq!(payload, self.payloads[usize::try_from(sequence).unwrap() - 1]);
        }
    }
}

use crate::spool::disk::Batch;

const BOUND: u64 = 40_000;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if soak() { 1000 } else { 40 }))]
    #[test]
    fn what_goes_in_comes_out_once_and_in_order(acts in proptest::collection::vec(act(), 1..60)) {
        let directory = tempfile::tempdir().unwrap();
        let mut model = Model::default();
        let mut spool = open_bounded(directory.path(), BOUND);
        for act in acts {
            match act {
                Act::Append(payloads) => {
                    let taken = match spool.writer.append(&payloads).unwrap() {
                        Appended::All => payloads.len(),
                        Appended::Full(taken) => taken,
                        other => panic!("{other:?}"),
                    };
                    model.payloads.extend_from_slice(&payloads[..taken]);
                }
                Act::Take if model.taken < model.payloads.len() as u64 => {
                    model.check(&spool.replay.next().unwrap().unwrap());
                }
                Act::Take => {}
                Act::Done(index) => {
                    let open = usize::try_from(model.taken - model.done).unwrap();
                    model.done += index.index(open + 1) as u64;
                    spool.done.done(model.done);
                }
                Act::Reopen => {
                    let left = spool.leave();
                    spool = open_bounded(directory.path(), BOUND);
                    prop_assert_eq!(spool.found.records, left.kept);
                    prop_assert_eq!(&spool.found.torn, &None);
                    model.taken = model.done;
                }
            }
            prop_assert_eq!(spool.done.kept(), model.payloads.len() as u64 - model.done);
        }
        let Open { writer, mut replay, done, .. } = spool;
        drop(writer);
        while let Some(batch) = replay.next().unwrap() {
            model.check(&batch);
        }
        prop_assert_eq!(model.taken, model.payloads.len() as u64);
        done.done(model.taken);
        prop_assert_eq!(done.close().unwrap(), Left { kept: 0, in_memory: 0 });
        prop_assert_eq!(names(directory.path()), ["cursor", "pid"]);
    }
}
