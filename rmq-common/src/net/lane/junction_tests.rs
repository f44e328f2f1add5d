//! Both halves of a connection at once, on separate threads and a real socket.

mod reading;

use super::allowance::Limits;
use super::event::Event;
use super::junction::Junction;
use super::samples::{body, consume_ok, deliver, header, serialized};
use super::{Lane, Pumped};
use crate::envelope::message::{Name, Properties};
use crate::net::runtime;
use amq_protocol::frame::{AMQPFrame, parse_frame};
use amq_protocol::protocol::{AMQPClass, basic, channel};
use async_io::Async;
use lapin::AsyncTcpStream;
use lapin::types::ShortString;
use std::future::poll_fn;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

fn pair() -> (Arc<Junction>, TcpStream) {
    pair_with(Limits::default())
}

fn pair_with(limits: Limits) -> (Arc<Junction>, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let peer = listener.accept().unwrap().0;
    let stream = AsyncTcpStream::Plain(Async::new(ours).unwrap());
    (Junction::new(stream, Arc::default(), limits), peer)
}

fn ack(channel: u16, delivery_tag: u64) -> Vec<u8> {
    let ack = basic::AMQPMethod::Ack(basic::Ack { delivery_tag, multiple: false });
    serialized(&AMQPFrame::Method(channel, AMQPClass::Basic(ack)))
}

fn close(channel: u16) -> Vec<u8> {
    let close = channel::Close {
        reply_code: 200,
        reply_text: ShortString::default(),
        class_id: 0,
        method_id: 0,
    };
    serialized(&AMQPFrame::Method(channel, AMQPClass::Channel(channel::AMQPMethod::Close(close))))
}

/// lapin's half: everything that it reads until the end, on this thread.
fn read_all(junction: &Junction) -> Vec<u8> {
    let mut all = Vec::new();
    wait(|context| {
        loop {
            let read = junction.lapin_reads(
                context,
                |bytes| {
                    // Now and then less than is available.
                    let count = bytes.len().min(1 + all.len() % 1000);
                    all.extend_from_slice(&bytes[..count]);
                    count
                },
                &mut |_| Ok(()),
            );
            match read {
                std::task::Poll::Ready(Ok(0) | Err(_)) => return std::task::Poll::Ready(()),
                std::task::Poll::Ready(Ok(_)) => {}
                std::task::Poll::Pending => return std::task::Poll::Pending,
            }
        }
    });
    all
}

fn wait(mut poll: impl FnMut(&mut std::task::Context<'_>) -> std::task::Poll<()>) {
    async_io::block_on(poll_fn(|context| poll(context)));
}

#[test]
fn two_threads_on_one_socket_lose_nothing_and_mix_nothing() {
    const COUNT: u64 = 20_000;
    let (junction, mut peer) = pair();
    // The lanes' thread does not read yet: lapin does.
    let mut lane = Lane::new(&junction, 1, 131_072);
    let pumped = Pumped::new(&junction);
    let mut writing = peer.try_clone().unwrap();
    let writer = thread::spawn(move || {
        for tag in 1..=COUNT {
            let mut frames = ack(1, tag);
            if tag % 3 == 0 {
                frames.extend(ack(2, tag));
            }
            // In pieces of odd sizes.
            let (one, two) = frames.split_at(tag as usize % frames.len());
            writing.write_all(one).unwrap();
            if tag % 50 == 0 {
                thread::sleep(Duration::from_micros(200));
            }
            writing.write_all(two).unwrap();
        }
    });
    let lapin = {
        let junction = junction.clone();
        thread::spawn(move || read_all(&junction))
    };
    let lapin_writes = {
        thread::spawn(move || {
            for tag in 1..=COUNT / 10 {
                let frame = ack(2, tag);
                let mut rest = &frame[..];
                while !rest.is_empty() {
                    let piece = &rest[..rest.len().min(1 + tag as usize % 23)];
                    let mut wrote = 0;
                    async_io::block_on(poll_fn(|context| {
                        junction.lapin_writes(context, &[piece]).map(|done| wrote = done.unwrap())
                    }));
                    rest = &rest[wrote..];
                }
            }
        })
    };
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        let (mut of_lane, mut of_lapin) = (0, 0);
        let mut room = [0; 4096];
        while of_lane < COUNT || of_lapin < COUNT / 10 {
            let count = peer.read(&mut room).unwrap();
            assert!(count > 0);
            bytes.extend_from_slice(&room[..count]);
            let mut rest = &bytes[..];
            while let Ok((behind, frame)) = parse_frame(rest) {
                rest = behind;
                let AMQPFrame::Method(channel, AMQPClass::Basic(basic::AMQPMethod::Ack(ack))) =
                    frame
                else {
                    panic!("{frame:?}")
                };
                let last = if channel == 1 { &mut of_lane } else { &mut of_lapin };
                *last += 1;
                assert_eq!(ack.delivery_tag, *last);
            }
            bytes = rest.to_vec();
        }
        peer
    });
    runtime::block_on(async {
        for expected in 1..=COUNT {
            let event = poll_fn(|context| lane.poll_next(context)).await;
            assert!(matches!(event, Event::Ack { tag, .. } if tag == expected), "{event:?}");
            lane.ack(expected, false);
            lane.send().unwrap();
        }
        let until = Instant::now() + Duration::from_secs(20);
        while lane.unsent() > 0 && Instant::now() < until {
            runtime::sleep(Duration::from_millis(5)).await;
        }
        writer.join().unwrap();
        lapin_writes.join().unwrap();
        // The last frames in either direction may wait for this thread, which reads and writes.
        let mut reader = Some(reader);
        while reader.as_ref().is_some_and(|reader| !reader.is_finished()) {
            runtime::sleep(Duration::from_millis(5)).await;
        }
        drop(reader.take().unwrap().join().unwrap());
        let event = poll_fn(|context| lane.poll_next(context)).await;
        assert!(matches!(event, Event::Ended), "{event:?}");
    });
    drop(pumped);
    let heard = lapin.join().unwrap();
    let expected: Vec<u8> =
        (1..=COUNT).filter(|tag| tag % 3 == 0).flat_map(|tag| ack(2, tag)).collect();
    assert!(heard == expected, "{} {}", heard.len(), expected.len());
}

