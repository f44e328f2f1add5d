//! Deliveries that are malformed, were not requested, or are too large.

use super::*;

/// To rmq-recv, once it consumes.
fn receiving(
    what: &str,
    allowed: &'static [i32],
    script: impl Fn(&mut Peer, u16) -> io::Result<()> + Send + Sync + 'static,
) -> Case {
    Case::new("rmq-recv", what, allowed, move |peer| {
        let asked = peer.until(CONSUME)?;
        peer.answer(asked)?;
        script(peer, asked.channel)?;
        peer.fall_silent()
    })
}

/// The method of a delivery, without what must follow it.
fn deliver(channel: u16) -> Vec<u8> {
    let whole = delivery(channel, "tag", 1, &[0, 0], b"");
    let size = u32::from_be_bytes(whole[3..7].try_into().unwrap()) as usize;
    whole[..size + 8].to_vec()
}

/// The header of a content of this size.
fn header_of(channel: u16, size: u64) -> Vec<u8> {
    frame(2, channel, &[&[0, 60, 0, 0], &size.to_be_bytes()[..], &[0, 0]].concat())
}

#[test]
fn deliveries_that_are_none_end_rmq_recv_or_are_passed_over() {
    let mut cases = vec![
        receiving("delivers to nobody", LOST, |peer, channel| {
            peer.send(&delivery(channel, "other", 1, &[0, 0], b"hello"))
        }),
        receiving("delivers the same twice", LOST, |peer, channel| {
            peer.send(&delivery(channel, "tag", 1, &[0, 0], b"hello").repeat(2))
        }),
        receiving("counts down", LOST, |peer, channel| {
            let tags = [5, 4, 3, 0, u64::MAX].into_iter();
            let all: Vec<u8> =
                tags.flat_map(|tag| delivery(channel, "tag", tag, &[0, 0], b"x")).collect();
            peer.send(&all)
        }),
        receiving("begins to consume twice", LOST, |peer, channel| {
            peer.send(&method(channel, CONSUME_OK, &[b"\x03tag"]))
        }),
        receiving("cancels a hundred times", LOST, |peer, channel| {
            peer.send(&method(channel, CANCEL, &[b"\x03tag", &[1]]).repeat(100))
        }),
        receiving("announces more than there is memory", REFUSED, |peer, channel| {
            peer.send(&[deliver(channel), header_of(channel, u64::MAX)].concat())
        }),
        receiving("delivers in the middle of a delivery", BROKEN, |peer, channel| {
            peer.send(&deliver(channel).repeat(2))
        }),
        receiving("sends more than it announced", BROKEN, |peer, channel| {
            peer.send(
                &[deliver(channel), header_of(channel, 2), frame(3, channel, b"xxx")].concat(),
            )
        }),
        receiving("sends a body of nothing", BROKEN, |peer, channel| {
            peer.send(&frame(3, channel, b"xxx"))
        }),
        receiving("sends a content of nothing", BROKEN, |peer, channel| {
            peer.send(&content(channel, &[0, 0], b"x"))
        }),
        receiving("delivers on channel 0", BROKEN, |peer, _| {
            peer.send(&delivery(0, "tag", 1, &[0, 0], b"x"))
        }),
        receiving("has headers longer than their frame", BROKEN, |peer, channel| {
            let headers = [0x20, 0, 0xff, 0xff, 0xff, 0xff, 1, b'a', b'F'];
            peer.send(&delivery(channel, "tag", 1, &headers, b"x"))
        }),
        receiving("has a routing key that is not UTF-8", LOST, |peer, channel| {
            let key = [b"\x03tag", &[0; 10][..], b"\x01\xff"].concat();
            peer.send(&method(channel, DELIVER, &[&key]))
        }),
        Case::new("rmq-recv", "delivers before it agreed to", LOST, |peer| {
            let asked = peer.until(CONSUME)?;
            peer.send(&delivery(asked.channel, "tag", 1, &[0, 0], b"early"))?;
            peer.answer(asked)?;
            peer.fall_silent()
        }),
    ];
    let half = delivery(1, "tag", 1, &[0, 0], b"hello");
    for length in (1..half.len()).step_by(3) {
        let half = half[..length].to_vec();
        cases.push(Case::new("rmq-recv", "hangs up within a delivery", LOST, move |peer| {
            let asked = peer.until(CONSUME)?;
            peer.answer(asked)?;
            peer.send(&half)
        }));
    }
    for tool in TOOLS {
        cases.push(Case::new(tool, "has a table longer than its frame", BROKEN, |peer| {
            peer.header()?;
            peer.send(&method(0, (10, 10), &[&[0, 9, 0xff, 0xff, 0xff, 0xff], b"\x01aF"]))?;
            peer.fall_silent()
        }));
        cases.push(Case::new(tool, "nests tables in its greeting", BROKEN, |peer| {
            let mut table = Vec::new();
            for _ in 0..9000 {
                let size = u32::try_from(table.len()).unwrap().to_be_bytes();
                table = [b"\x01kF", &size[..], &table].concat();
            }
            peer.header()?;
            peer.send(&rmq_tests::hostile::start(&table))?;
            peer.fall_silent()
        }));
    }
    run(cases);
}

