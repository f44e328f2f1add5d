use super::*;
use proptest::prelude::*;

const ALL: [Format; 5] = [Format::Lines, Format::Nul, Format::Length, Format::Whole, Format::Json];

fn cut(format: Format, max_size: usize, blocks: &[&[u8]]) -> (Vec<Cut>, Result<(), Broken>) {
    let mut cutter = Cutter::new(format, max_size, 8);
    let mut cuts = Vec::new();
    for block in blocks {
        cutter.room().extend_from_slice(block);
        if let Err(broken) = cutter.cut(&mut cuts) {
            return (cuts, Err(broken));
        }
    }
    let finished = cutter.finish(&mut cuts);
    (cuts, finished)
}

fn records(format: Format, blocks: &[&[u8]]) -> Vec<Vec<u8>> {
    let (cuts, finished) = cut(format, 100, blocks);
    assert_eq!(finished, Ok(()));
    cuts.into_iter()
        .map(|cut| match cut {
            Cut::Record(record) => record.to_vec(),
            other => panic!("{other:?}"),
        })
        .collect()
}

/// What `--rejects` receives of overlong records.
fn passed(cuts: &[Cut]) -> Vec<u8> {
    let pieces = cuts.iter().filter_map(|cut| match cut {
        Cut::TooLong { bytes, .. } | Cut::Rest { bytes, .. } => Some(&bytes[..]),
        Cut::Record(_) => None,
    });
    pieces.collect::<Vec<_>>().concat()
}

#[test]
fn a_last_record_without_an_end_counts_and_an_empty_input_has_none() {
    let lines = |blocks: &[&[u8]]| records(Format::Lines, blocks);
    assert_eq!(lines(&[b"a\n\nb\0c\n\xff\nlast"]), [&b"a"[..], b"", b"b\0c", b"\xff", b"last"]);
    assert_eq!(lines(&[b"a\n"]), [b"a"]);
    assert_eq!(lines(&[b"\n"]), [b""]);
    assert!(lines(&[b""]).is_empty());
    assert_eq!(records(Format::Nul, &[b"a\nb\0c"]), [&b"a\nb"[..], b"c"]);
    assert!(records(Format::Length, &[]).is_empty());
    assert_eq!(records(Format::Length, &[b"\0\0\0\0\0\0\0\x01x"]), [&b""[..], b"x"]);
}

#[test]
fn whole_is_one_record_even_of_nothing() {
    assert_eq!(records(Format::Whole, &[b"a\n", b"b"]), [b"a\nb"]);
    assert_eq!(records(Format::Whole, &[]), [b""]);
}

#[test]
fn a_record_over_the_limit_passes_by_as_it_stands_and_those_around_it_are_kept() {
    let (cuts, finished) = cut(Format::Lines, 3, &[b"abc\nabc", b"d", b"ef\nend"]);
    assert_eq!(finished, Ok(()));
    assert_eq!(cuts.first(), Some(&Cut::Record(b"abc"[..].into())));
    assert_eq!(cuts.last(), Some(&Cut::Record(b"end"[..].into())));
    assert_eq!(passed(&cuts), b"abcdef\n");
    // The missing delimiter is added, so that whatever is written after it is a separate record.
    assert_eq!(passed(&cut(Format::Nul, 3, &[b"abcd", b"e"]).0), b"abcde\0");
    let long = [b"\0\0\0\x05ab", &b"cde\0\0\0\x01x"[..]];
    let (cuts, finished) = cut(Format::Length, 3, &long);
    assert_eq!(finished, Ok(()));
    assert_eq!(passed(&cuts), b"\0\0\0\x05abcde");
    assert_eq!(cuts.last(), Some(&Cut::Record(b"x"[..].into())));
}

#[test]
fn what_is_not_in_length_framing_is_told_with_its_place() {
    let broken = |blocks: &[&[u8]]| cut(Format::Length, 100, blocks).1.unwrap_err().0;
    assert_eq!(
        broken(&[b"\0\0\0\x01x", b"\0\0\0\x05ab"]),
        "the input ends at byte 11, 2 bytes into a record of 5 that begins at byte 5"
    );
    assert_eq!(broken(&[b"\0\0"]), "the input ends at byte 2, in the middle of a length");
    assert_eq!(
        broken(&[b"\0\0\0\x01x", b"hello"]),
        "at byte 5: a record of 1751477356 bytes; is this input in length framing?"
    );
    assert_eq!(
        broken(&[b"\0\0\x02\0abc"]),
        "the input ends at byte 7, 509 bytes before the end of a record"
    );
}

#[test]
fn records_that_are_read_together_are_parts_of_one_buffer_and_a_few_bytes_do_not_hold_one() {
    let are_in_the_buffer = |bytes: &[u8]| {
        let mut cutter = Cutter::new(Format::Lines, 100, 1000);
        let room = cutter.room();
        room.extend_from_slice(bytes);
        let buffer = room.as_ptr_range();
        let mut cuts = Vec::new();
        cutter.cut(&mut cuts).unwrap();
        let is_in_it = |cut: &Cut| match cut {
            Cut::Record(record) => buffer.contains(&record.as_ptr()),
            other => panic!("{other:?}"),
        };
        cuts.iter().map(is_in_it).collect::<Vec<_>>()
    };
    assert_eq!(are_in_the_buffer(&b"0123456789abcdefghi\n".repeat(40)), [true; 40]);
    assert_eq!(are_in_the_buffer(b"a\nfew\n"), [false; 2]);
}

proptest! {
    #[test]
    fn what_is_framed_is_cut_into_the_same_records_in_blocks_of_any_size(
        bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..12), 0..12),
        block in 1usize..20,
    ) {
        for format in ALL {
            let delimiter = match format {
                Format::Lines | Format::Json => Some(b'\n'),
                Format::Nul => Some(0),
                Format::Length | Format::Whole => None,
            };
            let mut wanted = bodies.clone();
            if let Some(delimiter) = delimiter {
                wanted.iter_mut().for_each(|body| body.retain(|byte| *byte != delimiter));
            }
            if format == Format::Whole {
                wanted = vec![wanted.concat()];
            }
            let mut input = Vec::new();
            wanted.iter().for_each(|body| format.frame(body, &mut input));
            let blocks: Vec<&[u8]> = input.chunks(block).collect();
            prop_assert_eq!(records(format, &blocks), wanted);
        }
    }

    #[test]
    fn with_a_limit_no_byte_of_the_input_is_lost(
        input in proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..90),
        block in 1usize..20,
        max_size in 1usize..20,
    ) {
        for format in [Format::Lines, Format::Nul, Format::Whole] {
            let blocks: Vec<&[u8]> = input.chunks(block).collect();
            let (cuts, finished) = cut(format, max_size, &blocks);
            prop_assert_eq!(finished, Ok(()));
            let mut again = Vec::new();
            for cut in &cuts {
                match cut {
                    Cut::Record(record) => {
                        prop_assert!(record.len() <= max_size);
                        format.frame(record, &mut again);
                    }
                    Cut::TooLong { bytes, .. } | Cut::Rest { bytes, .. } => {
                        again.extend_from_slice(bytes);
                    }
                }
            }
            // The last record gets its missing delimiter.
            let ended = again.len() == input.len() || again.len() == input.len() + 1;
            prop_assert!(again.starts_with(&input) && ended);
        }
    }
}