#[test]
fn nothing_is_written_on_a_channel_that_lapin_has_closed() {
    let (junction, mut peer) = pair();
    let mut lane = Lane::new(&junction, 1, 131_072);
    let mut other = Lane::new(&junction, 3, 131_072);
    let _pumped = Pumped::new(&junction);
    lane.ack(1, false);
    assert!(lane.send().is_ok());
    let frame = close(1);
    let (begin, end) = frame.split_at(5);
    async_io::block_on(async {
        for piece in [begin, end] {
            lane.ack(2, false);
            let sent = lane.send();
            let wrote = poll_fn(|context| junction.lapin_writes(context, &[piece])).await.unwrap();
            assert_eq!(wrote, piece.len());
            assert!(sent.is_ok());
        }
    });
    lane.ack(3, false);
    assert!(lane.send().is_err());
    assert!(matches!(lane.next_now(), Some(Event::Ended)));
    other.ack(4, false);
    assert!(other.send().is_ok());
    let expected = [ack(1, 1), ack(1, 2), ack(1, 2), frame, ack(3, 4)].concat();
    let mut got = vec![0; expected.len()];
    peer.read_exact(&mut got).unwrap();
    assert!(got == expected);
    // The socket is closed with lapin's half.
    junction.lapin_gone();
    assert!(other.send().is_err());
    assert!(matches!(other.next_now(), Some(Event::Ended)));
    assert_eq!(peer.read(&mut got).unwrap(), 0);
}

/// A caller that waits for room checks what is unsent, then pumps; lapin may write in between.
#[test]
fn room_that_lapin_makes_is_noticed() {
    let (junction, mut peer) = pair();
    let mut lane = Lane::new(&junction, 1, 131_072);
    let _pumped = Pumped::new(&junction);
    let bytes: bytes::Bytes = vec![b'x'; 16 << 20].into();
    let head = super::Head::new(
        1,
        &Name::default(),
        &Name::new("q").unwrap(),
        false,
        &Properties::default(),
    );
    lane.publish(&head, &bytes);
    assert!(lane.send().unwrap() > 0);
    let reader = thread::spawn(move || {
        let (mut room, mut left) = (vec![0; 1 << 20], 16_usize << 20);
        while left > 0 {
            left = left.saturating_sub(peer.read(&mut room).unwrap());
        }
        peer
    });
    assert!(lane.unsent() > 0);
    async_io::block_on(poll_fn(|context| junction.lapin_flushes(context))).unwrap();
    let context = &mut std::task::Context::from_waker(std::task::Waker::noop());
    assert_eq!(junction.pump(context), Some(true));
    assert_eq!(junction.pump(context), Some(false));
    drop(reader.join().unwrap());
}
