//! Properties, damaged at random, for two seconds, or with `RMQ_SOAK=1` ten minutes. `RMQ_SEED`
//! repeats a run.

#![expect(clippy::print_stdout, reason = "what a run did is told where a test is asked for it")]

use super::samples::{is_lapins, properties};
use super::tests::{theirs, written};
use super::{Name, Properties};
use crate::envelope::Envelope;
use crate::net::lane::fuzz::{Run, damage, run};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::time::Instant;

/// Properties to begin with.
fn corpus(seed: u64) -> Vec<Vec<u8>> {
    let seed = [seed.to_be_bytes(); 4].concat();
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    let samples = (0..200).map(|_| properties().new_tree(&mut runner).unwrap().current());
    samples.map(|properties| written(&properties)).collect()
}

/// Whether they are equal. The type U, which RabbitMQ refuses, comes back as RabbitMQ's s.
fn same(one: &[u8], other: &[u8]) -> bool {
    let mut pairs = one.iter().zip(other);
    one.len() == other.len()
        && pairs.all(|(one, other)| one == other || (*one, *other) == (b's', b'U'))
}

#[test]
fn damaged_properties_are_refused_or_come_back_byte_for_byte_through_an_envelope() {
    let Run { mut random, seed, until } = run();
    let corpus = corpus(seed);
    let (mut rounds, mut read, mut common) = (0_u64, 0_u64, 0_u64);
    while Instant::now() < until {
        let mut bytes = random.choice(&corpus).cloned().unwrap_or_default();
        damage(&mut bytes, &mut random);
        rounds += 1;
        let theirs = theirs(&bytes);
        let Some(properties) = Properties::read(&bytes) else {
            // amq-protocol may skip flags that the class does not have.
            let has_others = bytes.get(1).is_none_or(|flags| flags & 3 != 0);
            assert!(theirs.is_none() || has_others, "{seed}: {bytes:?}");
            continue;
        };
        read += 1;
        let bytes = written(&properties);
        assert_eq!(Properties::read(&bytes).as_ref(), Some(&properties), "{seed}");
        if is_lapins(&properties) {
            common += 1;
            assert!(theirs.is_some_and(|theirs| same(&theirs, &bytes)), "{seed}: {bytes:?}");
        }
        let key = random.choice(&corpus).cloned().unwrap_or_default();
        let key = Name::new(key.get(..key.len().min(255)).unwrap_or_default()).ok();
        let mut line = Vec::new();
        let envelope = Envelope { properties, routing_key: key.clone(), ..Envelope::default() };
        envelope.encode(&mut line);
        let back = Envelope::decode(&line).unwrap();
        assert!(same(&written(&back.properties), &bytes), "{seed}: {bytes:?}");
        assert_eq!(back.routing_key, key, "{seed}");
    }
    println!("{rounds} rounds, {read} of them still properties, {common} of them lapin's too");
    assert!(read > 0 && common > 0 && rounds > read, "{seed}: nothing was tried");
}
