//! Which thread reads, and what lapin receives meanwhile.

use super::*;

#[test]
fn lapin_hears_of_the_broker_while_the_lanes_thread_is_held_up_or_has_all_the_traffic() {
    let (junction, mut peer) = pair();
    let mut lane = Lane::new(&junction, 1, 131_072);
    let pumped = Pumped::new(&junction);
    let heard = thread::spawn(move || read_all(&junction));
    let writer = thread::spawn(move || {
        let until = Instant::now() + Duration::from_secs(3);
        let mut tag = 0;
        while Instant::now() < until {
            tag += 1;
            peer.write_all(&ack(1, tag)).unwrap();
            thread::sleep(Duration::from_millis(20));
        }
        tag
    });
    // Neither reads nor waits, as in a write to a disk that hangs.
    thread::sleep(Duration::from_millis(3500));
    let sent = writer.join().unwrap();
    runtime::block_on(async {
        let mut got = 0;
        while got < sent {
            let event = poll_fn(|context| lane.poll_next(context)).await;
            got += 1;
            assert!(matches!(event, Event::Ack { tag, .. } if tag == got), "{event:?}");
        }
    });
    drop(pumped);
    drop(lane);
    let heard = heard.join().unwrap();
    let heartbeats =
        heard.chunks(8).filter(|chunk| **chunk == crate::net::lane::wire::HEARTBEAT_FRAME).count();
    assert_eq!(heard.len(), heartbeats * 8);
    assert!((1..=4).contains(&heartbeats), "{heartbeats}");
}

/// Like a cancel-ok that comes after everything that the new consumer was given.
#[test]
fn an_answer_to_lapin_behind_a_prefetch_that_nothing_takes_is_not_long_in_coming() {
    const MESSAGES: u64 = 64;
    const SIZE: usize = 1_000_000;
    let limits = Limits { waiting: 128 << 20, ..Limits::default() };
    let (junction, mut peer) = pair_with(limits);
    let lane = Lane::new(&junction, 1, 131_072);
    let _pumped = Pumped::new(&junction);
    lane.asks_for(MESSAGES as usize);
    let writer = thread::spawn(move || {
        peer.write_all(&consume_ok(1)).unwrap();
        for tag in 1..=MESSAGES {
            let mut message = [deliver(1, "tag", tag), header(1, SIZE as u64)].concat();
            vec![b'x'; SIZE].chunks(131_064).for_each(|piece| message.extend(body(1, piece)));
            peer.write_all(&message).unwrap();
        }
        peer.write_all(&ack(2, 1)).unwrap();
        peer
    });
    // Without a question, little is read.
    let context = &mut std::task::Context::from_waker(std::task::Waker::noop());
    while junction.pump(context) != Some(false) || lane.waiting() < 3 {
        thread::sleep(Duration::from_millis(1));
    }
    let asked = junction.clone();
    let _awaited = asked.await_answer();
    thread::sleep(Duration::from_millis(20));
    assert_eq!(junction.pump(context), Some(true));
    let answer = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let lapin = {
        let answer = answer.clone();
        thread::spawn(move || {
            let (mut heard, end) = (Vec::new(), ack(2, 1));
            wait(|context| {
                loop {
                    let copy = |bytes: &[u8]| {
                        heard.extend_from_slice(bytes);
                        bytes.len()
                    };
                    let read = junction.lapin_reads(context, copy, &mut |_| Ok(()));
                    if heard.ends_with(&end) {
                        return std::task::Poll::Ready(());
                    }
                    if read.is_pending() {
                        return std::task::Poll::Pending;
                    }
                }
            });
            answer.store(true, std::sync::atomic::Ordering::Release);
        })
    };
    let begun = Instant::now();
    runtime::block_on(async {
        while !answer.load(std::sync::atomic::Ordering::Acquire) {
            runtime::sleep(Duration::from_millis(5)).await;
        }
    });
    let took = begun.elapsed();
    lapin.join().unwrap();
    drop(writer.join().unwrap());
    assert_eq!(lane.waiting(), MESSAGES as usize);
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn lapin_hears_of_the_broker_while_the_lanes_thread_is_held_up_with_much_to_take() {
    let (junction, mut peer) = pair();
    let lane = Lane::new(&junction, 1, 131_072);
    let pumped = Pumped::new(&junction);
    lane.asks_for(10);
    let heard = thread::spawn(move || read_all(&junction));
    peer.write_all(&consume_ok(1)).unwrap();
    let message = [deliver(1, "tag", 1), header(1, 3 << 20), body(1, &[b'x'; 5000])].concat();
    peer.write_all(&message).unwrap();
    let until = Instant::now() + Duration::from_millis(4500);
    while Instant::now() < until {
        peer.write_all(&body(1, b"x")).unwrap();
        thread::sleep(Duration::from_millis(20));
    }
    drop((pumped, lane, peer));
    let heard = heard.join().unwrap();
    let heartbeats =
        heard.chunks(8).filter(|chunk| **chunk == crate::net::lane::wire::HEARTBEAT_FRAME).count();
    // One for what arrived before there was much.
    assert!((2..=5).contains(&heartbeats), "{heartbeats}");
}
