//! What is read is what was written, and arbitrary bytes are refused without a panic.

use super::*;
use crate::term::samples::atom;
use erl_dist::term as written;
use proptest::prelude::*;

fn decoded(mut bytes: &[u8]) -> Result<Term, Malformed> {
    let term = decode(&mut bytes)?;
    assert!(bytes.is_empty(), "{} bytes left", bytes.len());
    Ok(term)
}

#[test]
fn each_form_of_an_atom_and_a_number_is_read() {
    let table = [
        (&[131, 119, 2, b'o', b'k'][..], atom("ok")),
        (&[131, 118, 0, 2, b'o', b'k'], atom("ok")),
        (&[131, 100, 0, 1, 0xe9], atom("é")),
        (&[131, 115, 1, 0xe9], atom("é")),
        (&[131, 97, 200], Term::Integer(200)),
        (&[131, 98, 0xff, 0xff, 0xff, 0xfe], Term::Integer(-2)),
        (&[131, 110, 2, 1, 1, 1], Term::Integer(-257)),
        (&[131, 111, 0, 0, 0, 1, 0, 9], Term::Integer(9)),
        (&[131, 110, 16, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], Term::Opaque),
        (&[131, 107, 0, 2, b'h', b'i'], Term::Charlist(b"hi".to_vec())),
        (&[131, 108, 0, 0, 0, 1, 97, 1, 97, 2], Term::Opaque),
    ];
    for (bytes, term) in table {
        assert_eq!(decoded(bytes), Ok(term), "{bytes:?}");
    }
}

#[test]
fn what_follows_a_term_is_left() {
    let mut bytes = &[131, 106, 131, 97, 7][..];
    assert_eq!(decode(&mut bytes), Ok(Term::List(vec![])));
    assert_eq!(decode(&mut bytes), Ok(Term::Integer(7)));
    assert_eq!(decode(&mut bytes), Err(CUT_SHORT));
}

#[test]
fn a_length_that_the_bytes_do_not_back_allocates_nothing() {
    for tag in [105, 108, 109, 111, 112, 116, 77] {
        assert_eq!(decoded(&[131, tag, 0xff, 0xff, 0xff, 0xff]), Err(CUT_SHORT), "{tag}");
    }
}

#[test]
fn what_is_nested_too_deep_is_skipped_and_the_rest_is_read() {
    let mut bytes = vec![131, 104, 2];
    for _ in 0..1_000_000 {
        bytes.extend([108, 0, 0, 0, 1]);
    }
    bytes.push(97);
    bytes.push(1);
    bytes.resize(bytes.len() + 1_000_000, 106);
    bytes.extend([97, 5]);
    let Ok(Term::Tuple(elements)) = decoded(&bytes) else { panic!("not a tuple") };
    assert_eq!(elements.get(1), Some(&Term::Integer(5)));
}

#[test]
fn no_type_of_term_nests_without_a_bound() {
    for tag in 0..=255u8 {
        for size in [0, 1, 3] {
            let mut bytes = vec![131];
            let one = [&[tag][..], &[0, 0, 0, size][..usize::from(size)]].concat();
            bytes.extend(one.repeat(200_000));
            let _ = decode(&mut bytes.as_slice());
        }
    }
}

#[test]
fn a_term_of_endless_parts_is_refused() {
    let mut bytes = vec![131, 108, 1, 0x80, 0, 0];
    bytes.resize(bytes.len() + (MOST_TERMS as usize) + 9, 106);
    assert_eq!(decoded(&bytes), Err(Malformed("a term of too many parts")));
}

/// A list; a list of small numbers is encoded like a text.
fn list(elements: Vec<Term>) -> Term {
    let byte = |term: &Term| match term {
        Term::Integer(number) => u8::try_from(*number).ok(),
        _ => None,
    };
    match elements.iter().map(byte).collect() {
        Some(bytes) if !elements.is_empty() => Term::Charlist(bytes),
        _ => Term::List(elements),
    }
}

/// A term as eetf writes it, and the expected result of reading it.
fn terms() -> impl Strategy<Value = (written::Term, Term)> {
    let leaf = prop_oneof![
        "[a-zé]{0,9}".prop_map(|name| (written::Atom::from(name.as_str()).into(), atom(&name))),
        // eetf 0.11 encodes a list of small negative numbers incorrectly; we never send one.
        (0..i32::MAX).prop_map(|n| (written::FixInteger::from(n).into(), Term::Integer(n.into()))),
        any::<u64>().prop_map(|n| (written::BigInteger::from(n).into(), Term::Integer(n.into()))),
        any::<i64>().prop_map(|n| (written::BigInteger::from(n).into(), Term::Integer(n.into()))),
        (-1e9..1e9).prop_map(|n| (written::Float { value: n }.into(), Term::Float(n))),
        any::<Vec<u8>>().prop_map(|b| (written::Binary::from(b.clone()).into(), Term::Binary(b))),
        any::<[u32; 3]>().prop_map(|[id, serial, creation]| {
            let pid = Pid { node: "a@b".to_owned(), id, serial, creation };
            (written::Pid::new("a@b", id, serial, creation).into(), Term::Pid(pid))
        }),
    ];
    leaf.prop_recursive(8, 64, 9, |inner| {
        let several = prop::collection::vec(inner, 0..9);
        let unzipped = several.prop_map(|terms| terms.into_iter().unzip::<_, _, Vec<_>, Vec<_>>());
        prop_oneof![
            unzipped.clone().prop_map(|(w, t)| (written::List::from(w).into(), list(t))),
            unzipped.prop_map(|(w, t)| (written::Tuple::from(w).into(), Term::Tuple(t))),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back_as_the_same((written, term) in terms()) {
        let mut bytes = Vec::new();
        written.encode(&mut bytes).unwrap();
        prop_assert_eq!(decoded(&bytes), Ok(term));
    }

    #[test]
    fn arbitrary_bytes_never_panic(mut bytes in any::<Vec<u8>>()) {
        let _ = decode(&mut bytes.as_slice());
        bytes.insert(0, 131);
        let _ = decode(&mut bytes.as_slice());
    }

    #[test]
    fn a_term_that_was_damaged_never_panics(
        (written, _) in terms(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..9),
    ) {
        let mut bytes = Vec::new();
        written.encode(&mut bytes).unwrap();
        for (index, byte) in damage {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        let _ = decode(&mut bytes.as_slice());
    }
}
