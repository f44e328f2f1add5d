//! Former terms, damaged at random, for two seconds, or with `RMQ_SOAK=1` ten minutes: reading them
//! ends, gives no more than the bytes can hold, and is repeatable. `RMQ_SEED` repeats a run.

#![expect(clippy::print_stdout, reason = "what a run did is told where a test is asked for it")]

use super::*;
use std::time::{Duration, Instant};

/// Answers of real brokers, and one of each tag that no broker sends: starting points for damage.
fn corpus() -> Vec<Vec<u8>> {
    let mut corpus: Vec<Vec<u8>> = vec![
        // {rex, [[{user, <<"guest">>}, {tags, [administrator]}]]}
        b"\x83h\x02w\x03rexl\0\0\0\x01l\0\0\0\x02h\x02w\x04userm\0\0\0\x05guesth\x02w\x04tagsl\
          \0\0\0\x01w\x0dadministratorjjj"
            .to_vec(),
        // {rex, {error, {invalid_regexp, <<"*">>, {"nothing to repeat", 0}}}}
        b"\x83h\x02w\x03rexh\x02w\x05errorh\x03w\x0einvalid_regexpm\0\0\0\x01*h\x02k\0\x11nothing \
          to repeata\0"
            .to_vec(),
        // {2, '', <0.1.2>}, then {rex, ok}
        b"\x83h\x03a\x02w\0Xw\x03a@b\0\0\0\x01\0\0\0\x02\0\0\0\x03\x83h\x02w\x03rexw\x02ok"
            .to_vec(),
        // #{a => 1.5, b => 2^70}
        b"\x83t\0\0\0\x02w\x01aF?\xf8\0\0\0\0\0\0w\x01bn\x09\0\0\0\0\0\0\0\0\0\x40".to_vec(),
    ];
    corpus.extend((0..=255).map(|tag| [&[131, tag][..], &[0, 0, 0, 3], &[97; 40]].concat()));
    corpus
}

fn damage(bytes: &mut Vec<u8>, random: &mut fastrand::Rng) {
    for _ in 0..random.usize(1..6) {
        let at = random.usize(0..bytes.len().max(1)).min(bytes.len());
        let until = random.usize(at..=bytes.len());
        match random.u8(0..6) {
            0 => bytes.truncate(until),
            1 => bytes.insert(at, random.u8(..)),
            2 => drop(bytes.drain(at..until)),
            3 => bytes.extend_from_within(at..until),
            4 => {
                let extreme = random.choice([[0; 4], [0xff; 4], [0, 0, 1, 0]]).unwrap_or_default();
                bytes.splice(at..until.min(at + 4), extreme);
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.u8(0..8);
                }
            }
        }
        bytes.truncate(1 << 16);
    }
}

/// The number of terms in one, including the bytes of texts.
fn weight(term: &Term) -> usize {
    1 + match term {
        Term::List(terms) | Term::Tuple(terms) => terms.iter().map(weight).sum(),
        Term::Map(pairs) => pairs.iter().map(|(key, value)| weight(key) + weight(value)).sum(),
        Term::Binary(bytes) | Term::Charlist(bytes) => bytes.len(),
        // A Latin-1 character takes one more byte in UTF-8.
        Term::Atom(name) => name.len() / 2,
        _ => 0,
    }
}

#[test]
fn whatever_was_damaged_is_read_or_refused_and_gives_no_more_than_its_bytes_back() {
    let seed = std::env::var("RMQ_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    let soak = std::env::var_os("RMQ_SOAK").is_some();
    let lasts = if soak { Duration::from_secs(600) } else { Duration::from_secs(2) };
    println!("RMQ_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut corpus, until) = (corpus(), Instant::now() + lasts);
    let (mut rounds, mut read) = (0_u64, 0_u64);
    while Instant::now() < until {
        let index = random.usize(0..corpus.len());
        let mut bytes = corpus[index].clone();
        damage(&mut bytes, &mut random);
        let mut rest = bytes.as_slice();
        rounds += 1;
        let Ok(term) = decode(&mut rest) else { continue };
        read += 1;
        let taken = bytes.len() - rest.len();
        assert!(weight(&term) <= taken, "{seed}: {} of {taken}: {bytes:?}", weight(&term));
        assert!(!term.to_string().contains('\n'), "{seed}: {bytes:?}");
        // Whatever is still a term is a good starting point for more damage.
        if random.u8(..) == 0 {
            corpus[index] = bytes;
        }
    }
    println!("{rounds} rounds, {read} of them still terms");
    assert!(read > 0 && rounds > read, "{seed}: nothing was tried");
}
