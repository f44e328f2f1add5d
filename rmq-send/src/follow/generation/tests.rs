use super::*;
use std::io::Write;

fn generation(bytes: &[u8], max_size: usize) -> Generation {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let identity = Identity { device: 0, inode: 0 };
    let framing = (Format::Lines, max_size);
    Generation::new(0, Arc::new(file), identity, Seen::default(), i64::MAX, framing)
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
fn a_new_file_that_may_have_been_written_copied_and_truncated_is_looked_at_first() {
    let mut generation = generation(b"", 80);
    let file = Arc::clone(generation.file());
    let mut writer: &File = &file;
    assert!(!generation.may_have_been_emptied());
    writer.write_all(b"first\n").unwrap();
    generation.resized();
    assert!(generation.may_have_been_emptied() && !generation.is_settled());
}

#[test]
fn a_copy_that_is_being_made_is_recognised_until_its_file_is_truncated() {
    let generation = generation(b"first\nsecond\n", 80);
    let file = Arc::clone(generation.file());
    let mut copy = tempfile::tempfile().unwrap();
    assert!(!generation.begins_with(&copy));
    for part in [b"first\nsec", b"ond\n".as_slice()] {
        copy.write_all(part).unwrap();
        assert!(generation.begins_with(&copy));
    }
    file.set_len(6).unwrap();
    assert!(!generation.begins_with(&copy));
}

#[test]
fn a_file_that_is_empty_at_a_look_is_looked_at_again_when_it_has_changed() {
    let mut generation = generation(b"", 80);
    let file = Arc::clone(generation.file());
    let mut writer: &File = &file;
    let now = identity::now();
    writer.write_all(b"first\n").unwrap();
    file.set_len(0).unwrap();
    assert!(generation.may_have_been_emptied());
    let known_until = generation.before_look(now);
    generation.settle(known_until);
    assert!(!generation.is_settled() && generation.known_until() <= now);
    io::Seek::rewind(&mut writer).unwrap();
    writer.write_all(b"second\n").unwrap();
    let known_until = generation.before_look(identity::now());
    generation.settle(known_until);
    assert!(generation.is_settled() && !generation.may_have_been_emptied());
}
