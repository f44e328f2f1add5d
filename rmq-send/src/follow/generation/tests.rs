use super::*;
use std::io::Write;

fn generation(bytes: &[u8], max_size: usize) -> Generation {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let identity = Identity { device: 0, inode: 0 };
    let framing = (Format::Lines, max_size);
    Generation::new(0, Arc::new(file), identity, Seen::default(), framing)
}

fn places(generation: &mut Generation, block: usize) -> Vec<(u64, u64)> {
    let mut block = vec![0; block];
    let mut places = Vec::new();
    generation.resized();
    while let Block::Pieces(pieces) = generation.read(&mut block).unwrap() {
        places.extend(pieces.into_iter().flat_map(|piece| match piece {
            Piece::Cuts(_, places) => places,
            Piece::Long(begins, ends) => vec![(begins, ends)],
        }));
        if generation.unread() == 0 {
            break;
        }
    }
    places
}

#[test]
fn a_record_is_where_it_stands_however_it_is_read() {
    let text = b"one\n\nfour\nlonger than it may be\nlast\nnot whol";
    let all = [(0, 4), (4, 5), (5, 10), (10, 32), (32, 37)];
    for block in 1..text.len() {
        let mut generation = generation(text, 8);
        assert_eq!(places(&mut generation, block), all, "by {block}");
        assert_eq!(generation.partial(), 8);
        assert!(
            matches!(&generation.finish()[..], [Piece::Cuts(_, places)] if places == &[(37, 45)])
        );
    }
}

#[test]
fn a_long_record_that_never_ends_counts_when_its_file_is_over() {
    let text = b"one\nlonger than it may be";
    for block in 1..text.len() {
        let mut generation = generation(text, 8);
        assert_eq!(places(&mut generation, block), [(0, 4)]);
        assert_eq!(generation.finish(), [Piece::Long(4, 25)]);
    }
}

#[test]
fn a_file_that_is_truncated_before_anything_is_read_of_it_is_found_out_and_so_is_its_copy() {
    let generation = generation(b"first\nsecond\n", 80);
    let other = |bytes: &[u8]| {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    };
    assert!(generation.holds());
    assert!(generation.is_copied_to(&other(b"first\nsecond\nthird\n")));
    assert!(!generation.is_copied_to(&other(b"first\n")));
    generation.file().set_len(0).unwrap();
    assert!(!generation.holds());
    let mut writer: &File = generation.file();
    io::Seek::rewind(&mut writer).unwrap();
    writer.write_all(b"fifth, and longer than before\n").unwrap();
    assert!(!generation.holds());
}

#[test]
fn a_new_file_that_was_written_copied_and_truncated_between_two_looks_is_found_out() {
    let generation = generation(b"", 80);
    let mut writer: &File = generation.file();
    assert!(!generation.may_have_been_emptied());
    writer.write_all(b"first\n").unwrap();
    let mut copy = tempfile::tempfile().unwrap();
    assert!(!generation.differs_from(&copy));
    copy.write_all(b"first\n").unwrap();
    // As long as it is not truncated, nothing is lost.
    assert!(!generation.differs_from(&copy));
    generation.file().set_len(0).unwrap();
    let later = std::time::SystemTime::now() + Duration::from_secs(1);
    generation.file().set_modified(later).unwrap();
    assert!(generation.may_have_been_emptied());
    assert!(generation.differs_from(&copy));
    io::Seek::rewind(&mut writer).unwrap();
    writer.write_all(b"second\n").unwrap();
    assert!(generation.differs_from(&copy));
}