/// RabbitMQ 3.10 does so under a partition.
#[test]
fn a_consume_ok_that_nobody_asked_for_ends_rmq_recv_only_when_it_comes_again_and_again() {
    for (misdeeds, expected) in [(1, 0), (2, 0), (usize::MAX, 70)] {
        let hostile = Hostile::new({
            let count = AtomicUsize::new(0);
            move |peer| {
                let asked = peer.until(CONSUME)?;
                peer.answer(asked)?;
                if count.fetch_add(1, Ordering::Relaxed) < misdeeds {
                    peer.answer(asked)?;
                    return peer.fall_silent();
                }
                peer.send(&delivery(asked.channel, "tag", 1, &[0, 0], b"hello"))?;
                peer.behave()
            }
        });
        let words = ["-n", "1", "--url", &hostile.url(), "q"];
        let ended = Tool::new("rmq-recv").arguments(&words).run();
        assert_eq!(ended.status.code(), Some(expected), "{misdeeds}: {}", ended.stderr);
        let came: &[u8] = if expected == 0 { b"hello\n" } else { b"" };
        assert_eq!(ended.stdout, came);
        assert_eq!(hostile.asked(CONSUME), misdeeds.saturating_add(1).min(3));
    }
}

/// 32 MB may wait.
const SMALL: [&str; 4] = ["--max-size", "16M", "--prefetch-bytes", "16M"];

#[test]
fn deliveries_that_were_not_asked_for_are_bounded_and_a_broken_protocol() {
    for tag in ["tag", "other"] {
        let ended =
            limited("rmq-recv", &[&SMALL[..], &["q", "--", "sleep", "1"]].concat(), move |peer| {
                let asked = peer.until(CONSUME)?;
                peer.answer(asked)?;
                for number in 1..3000 {
                    peer.send(&delivery(asked.channel, tag, number, &[0, 0], &[b'x'; 100_000]))?;
                }
                peer.fall_silent()
            });
        ended.expect(70).says("the broker sent more than was asked for");
    }
}

#[test]
fn a_message_that_is_too_large_is_refused_from_its_header() {
    for (size, words) in [(1u64 << 62, &[][..]), (2_000_000, &["--max-size", "1M"])] {
        for peeks in [false, true] {
            let words = [words, if peeks { &["--peek", "1"] } else { &[] }, &["q"]].concat();
            let ended = limited("rmq-recv", &words, move |peer| {
                let asked = peer.until(if peeks { GET } else { CONSUME })?;
                let number = 1u64.to_be_bytes();
                if peeks {
                    let rest = [0; 7];
                    peer.send(&method(asked.channel, GET_OK, &[&number, &rest]))?;
                } else {
                    peer.answer(asked)?;
                    let rest = [&number[..], &[0, 0], b"\x01q"].concat();
                    peer.send(&method(asked.channel, DELIVER, &[b"\x03tag", &rest]))?;
                }
                let header = [&[0, 60, 0, 0], &size.to_be_bytes()[..], &[0, 0]].concat();
                peer.send(&frame(2, asked.channel, &header))?;
                while peer.send(&frame(3, asked.channel, &[b'x'; 100_000])).is_ok() {}
                Ok(())
            });
            ended.expect(65).says(&format!("a message of {size} bytes is larger than --max-size"));
        }
    }
}
