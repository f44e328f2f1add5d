//! What goes wrong at a stage of the connection.

use super::*;

type Misdeed = fn(&mut Peer, &[u8]) -> io::Result<()>;

/// What a broker may do instead of the correct answer, and how that ends if work is left.
const MISDEEDS: &[(&str, &[i32], Misdeed)] = &[
    ("says nothing", LOST, |peer, _| peer.fall_silent()),
    ("hangs up", LOST, |_, _| Ok(())),
    ("hangs up in the middle of a frame", LOST, |peer, right| peer.send(&right[..right.len() / 2])),
    ("answers on a channel that nobody opened", LOST, |peer, _| {
        peer.send(&method(99, QUEUE_DECLARE_OK, &[b"\x01q", &[0; 8]]))?;
        peer.fall_silent()
    }),
    ("answers what was answered", &[69, 70, 75], |peer, _| {
        peer.send(&method(0, OPEN_OK, &[&[0]]))?;
        peer.fall_silent()
    }),
    ("sends a method cut in half in a whole frame", BROKEN, |peer, right| {
        peer.send(&frame(1, 0, &right[7..right.len() / 2 + 3]))?;
        peer.fall_silent()
    }),
    ("ends a frame with the wrong byte", BROKEN, |peer, right| {
        peer.send(&[&right[..right.len() - 1], &[0]].concat())?;
        peer.fall_silent()
    }),
    ("speaks another protocol", BROKEN, |peer, _| {
        peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")?;
        peer.fall_silent()
    }),
    ("sends noise", BROKEN, |peer, _| {
        let mut random = fastrand::Rng::with_seed(8);
        let noise: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(1 << 20).collect();
        peer.send(&noise)?;
        peer.fall_silent()
    }),
    ("sends a frame without an end", BROKEN, |peer, _| {
        peer.send(&[1, 0, 0, 0xff, 0xff, 0xff, 0xff])?;
        loop {
            peer.send(&[0; 1 << 16])?;
        }
    }),
    ("sends a short string that is not UTF-8", BROKEN, |peer, _| {
        peer.send(&method(0, CLOSE, &[&[1, 64, 2, 0xff, 0xfe], &[0; 4]]))?;
        peer.fall_silent()
    }),
];

#[test]
fn a_broker_that_goes_wrong_at_any_stage_is_told_of_and_never_waited_for_without_end() {
    let mut cases = Vec::new();
    for tool in TOOLS {
        let more: &[Method] = match tool {
            "rmq-declare" => &[QUEUE_DECLARE, CHANNEL_CLOSE, CLOSE],
            "rmq-send" => &[QUEUE_DECLARE, CONFIRM_SELECT, PUBLISH, CLOSE],
            _ => &[QOS, CONSUME],
        };
        let stages = [START_OK, OPEN, CHANNEL_OPEN].iter().chain(more).copied().map(Some);
        for stage in [None].into_iter().chain(stages) {
            for &(what, otherwise, misdeed) in MISDEEDS {
                let allowed = match stage {
                    Some(CLOSE | CHANNEL_CLOSE) => DONE,
                    // The next connection need not check again.
                    Some(QUEUE_DECLARE) if tool == "rmq-send" && otherwise == LOST => DONE,
                    _ => otherwise,
                };
                let script = move |peer: &mut Peer| {
                    let Some(stage) = stage else {
                        peer.header()?;
                        return misdeed(peer, &rmq_tests::hostile::start(b""));
                    };
                    let asked = peer.until(stage)?;
                    let right = peer.right_answer(asked).unwrap();
                    misdeed(peer, &right)
                };
                let what = format!("{what} in place of an answer to {stage:?}");
                cases.push(Case::new(tool, &what, allowed, script));
            }
        }
    }
    // Those of rmq-send first, because they take longest: it waits for confirms.
    cases.sort_by_key(|case| case.tool != "rmq-send");
    run(cases);
}

#[test]
fn a_broker_that_closes_with_any_code_is_told_with_the_exit_status_of_that_code() {
    let codes = [0, 200, 311, 312, 313, 320, 402, 403, 404, 405, 406, 501, 502, 503, 504, 505];
    let mut cases = Vec::new();
    for code in codes.into_iter().chain([506, 530, 540, 541, 65535]) {
        let allowed: &[i32] = match code {
            403 => &[77],
            311 | 312 | 404 | 406 | 530 | 540 => &[65],
            313 | 402 | 501..=505 => BROKEN,
            // 405 among them: the client that has locked the queue may go away.
            _ => LOST,
        };
        for tool in TOOLS {
            let last = match tool {
                "rmq-declare" => QUEUE_DECLARE,
                "rmq-send" => PUBLISH,
                _ => CONSUME,
            };
            for (stage, is_channel) in [(OPEN, false), (last, false), (last, true)] {
                let what = format!("closes with {code} at {stage:?}, the channel: {is_channel}");
                cases.push(Case::new(tool, &what, allowed, move |peer| {
                    let mut asked = peer.until(stage)?;
                    loop {
                        if asked.method == stage {
                            let channel = if is_channel { asked.channel } else { 0 };
                            peer.send(&close(channel, code, "SOME_THING - the reason"))?;
                            // What was on its way is discarded.
                            while is_channel && peer.next_method()?.method != CHANNEL_CLOSE_OK {}
                        } else {
                            peer.answer(asked)?;
                        }
                        asked = peer.next_method()?;
                    }
                }));
            }
        }
    }
    cases.sort_by_key(|case| case.tool != "rmq-send" || case.allowed != LOST);
    run(cases);
}
