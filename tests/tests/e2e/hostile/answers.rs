//! Confirms and returns of messages that were never published, or too many of them.

use super::*;

#[test]
fn a_flood_of_returned_messages_is_a_broken_protocol_and_takes_no_memory() {
    for body in [&[b'x'; 100_000][..], b""] {
        limited("rmq-send", &["q"], move |peer| {
            let asked = peer.until(PUBLISH)?;
            let returned = method(asked.channel, RETURN, &[&[1, 56], b"\x08NO_ROUTE", b"\0\x01q"]);
            let mut message = [returned, content(asked.channel, &[0, 0], body)].concat();
            if body.is_empty() {
                // An empty body has no frame.
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
fn a_confirm_of_many_that_were_never_published_is_a_broken_protocol() {
    for (tag, multiple) in [(1000u64, 1), (3, 1), (u64::MAX, 1), (1000, 0)] {
        let hostile = Hostile::new(move |peer| {
            let asked = peer.until(PUBLISH)?;
            peer.send(&method(asked.channel, ACK, &[&tag.to_be_bytes(), &[multiple]]))?;
            peer.fall_silent()
        });
        let ended = start("rmq-send", &[], &hostile).run().expect(70);
        let ended = ended.says("the broker confirmed something that was not published");
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
