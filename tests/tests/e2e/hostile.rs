//! A broker that keeps to no rule: whatever it does, and whenever, each tool ends in time, without a
//! panic, with lines of its own and an exit status that the manual gives for it.

use rmq_tests::hostile::*;
use rmq_tests::tool::{Ended, Tool};
use rustix::process::Signal;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const TOOLS: [&str; 3] = ["rmq-declare", "rmq-send", "rmq-recv"];

/// The broker could not be reached, or it was lost with something still to be done.
const LOST: &[i32] = &[69, 75];
/// The broker broke protocol.
const BROKEN: &[i32] = &[70];
/// The broker's message is not taken.
const REFUSED: &[i32] = &[65];
/// Everything was done already.
const DONE: &[i32] = &[0];

type Script = Box<dyn Fn(&mut Peer) -> io::Result<()> + Send + Sync>;

/// What a broker does to a tool, and how that may end.
struct Case {
    tool: &'static str,
    what: String,
    words: &'static [&'static str],
    script: Script,
    allowed: &'static [i32],
}

impl Case {
    fn new(
        tool: &'static str,
        what: &str,
        allowed: &'static [i32],
        script: impl Fn(&mut Peer) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Case { tool, what: what.to_owned(), words: &[], script: Box::new(script), allowed }
    }

    fn run(self) -> Result<Ended, String> {
        let Case { tool, what, words, script, allowed } = self;
        let ended = start(tool, words, &Hostile::new(script)).run();
        let code = ended.status.code();
        let lines = || ended.stderr.lines();
        let ours = |line: &str| line.strip_prefix(tool).is_some_and(|line| line.starts_with(": "));
        let is_well = code.is_some_and(|code| allowed.contains(&code))
            && (code == Some(0) || lines().count() > 0)
            && lines().all(ours)
            && !ended.stderr.contains("panicked");
        let Ended { status, stderr, .. } = &ended;
        is_well.then_some(()).ok_or_else(|| {
            format!("{tool}, the broker {what}: {status}, allowed {allowed:?}: {stderr}")
        })?;
        Ok(ended)
    }
}

fn start(tool: &str, words: &[&str], hostile: &Hostile) -> Tool {
    let options = ["--retry", "0", "--url", &hostile.url(), "q"];
    let tool_of_it = Tool::new(tool).arguments(words).arguments(&options);
    if tool == "rmq-send" { tool_of_it.input(*b"one\ntwo\n") } else { tool_of_it }
}

