//! What arrives is sorted the same however it is split, and ends are reported in their order.

mod bounds;

use super::allowance::Limits;
use super::event::Event;
use super::line::Line;
use super::nesting::nested;
use super::samples::{
    ack, basic, body, close_ok, closes, connection_closes, consume_ok, deliver, header, on,
    serialized, short,
};
use super::sort::Sorter;
use super::unreadable::{Excess, Unreadable};
use amq_protocol::frame::AMQPFrame;
use amq_protocol::protocol::{AMQPClass, basic, channel, connection};
use proptest::prelude::*;
use std::collections::VecDeque;

/// Feeds bytes as they would be read from a socket, this many at a time.
pub(super) fn feed(sorter: &mut Sorter, mut bytes: &[u8], step: usize) -> Result<(), Unreadable> {
    while !bytes.is_empty() {
        let room = sorter.room();
        let count = step.min(bytes.len()).min(room.len());
        room[..count].copy_from_slice(&bytes[..count]);
        bytes = &bytes[count..];
        sorter.filled(count);
        sorter.sort()?;
    }
    Ok(())
}

pub(super) fn lanes(channels: &[u16]) -> Sorter {
    let mut sorter = Sorter::new(Limits::default());
    for channel in channels {
        sorter.add(Line::new((*channel).into(), *channel));
        sorter.line((*channel).into()).unwrap().asks_for(60_000);
    }
    sorter
}

/// An event in the form that the tests compare.
fn told(event: &Event) -> String {
    match event {
        Event::Empty => "empty".to_owned(),
        Event::Ack { tag, .. } => format!("ack {tag}"),
        Event::Nack { tag, .. } => format!("nack {tag}"),
        Event::Delivered { tag, content, .. } => {
            assert_eq!(content.exchange(), b"e");
            assert_eq!(content.routing_key(), b"key");
            assert_eq!(content.consumer(), b"tag");
            let properties = content.properties().unwrap();
            let kind = properties.get(crate::envelope::message::Text::ContentType);
            assert_eq!(kind.unwrap().as_bytes(), b"text");
            let whole = content.body();
            assert_eq!(content.body_len(), whole.len());
            assert_eq!(content.pieces().collect::<Vec<_>>().concat(), *whole);
            let sum: u64 = whole.iter().zip(1..).map(|(byte, at)| u64::from(*byte) * at).sum();
            format!("deliver {tag} {} {sum}", whole.len())
        }
        Event::Returned { reason, .. } => format!("return {reason}"),
        Event::Cancelled { by_broker, .. } => format!("cancelled {by_broker}"),
        Event::Closed { code, .. } => format!("closed {code}"),
        Event::Ended => "ended".to_owned(),
    }
}

fn take(sorter: &mut Sorter, channel: u16) -> Vec<String> {
    let mut events = VecDeque::new();
    sorter.take(channel.into(), &mut events);
    events.iter().map(told).collect()
}

fn for_lapin(sorter: &mut Sorter) -> Vec<u8> {
    let bytes = sorter.for_lapin().to_vec();
    sorter.read_by_lapin(bytes.len());
    bytes
}

#[derive(Clone, Debug)]
enum Comes {
    Ack(u16, u64),
    /// A message whose body is in frames of these sizes; other frames may come between them.
    Message(u16, Vec<usize>),
    Heartbeat,
    Lapin,
}

