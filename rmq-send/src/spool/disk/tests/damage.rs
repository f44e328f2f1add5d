//! Damage in the middle: what comes after it still comes out, and the file is kept.

use super::*;
use proptest::prelude::*;

/// Opens, reads everything, marks it done, and closes.
fn through(directory: &Path) -> (Found, Records, Vec<Damage>) {
    let spool = open(directory);
    let found = spool.found.clone();
    let (records, damage, done) = spool.rest();
    done.done(u64::MAX);
    assert_eq!(done.close().unwrap().kept, 0);
    (found, records, damage)
}

fn flip(file: &Path, byte: usize) {
    let mut bytes = std::fs::read(file).unwrap();
    bytes[byte] ^= 0x10;
    std::fs::write(file, bytes).unwrap();
}

#[test]
fn a_flipped_byte_costs_one_record_at_the_most_and_the_segment_is_kept_aside() {
    for byte in 0..16 + 3 * 24 {
        let directory = left_behind(6, 3);
        let segment = segments(directory.path()).remove(0);
        flip(&segment, byte);
        let bytes = std::fs::read(&segment).unwrap();
        let (found, records, damage) = through(directory.path());
        let lost = byte.checked_sub(16).map(|byte| byte as u64 / 24 + 1);
        let expected: Vec<_> =
            numbered(1..=6).into_iter().filter(|(number, _)| Some(*number) != lost).collect();
        assert_eq!(records, expected, "byte {byte}");
        let told: Vec<_> = found.damaged.into_iter().chain(damage).collect();
        assert_eq!(told.len(), 1, "byte {byte}: {told:?}");
        assert_eq!(told[0].file, segment);
        assert_eq!(told[0].records, u64::from(lost.is_some()), "byte {byte}");
        assert_eq!(told[0].offset, lost.map_or(0, |lost| 16 + (lost - 1) * 24), "byte {byte}");
        let aside = told[0].aside.clone().unwrap();
        assert_eq!(std::fs::read(aside).unwrap(), bytes);
        assert!(segments(directory.path()).is_empty(), "byte {byte}");
        // The next run has nothing to report.
        let (found, records, damage) = through(directory.path());
        assert_eq!((found.damaged, records, damage), (vec![], vec![], vec![]));
    }
}

#[test]
fn a_damaged_record_in_the_middle_of_the_last_segment_is_no_torn_end() {
    let directory = left_behind(6, 6);
    flip(&segments(directory.path())[0], 16 + 24 + 20);
    let (found, records, damage) = through(directory.path());
    assert_eq!(found.torn, None);
    assert_eq!(records.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 3, 4, 5, 6]);
    let told = damage[0].to_string();
    assert!(told.contains("damaged at byte 40: 24 bytes skipped, 1 records lost; kept"), "{told}");
}

#[test]
fn records_that_a_power_cut_took_before_the_last_segment_are_counted() {
    let directory = left_behind(9, 3);
    let all = segments(directory.path());
    let length = all[0].metadata().unwrap().len();
    std::fs::File::options().write(true).open(&all[0]).unwrap().set_len(length - 30).unwrap();
    std::fs::remove_file(&all[1]).unwrap();
    let spool = open(directory.path());
    assert_eq!(spool.found.records, 9);
    let (records, damage, done) = spool.rest();
    let numbers: Vec<_> = records.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [1, 7, 8, 9]);
    assert_eq!(damage.iter().map(|damage| damage.records).sum::<u64>(), 5);
    assert_eq!(done.kept(), 4);
    done.done(1);
    assert_eq!(done.kept(), 3);
    done.done(9);
    assert_eq!(done.close().unwrap().kept, 0);
}

#[test]
fn an_entry_inside_a_payload_is_never_taken_for_one() {
    let directory = left_behind(3, 3);
    // A whole segment with the same numbers, as a payload.
    let segment = std::fs::read(segments(directory.path()).remove(0)).unwrap();
    let other = tempfile::tempdir().unwrap();
    let mut spool = open(other.path());
    spool.append(&[&segment[..], &segment[..], b"last"]);
    spool.leave();
    flip(&segments(other.path())[0], 16);
    let (records, damage, _done) = open(other.path()).rest();
    assert_eq!(records, [(2, segment), (3, b"last".to_vec())]);
    assert_eq!(damage[0].records, 1);
}

#[test]
fn two_segments_of_one_number_are_both_kept() {
    let directory = left_behind(3, 3);
    let segment = segments(directory.path()).remove(0);
    let double = directory.path().join("00000000000000000001-00000000.segment");
    std::fs::write(&double, &std::fs::read(&segment).unwrap()[..40]).unwrap();
    let (found, records, _) = through(directory.path());
    assert_eq!(records, numbered(1..=3));
    assert_eq!(found.damaged.len(), 1);
    assert!(found.damaged[0].aside.as_ref().unwrap().exists());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if soak() { 1000 } else { 50 }))]
    #[test]
    fn whatever_is_written_over_a_segment_all_that_comes_out_went_in(
        sizes in proptest::collection::vec(0usize..400, 2..40),
        at in any::<prop::sample::Index>(),
        garbage in proptest::collection::vec(any::<u8>(), 1..300),
        cut in proptest::bool::ANY,
    ) {
        let directory = tempfile::tempdir().unwrap();
        let payloads: Vec<Vec<u8>> =
            sizes.iter().zip(0u8..).map(|(size, byte)| vec![byte; *size]).collect();
        for half in payloads.chunks(payloads.len().div_ceil(2)) {
            let mut spool = open(directory.path());
            spool.append(half);
            spool.leave();
        }
        let segment = segments(directory.path()).remove(0);
        let mut bytes = std::fs::read(&segment).unwrap();
        let start = at.index(bytes.len());
        if cut {
            bytes.truncate(start);
        } else {
            let end = (start + garbage.len()).min(bytes.len());
            bytes[start..end].copy_from_slice(&garbage[..end - start]);
        }
        std::fs::write(&segment, bytes).unwrap();
        let (found, records, damage) = through(directory.path());
        let mut before = 0;
        for (sequence, payload) in &records {
            prop_assert!(*sequence > before);
            before = *sequence;
            prop_assert_eq!(payload, &payloads[usize::try_from(sequence - 1).unwrap()]);
        }
        let lost: u64 = damage.iter().map(|damage| damage.records).sum();
        prop_assert_eq!(found.torn, None);
        prop_assert_eq!((payloads.len() - records.len()) as u64, lost, "{:?}", damage);
    }
}