/// Runs them many at a time, since most of them mostly wait.
#[track_caller]
fn run(cases: Vec<Case>) {
    let (cases, failed) = (Mutex::new(cases.into_iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(|| {
                loop {
                    let Some(case) = cases.lock().unwrap().next() else { return };
                    // Before the lock, which would have them wait for one another.
                    let failure = case.run().err();
                    failed.lock().unwrap().extend(failure);
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

type Misdeed = fn(&mut Peer, &[u8]) -> io::Result<()>;

/// What a broker may do in place of the right answer, and how that ends where not all is done yet.
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
                    // The next connection need not look again.
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
    // Those of rmq-send take longest: it waits for confirms.
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
            // 405 among them: whoever has locked the queue may go.
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
                            // What was on its way is for nobody.
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

/// The method of a delivery, without what has to follow.
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

/// A tool that may hold 150 MB, run with these words against a broker that plays this script.
fn limited(
    tool: &str,
    words: &[&str],
    script: impl Fn(&mut Peer) -> io::Result<()> + Send + Sync + 'static,
) -> Ended {
    let hostile = Hostile::new(move |peer| {
        // It takes as long as it takes.
        peer.tuning.heartbeat = 60;
        script(peer)
    });
    let binary = rmq_tests::tool::binary(tool);
    let limits = ["--as=2000000000", "--data=150000000", "--", binary.to_str().unwrap()];
    let url = format!("amqp://{}/?heartbeat=60", hostile.address);
    let connecting = ["--retry", "0", "--url", &url];
    let limited = Tool::program("prlimit").arguments(&limits).arguments(&connecting);
    let limited = limited.arguments(words);
    if tool == "rmq-send" { limited.input(*b"one\ntwo\n").run() } else { limited.run() }
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

#[test]
fn a_flood_of_returned_messages_is_a_broken_protocol_and_takes_no_memory() {
    for body in [&[b'x'; 100_000][..], b""] {
        limited("rmq-send", &["q"], move |peer| {
            let asked = peer.until(PUBLISH)?;
            let returned = method(asked.channel, RETURN, &[&[1, 56], b"\x08NO_ROUTE", b"\0\x01q"]);
            let mut message = [returned, content(asked.channel, &[0, 0], body)].concat();
            if body.is_empty() {
                // Nothing has no frame.
                message.truncate(message.len() - frame(3, 1, b"").len());
            }
            let many = message.repeat((100_000 / message.len()).max(1));
            while peer.send(&many).is_ok() {}
            Ok(())
        })
        .expect(70)
        .says("returned");
    }
}

#[test]
fn what_a_broker_says_again_and_again_is_a_broken_protocol_and_not_kept() {
    let floods = [
        ("blocked", method(0, BLOCKED, &[b"\x0dlow on memory"])),
        ("announcements", method(1, DELIVER, &[b"\x03tag", &[0; 8], &[0, 0], b"\x01q"])),
    ];
    std::thread::scope(|scope| {
        for tool in TOOLS {
            for (what, frame) in &floods {
                scope.spawn(move || {
                    let frame = frame.clone();
                    let ended = limited(tool, &["q"], move |peer| {
                        peer.until(if tool == "rmq-recv" { CONSUME } else { QUEUE_DECLARE })?;
                        let many = frame.repeat(100_000 / frame.len());
                        for _ in 0..50 {
                            peer.send(&many)?;
                        }
                        peer.send(&close(0, 404, "NOT_FOUND - enough"))?;
                        peer.fall_silent()
                    });
                    let (code, said) = (ended.status.code(), ended.stderr);
                    assert_eq!(code, Some(70), "{tool}, {what}: {said}");
                });
            }
        }
    });
}

#[test]
fn confirms_of_what_was_never_published_end_rmq_send_and_confirm_nothing() {
    let confirms = |what: &str, kind: Method, tag: u64| {
        let what = format!("{what} {tag}");
        Case::new("rmq-send", &what, BROKEN, move |peer| {
            let asked = peer.until(PUBLISH)?;
            peer.send(&method(asked.channel, kind, &[&tag.to_be_bytes(), &[0]]))?;
            peer.only_beat()
        })
    };
    let mut cases = Vec::new();
    for tag in [3, 99, u64::MAX] {
        cases.push(confirms("confirms", ACK, tag));
        cases.push(confirms("refuses", NACK, tag));
    }
    cases.push(Case::new("rmq-send", "confirms twice", BROKEN, |peer| {
        let asked = peer.until(PUBLISH)?;
        peer.answer(asked)?;
        peer.answer(asked)?;
        peer.only_beat()
    }));
    run(cases);
}

#[test]
fn a_broker_that_refuses_and_blocks_takes_no_more_of_rmq_sends_time_than_one_that_is_silent() {
    let hostile = Hostile::new(|peer| {
        let asked = peer.until(PUBLISH)?;
        peer.send(&method(asked.channel, NACK, &[&1u64.to_be_bytes(), &[0]]))?;
        peer.send(&method(0, BLOCKED, &[b"\x0dlow on memory"]))?;
        peer.only_beat()
    });
    let mut sending = start("rmq-send", &[], &hostile).open_input().start();
    sending.write(b"one\n");
    let ended = sending.wait().expect(75).says("q nacks: it is full, its max-length-bytes is smaller than the message, or it has no leader");
    // The question for another channel is never even written; it has 40 s elsewhere.
    assert!(ended.took < Duration::from_secs(15), "{:?}", ended.took);
}

#[test]
fn whatever_limits_a_broker_proposes_the_work_is_done() {
    let mut cases = Vec::new();
    let all = [(0, 0, 0), (1, 1, 65535), (1, 8, 1), (2, 4096, 1), (65535, u32::MAX, 1)];
    for (channel_max, frame_max, heartbeat) in all {
        let tuning = Tuning { channel_max, frame_max, heartbeat };
        for tool in TOOLS {
            let mut case = Case::new(tool, &format!("proposes {tuning:?}"), DONE, move |peer| {
                peer.tuning = tuning;
                let asked = peer.until(if tool == "rmq-recv" { CONSUME } else { CLOSE })?;
                peer.answer(asked)?;
                if asked.method == CONSUME {
                    peer.send(&delivery(asked.channel, "tag", 1, &[0, 0], b"hello"))?;
                }
                peer.behave()
            });
            case.words = if tool == "rmq-recv" { &["-n", "1"] } else { &[] };
            cases.push(case);
        }
    }
    run(cases);
}

/// A signal comes while nobody answers what this tool, run with these words, has asked.
fn unanswered(tool: &str, words: &[&str], method: Method) {
    let hostile = Hostile::new(move |peer| {
        peer.until(method)?;
        peer.only_beat()
    });
    let url = hostile.url();
    let tool_of_it = Tool::new(tool).arguments(words).arguments(&["--url", &url, "q"]);
    let mut running = tool_of_it.open_input().start();
    running.feed(b"one\n");
    rmq_tests::wait::wait_until(Duration::from_secs(20), "a question", || {
        hostile.asked(method) > 0
    });
    running.signal(Signal::TERM);
    let ended = running.wait();
    let (status, took) = (ended.status, ended.took);
    assert!(!status.success() && !ended.stderr.contains("panicked"), "{}", ended.stderr);
    // Less than the broker is given to answer.
    assert!(took < Duration::from_secs(30), "{tool} at {method:?}: {took:?}: {}", ended.stderr);
}

#[test]
fn a_signal_ends_a_tool_whose_question_nobody_answers() {
    std::thread::scope(|scope| {
        for tool in TOOLS {
            let last = match tool {
                "rmq-declare" => vec![QUEUE_DECLARE],
                "rmq-send" => vec![CONFIRM_SELECT, PUBLISH],
                _ => vec![QOS, CONSUME],
            };
            for method in [START_OK, OPEN, CHANNEL_OPEN].into_iter().chain(last) {
                scope.spawn(move || unanswered(tool, &[], method));
            }
        }
        scope.spawn(|| unanswered("rmq-recv", &["--peek", "1"], CHANNEL_OPEN));
    });
}

/// A whole machine may stand still, and then everything comes at once: what is published after the
/// end of a connection is not told why it ended.
#[test]
fn a_broken_protocol_is_told_by_a_tool_that_stood_still_meanwhile() {
    let stand_still = || {
        let hostile = Hostile::new(|peer| {
            // Standing still must not be what ends the connection.
            peer.tuning.heartbeat = 60;
            peer.until(QUEUE_DECLARE)?;
            std::thread::sleep(Duration::from_millis(500));
            peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")?;
            peer.fall_silent()
        });
        let url = format!("amqp://{}?heartbeat=60", hostile.address);
        let words = ["--retry", "0", "--url", &url, "q"];
        let running = Tool::new("rmq-send").arguments(&words).input(*b"one\ntwo\n").start();
        rmq_tests::wait::wait_until(Duration::from_secs(20), "a look at the queue", || {
            hostile.asked(QUEUE_DECLARE) > 0
        });
        running.signal(Signal::STOP);
        // Longer than rmq-send waits for an answer before it publishes.
        std::thread::sleep(Duration::from_millis(2500));
        running.signal(Signal::CONT);
        let ended = running.wait();
        assert_eq!(ended.status.code(), Some(70), "{}", ended.stderr);
    };
    std::thread::scope(|scope| {
        for _ in 0..30 {
            scope.spawn(stand_still);
        }
    });
}

#[test]
fn a_confirm_of_many_that_were_never_published_is_a_broken_protocol() {
    for (tag, multiple) in [(1000u64, 1), (3, 1), (u64::MAX, 1), (1000, 0)] {
        let hostile = Hostile::new(move |peer| {
            let asked = peer.until(PUBLISH)?;
            peer.send(&method(asked.channel, ACK, &[&tag.to_be_bytes(), &[multiple]]))?;
            peer.fall_silent()
        });
        let ended = start("rmq-send", &[], &hostile).run().expect(70);
        let ended = ended.says("the broker confirmed what was not published");
        assert!(!ended.stderr.contains("; confirmed 1-"), "{}", ended.stderr);
    }
}

#[test]
fn a_message_returned_after_its_confirm_is_a_broken_protocol() {
    let hostile = Hostile::new(|peer| {
        let asked = peer.until(PUBLISH)?;
        let returned = method(asked.channel, RETURN, &[&[1, 56], b"\x08NO_ROUTE\0\x05other"]);
        peer.send(&[returned, content(asked.channel, &[0, 0], b"other")].concat())?;
        peer.answer(asked)?;
        peer.behave()
    });
    let ended = start("rmq-send", &[], &hostile).run().expect(70);
    ended.says("a message counted as confirmed was returned: NO_ROUTE");
}

#[test]
fn a_broker_that_allows_one_channel_is_enough_to_send() {
    let hostile = Hostile::new(|peer| {
        peer.tuning.channel_max = 1;
        let asked = peer.until(PUBLISH)?;
        // Sent again on a new channel, which has to wait for the end of the old one.
        peer.send(&method(asked.channel, NACK, &[&1u64.to_be_bytes(), &[0]]))?;
        peer.behave()
    });
    let words = ["--retry", "10s", "--url", &hostile.url()];
    let send = || Tool::new("rmq-send").arguments(&words);
    let sent = send().arguments(&["q"]).input("one\n").run().expect(0);
    assert!(!sent.stderr.contains("lost the connection"), "{}", sent.stderr);
    let records = "{\"exchange\":\"a\",\"body\":\"1\"}\n{\"exchange\":\"b\",\"body\":\"2\"}\n";
    send().arguments(&["--routed", "--format", "json"]).input(records).run().expect(0);
}