fn comes() -> impl Strategy<Value = Comes> {
    let lane = prop_oneof![Just(1u16), Just(2)];
    let size = prop_oneof![0usize..3, 1usize..300, 0usize..131_065];
    prop_oneof![
        (lane.clone(), any::<u64>()).prop_map(|(channel, tag)| Comes::Ack(channel, tag)),
        (lane, prop::collection::vec(size, 0..5))
            .prop_map(|(channel, sizes)| Comes::Message(channel, sizes)),
        Just(Comes::Heartbeat),
        Just(Comes::Lapin),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_comes_is_sorted_the_same_however_it_is_cut(
        comes in prop::collection::vec(comes(), 0..30),
        step in prop_oneof![1usize..40, 1000usize..300_000],
        looks in prop::collection::vec(any::<bool>(), 40),
    ) {
        // Byte by byte is slow for large bodies.
        let large = comes.iter().any(|it| matches!(it, Comes::Message(_, sizes) if sizes.iter().sum::<usize>() > 2000));
        let step = if large { step.max(997) } else { step };
        let mut sorter = lanes(&[1, 2]);
        let (mut expected, mut lapin) = ([Vec::new(), Vec::new()], Vec::new());
        for channel in [1, 2] {
            feed(&mut sorter, &consume_ok(channel), step).unwrap();
            lapin.extend(consume_ok(channel));
        }
        let mut got = [Vec::new(), Vec::new()];
        let mut got_lapin = Vec::new();
        for (index, it) in comes.iter().enumerate() {
            match it {
                Comes::Ack(channel, tag) => {
                    expected[*channel as usize - 1].push(format!("ack {tag}"));
                    feed(&mut sorter, &ack(*channel, *tag), step).unwrap();
                }
                Comes::Message(channel, sizes) => {
                    let whole: Vec<u8> =
                        (0..sizes.iter().sum::<usize>()).map(|at| (at * 7 + index) as u8).collect();
                    let sum: u64 = whole.iter().zip(1..).map(|(byte, at)| u64::from(*byte) * at).sum();
                    let told = format!("deliver {index} {} {sum}", whole.len());
                    expected[*channel as usize - 1].push(told);
                    let mut bytes = deliver(*channel, "tag", index as u64);
                    bytes.extend(header(*channel, whole.len() as u64));
                    let mut rest = &whole[..];
                    for size in sizes {
                        let (piece, behind) = rest.split_at(*size);
                        rest = behind;
                        if !rest.is_empty() || !piece.is_empty() {
                            bytes.extend(body(*channel, piece));
                        }
                        // Frames of other channels may come between.
                        bytes.extend(body(9, b"lapin's"));
                        lapin.extend(body(9, b"lapin's"));
                    }
                    feed(&mut sorter, &bytes, step).unwrap();
                }
                Comes::Heartbeat => {
                    let frame = serialized(&AMQPFrame::Heartbeat);
                    feed(&mut sorter, &frame, step).unwrap();
                    lapin.extend(frame);
                }
                Comes::Lapin => {
                    let frame = on(
                        1,
                        AMQPClass::Channel(channel::AMQPMethod::OpenOk(channel::OpenOk {})),
                    );
                    feed(&mut sorter, &frame, step).unwrap();
                    lapin.extend(frame);
                }
            }
            if looks[index] {
                for channel in [1, 2] {
                    got[channel as usize - 1].extend(take(&mut sorter, channel));
                }
                got_lapin.extend(for_lapin(&mut sorter));
            }
        }
        for channel in [1, 2] {
            got[channel as usize - 1].extend(take(&mut sorter, channel));
            prop_assert_eq!(sorter.line(channel.into()).unwrap().waiting().bytes(), 0);
        }
        got_lapin.extend(for_lapin(&mut sorter));
        prop_assert_eq!(got, expected);
        prop_assert!(got_lapin == lapin);
    }

    #[test]
    fn noise_breaks_nothing_and_takes_no_memory(
        mut comes in prop::collection::vec(comes(), 1..6), at in any::<prop::sample::Index>(),
        byte in any::<u8>(), noise in prop::collection::vec(any::<u8>(), 0..200), step in 1usize..5000,
    ) {
        comes.truncate(3);
        let mut bytes = consume_ok(1);
        for it in &comes {
            match it {
                Comes::Message(channel, sizes) => {
                    bytes.extend(deliver(*channel, "tag", 1));
                    bytes.extend(header(*channel, 10 + sizes.len() as u64));
                    bytes.extend(body(*channel, &[5; 10]));
                }
                Comes::Ack(channel, tag) => bytes.extend(ack(*channel, *tag)),
                Comes::Heartbeat => bytes.extend(serialized(&AMQPFrame::Heartbeat)),
                Comes::Lapin => bytes.extend(body(1, &noise)),
            }
        }
        bytes.extend(&noise);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let mut sorter = lanes(&[1, 2]);
        let _ = feed(&mut sorter, &bytes, step);
        let mut events = VecDeque::new();
        sorter.take(1, &mut events);
        prop_assert!(sorter.for_lapin().len() <= bytes.len());
    }
}

#[test]
fn what_the_broker_closes_is_told_behind_what_it_confirmed_before() {
    let mut sorter = lanes(&[1, 2]);
    let bytes = [ack(1, 5), closes(1), ack(2, 6)].concat();
    feed(&mut sorter, &bytes, 11).unwrap();
    assert_eq!(take(&mut sorter, 1), ["ack 5", "closed 404"]);
    assert!(sorter.line(1).unwrap().is_closed());
    assert_eq!(take(&mut sorter, 2), ["ack 6"]);
    assert!(!sorter.line(2).unwrap().is_closed());
    assert!(for_lapin(&mut sorter) == closes(1));
    feed(&mut sorter, &[ack(2, 7), connection_closes()].concat(), 3).unwrap();
    assert_eq!(take(&mut sorter, 2), ["ack 7", "closed 320"]);
    assert!(sorter.line(2).unwrap().is_closed());
    // Reported once.
    assert!(take(&mut sorter, 1).is_empty());
}

#[test]
fn a_lane_that_is_dropped_takes_what_is_on_its_way_until_its_channel_is_closed() {
    let mut sorter = lanes(&[1]);
    let message = [deliver(1, "tag", 1), header(1, 4), body(1, b"abcd")].concat();
    let bytes = [consume_ok(1), message.clone()].concat();
    // In the middle of a message, and of its frame.
    feed(&mut sorter, &bytes[..bytes.len() - 3], 1000).unwrap();
    sorter.drop_line(1);
    feed(&mut sorter, &bytes[bytes.len() - 3..], 1000).unwrap();
    feed(&mut sorter, &[message.clone(), ack(1, 3)].concat(), 1000).unwrap();
    assert!(for_lapin(&mut sorter) == consume_ok(1));
    feed(&mut sorter, &close_ok(1), 1000).unwrap();
    assert!(for_lapin(&mut sorter) == close_ok(1));
    assert!(sorter.line(1).is_none());
    // Its number is reused.
    sorter.add(Line::new(7, 1));
    feed(&mut sorter, &[consume_ok(1), message].concat(), 1000).unwrap();
    assert!(sorter.take(7, &mut VecDeque::new()));
}

#[test]
fn a_channel_whose_number_is_used_again_begins_anew() {
    let mut sorter = lanes(&[1]);
    feed(&mut sorter, &[ack(1, 1), closes(1)].concat(), 7).unwrap();
    sorter.add(Line::new(8, 1));
    feed(&mut sorter, &ack(1, 2), 7).unwrap();
    // The old lane still exists, and dropping it does not affect the new one.
    assert_eq!(take(&mut sorter, 1), ["ack 1", "closed 404"]);
    sorter.drop_line(1);
    feed(&mut sorter, &ack(1, 3), 7).unwrap();
    let mut events = VecDeque::new();
    assert!(sorter.take(8, &mut events));
    assert_eq!(events.iter().map(told).collect::<Vec<_>>(), ["ack 2", "ack 3"]);
    // Nor one that is added before lapin has learnt of the end of the other.
    sorter.add(Line::new(9, 1));
    feed(&mut sorter, &ack(1, 4), 7).unwrap();
    sorter.drop_line(8);
    events.clear();
    assert!(sorter.take(9, &mut events));
    assert_eq!(events.iter().map(told).collect::<Vec<_>>(), ["ack 4"]);
}

#[test]
fn what_comes_to_a_consumer_that_is_not_there_passes_by_but_not_for_ever() {
    let mut sorter = lanes(&[1]);
    feed(&mut sorter, &consume_ok(1), 1000).unwrap();
    let stray = [deliver(1, "other", 1), header(1, 100_000), body(1, &[0; 100_000])].concat();
    let refused = (0..1000).find_map(|_| feed(&mut sorter, &stray, 70_000).err());
    assert!(matches!(refused, Some(Unreadable::Excess(Excess::Unasked { .. }))), "{refused:?}");
    assert!(take(&mut sorter, 1).is_empty());
}
