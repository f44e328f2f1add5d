//! Streams of frames, damaged at random, for two seconds, or for ten minutes each with
//! `RMQ_SOAK=1`. `RMQ_SEED` repeats a run.
//!
//! A stream is sorted the same however it is split; a method is parsed as amq-protocol parses it.

#![expect(clippy::print_stdout, reason = "what a run did is told where a test is asked for it")]

use super::event::Event;
use super::method::Method;
use super::method_tests::{Reading, read_by_them, read_by_us};
use super::samples::{body, closes, consume_ok, deliver, header};
use super::sort_tests::{feed, lanes};
use super::wire::Span;
use amq_protocol::frame::{AMQPFrame, parse_frame};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

pub(crate) struct Run {
    pub(crate) random: fastrand::Rng,
    pub(crate) seed: u64,
    pub(crate) until: Instant,
}

pub(crate) fn run() -> Run {
    let seed = std::env::var("RMQ_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    let soak = std::env::var_os("RMQ_SOAK").is_some();
    let lasts = if soak { Duration::from_secs(600) } else { Duration::from_secs(2) };
    println!("RMQ_SEED={seed}");
    Run { random: fastrand::Rng::with_seed(seed), seed, until: Instant::now() + lasts }
}

pub(crate) fn damage(bytes: &mut Vec<u8>, random: &mut fastrand::Rng) {
    for _ in 0..random.usize(0..4) {
        let at = random.usize(0..bytes.len().max(1)).min(bytes.len());
        let until = random.usize(at..=bytes.len().min(at + 40));
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
    }
}

/// A stream as a broker sends it.
fn stream(random: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = consume_ok(1);
    for tag in 0..random.u64(1..8) {
        let channel = random.u16(1..4);
        match random.u8(0..8) {
            0 => bytes.extend(super::samples::ack(channel, tag)),
            1 => bytes.extend(closes(channel)),
            2 => bytes.extend(super::wire::HEARTBEAT_FRAME),
            3 => bytes.extend(consume_ok(channel)),
            _ => {
                let pieces: Vec<usize> =
                    (0..random.usize(0..4)).map(|_| random.usize(0..400)).collect();
                bytes.extend(deliver(channel, "tag", tag));
                bytes.extend(header(channel, pieces.iter().sum::<usize>() as u64));
                for piece in pieces {
                    bytes.extend(body(channel, &vec![tag as u8; piece]));
                }
            }
        }
    }
    bytes
}

/// Everything that a stream becomes, split like this.
fn sorted(bytes: &[u8], mut step: impl FnMut() -> usize) -> (Vec<String>, Vec<u8>, Option<String>) {
    let mut sorter = lanes(&[1, 2]);
    let mut rest = bytes;
    let mut error = None;
    let mut told = VecDeque::new();
    let mut heard = Vec::new();
    while !rest.is_empty() && error.is_none() {
        let (piece, behind) = rest.split_at(step().clamp(1, rest.len()));
        rest = behind;
        error = feed(&mut sorter, piece, piece.len()).err().map(|why| format!("{why:?}"));
        if error.is_some() || piece.len() % 3 == 0 {
            for channel in [1_u16, 2] {
                let mut events = VecDeque::new();
                sorter.take(channel.into(), &mut events);
                told.extend(events.into_iter().map(|event| (channel, event)));
            }
        }
        heard.extend_from_slice(sorter.for_lapin());
        sorter.read_by_lapin(usize::MAX);
    }
    for channel in [1_u16, 2] {
        let mut events = VecDeque::new();
        sorter.take(channel.into(), &mut events);
        told.extend(events.into_iter().map(|event| (channel, event)));
    }
    let mut told: Vec<_> = told.into();
    told.sort_by_key(|(channel, _)| *channel);
    let told = told.iter().map(|(channel, event)| match event {
        Event::Delivered { tag, redelivered, content } => {
            let (key, body) = (content.routing_key(), content.body());
            format!(
                "{channel}: {tag} {redelivered} {key:?} {body:?} {:?}",
                content.raw_properties()
            )
        }
        Event::Returned { reason, content } => format!("{channel}: {reason} {:?}", content.body()),
        other => format!("{channel}: {other:?}"),
    });
    (told.collect(), heard, error)
}

#[test]
fn a_damaged_stream_is_sorted_the_same_however_it_is_cut() {
    let Run { mut random, seed, until } = run();
    let (mut rounds, mut events, mut refused) = (0_u64, 0_u64, 0_u64);
    while Instant::now() < until {
        let mut bytes = stream(&mut random);
        damage(&mut bytes, &mut random);
        let whole = sorted(&bytes, || usize::MAX);
        let most = random.usize(1..200);
        let cut = sorted(&bytes, || random.usize(1..=most));
        assert!(whole == cut, "{seed}: {bytes:?}");
        rounds += 1;
        events += whole.0.len() as u64;
        refused += u64::from(whole.2.is_some());
    }
    println!("{rounds} rounds, {events} events, {refused} refused");
    assert!(events > 0 && refused > 0 && refused < rounds, "{seed}: nothing was tried");
}

#[test]
fn a_damaged_method_is_read_as_amq_protocol_reads_it() {
    let Run { mut random, seed, until } = run();
    let corpus = [
        deliver(1, "tag", 1),
        closes(1),
        consume_ok(1),
        super::samples::ack(1, 5),
        super::samples::connection_closes(),
        // basic.return, basic.nack, basic.cancel, basic.cancel-ok
        b"\x01\0\x01\0\0\0\x14\0\x3c\0\x32\x01\x38\x08NO_ROUTE\x01e\x01k\0\xce".to_vec(),
        b"\x01\0\x01\0\0\0\x0d\0\x3c\0\x78\0\0\0\0\0\0\0\x07\x01\xce".to_vec(),
        b"\x01\0\x01\0\0\0\x09\0\x3c\0\x1e\x03tag\0\xce".to_vec(),
        b"\x01\0\x01\0\0\0\x08\0\x3c\0\x1f\x03tag\xce".to_vec(),
        // basic.get-ok, basic.get-empty
        b"\x01\0\x01\0\0\0\x15\0\x3c\0\x47\0\0\0\0\0\0\0\x07\x01\x01e\x01k\0\0\0\x09\xce".to_vec(),
        b"\x01\0\x01\0\0\0\x05\0\x3c\0\x48\0\xce".to_vec(),
    ];
    let (mut rounds, mut read) = (0_u64, 0_u64);
    while Instant::now() < until {
        let frame = random.choice(&corpus).cloned().unwrap_or_default();
        let mut payload = frame[7..frame.len() - 1].to_vec();
        damage(&mut payload, &mut random);
        let mut frame = vec![1, 0, 1];
        frame.extend((payload.len() as u32).to_be_bytes());
        frame.extend(&payload);
        frame.push(0xce);
        let ours = Method::read(&payload, Span { from: 0, to: payload.len() });
        let ours = ours.map(|method| read_by_us(method, &payload));
        rounds += 1;
        match (parse_frame(&frame[..]), ours) {
            (Ok((_, AMQPFrame::Method(_, theirs))), ours) => {
                read += 1;
                assert_eq!(ours, Some(read_by_them(&theirs)), "{seed}: {payload:?}");
            }
            // The lane may pass on strings that are not UTF-8, or skip them (basic.get-empty).
            (_, Some(Reading(name, _, _, texts))) => assert!(
                ["other", "get-empty"].contains(&name)
                    || texts.iter().any(|text| std::str::from_utf8(text).is_err()),
                "{seed}: {name}: {payload:?}"
            ),
            _ => {}
        }
    }
    println!("{rounds} rounds, {read} of them still methods");
    assert!(read > 0 && rounds > read, "{seed}: nothing was tried");
}
