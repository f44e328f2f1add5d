//! What violates the order of frames, or would take unbounded memory, is refused.

use super::*;

#[test]
fn what_breaks_the_order_of_frames_is_refused() {
    let refused = |bytes: &[Vec<u8>]| {
        let mut sorter = lanes(&[1]);
        feed(&mut sorter, &[consume_ok(1), bytes.concat()].concat(), 1000).err()
    };
    let twice = [deliver(1, "tag", 1), deliver(1, "tag", 2)];
    assert_eq!(refused(&twice), Some(Unreadable::Unfinished));
    let more = [deliver(1, "tag", 1), header(1, 3), body(1, b"four")];
    assert_eq!(refused(&more), Some(Unreadable::Malformed));
    let early = [deliver(1, "tag", 1), body(1, b"four")];
    assert_eq!(refused(&early), Some(Unreadable::Malformed));
    let mut end = ack(1, 1);
    *end.last_mut().unwrap() = 0;
    assert_eq!(refused(&[end]), Some(Unreadable::Malformed));
    let large = [deliver(1, "tag", 1), header(1, 1 << 62)];
    assert!(matches!(refused(&large), Some(Unreadable::Excess(Excess::Message { .. }))));
    // The same for lapin's frames.
    let twice = [deliver(7, "tag", 1), deliver(7, "tag", 2)];
    assert_eq!(refused(&twice), Some(Unreadable::Unfinished));
    let got = basic::AMQPMethod::GetOk(basic::GetOk {
        delivery_tag: 1,
        redelivered: false,
        exchange: short(""),
        routing_key: short("q"),
        message_count: 0,
    });
    let large = [basic(7, got), header(7, 1 << 62)];
    assert!(matches!(refused(&large), Some(Unreadable::Excess(Excess::Message { .. }))));
    let oversized = [[&[3, 0, 1][..], &131_073u32.to_be_bytes()].concat()];
    assert_eq!(refused(&oversized), Some(Unreadable::Oversized(131_073)));
}

#[test]
fn what_is_not_amqp_is_left_to_lapin() {
    for bytes in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"AMQP\0\0\x09\x01"] {
        let mut sorter = lanes(&[]);
        feed(&mut sorter, bytes, 4).unwrap();
        assert!(for_lapin(&mut sorter) == bytes);
    }
}

#[test]
fn a_flood_of_blocks_is_refused() {
    let blocked = connection::Blocked { reason: short("memory") };
    let frame = on(0, AMQPClass::Connection(connection::AMQPMethod::Blocked(blocked)));
    let mut sorter = lanes(&[]);
    let refused = (0..5000).find_map(|_| feed(&mut sorter, &frame, 100).err());
    assert_eq!(refused, Some(Unreadable::Flood));
}

#[test]
fn tables_that_are_nested_too_deeply_reach_nothing_that_recurses() {
    let frame = |kind: u8, payload: &[u8]| {
        [&[kind, 0, 1][..], &(payload.len() as u32).to_be_bytes(), payload, &[0xce]].concat()
    };
    let headers = |depth| {
        let payload = [&[0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0x20, 0][..], &nested(depth, b'F')];
        frame(2, &payload.concat())
    };
    let start = |depth| frame(1, &[&[0, 10, 0, 10, 0, 9][..], &nested(depth, b'F')].concat());
    for (bytes, refused) in [
        ([deliver(1, "tag", 1), headers(3)].concat(), None),
        ([deliver(1, "tag", 1), headers(9000)].concat(), Some(Unreadable::Nested)),
        (start(3), None),
        (start(9000), Some(Unreadable::Nested)),
        (frame(1, &[50; 9000]), Some(Unreadable::LongMethod(9000))),
    ] {
        for step in [1, 7, 100_000] {
            let mut sorter = lanes(&[1]);
            let got = feed(&mut sorter, &[consume_ok(1), bytes.clone()].concat(), step).err();
            assert_eq!(got, refused);
            // lapin's frames, too.
            let mut sorter = lanes(&[]);
            assert_eq!(feed(&mut sorter, &bytes, step).err(), refused);
        }
    }
}

/// A body takes the memory that it is counted for, however small its frames are.
#[test]
fn a_body_in_tiny_frames_takes_little_more_than_its_bytes() {
    const SIZE: usize = 2 << 20;
    for piece in [1, 7, 100] {
        let mut sorter = lanes(&[1]);
        let bytes: Vec<u8> = (0..SIZE).map(|at| (at % 251) as u8).collect();
        let mut stream = [consume_ok(1), deliver(1, "tag", 1), header(1, SIZE as u64)].concat();
        bytes.chunks(piece).for_each(|piece| stream.extend(body(1, piece)));
        feed(&mut sorter, &stream, 100_000).unwrap();
        let mut events = VecDeque::new();
        assert!(sorter.take(1, &mut events));
        let Some(Event::Delivered { content, .. }) = events.pop_front() else { panic!() };
        assert!(content.body() == bytes);
        let (mut held, mut pieces, mut last) = (0, 0, None);
        for (buffer, _) in content.shared() {
            pieces += 1;
            if last.replace(std::sync::Arc::as_ptr(buffer)) != Some(std::sync::Arc::as_ptr(buffer))
            {
                held += buffer.capacity();
            }
        }
        // And the last bytes are where they arrived.
        assert!(held <= SIZE + (512 << 10), "{held}");
        assert!(pieces <= 64 << 10, "{pieces}");
    }
}

/// A consumer stays after one with a lower prefetch was to take over and twice could not.
#[test]
fn what_the_consumer_that_stays_has_asked_for_is_no_fault_of_the_broker_s() {
    let mut sorter = Sorter::new(Limits::default());
    sorter.add(Line::new(1, 1));
    for asked in [1000, 10, 10] {
        sorter.line(1).unwrap().asks_for(asked);
    }
    feed(&mut sorter, &consume_ok(1), 1000).unwrap();
    let refused = (1..=1000).find_map(|tag| {
        let message = [deliver(1, "tag", tag), header(1, 50_000), body(1, &[b'x'; 50_000])];
        feed(&mut sorter, &message.concat(), 100_000).err()
    });
    assert!(matches!(refused, Some(Unreadable::Excess(Excess::Large { .. }))), "{refused:?}");
}
