//! A consumer that its queue has forgotten, which a client can see only from being given nothing.

use rmq_tests::hostile::{
    ACK, CONSUME, Hostile, OPEN, Peer, QUEUE_DECLARE, QUEUE_DECLARE_OK, delivery, method,
};
use rmq_tests::tool::Tool;
use std::io;

/// Has a message, which no consumer on the first channel is given.
fn forgetful(peer: &mut Peer) -> io::Result<()> {
    // It sends no heartbeats.
    peer.tuning.heartbeat = 60;
    let opening = peer.until(OPEN)?;
    peer.answer(opening)?;
    let (mut ready, mut deaf, mut is_given) = (1_u32, None, false);
    loop {
        let asked = peer.next_method()?;
        if asked.method == QUEUE_DECLARE {
            let consumers = u32::from(deaf.is_some());
            let counts = [ready.to_be_bytes(), consumers.to_be_bytes()].concat();
            peer.send(&method(asked.channel, QUEUE_DECLARE_OK, &[b"\x01q", &counts]))?;
            continue;
        }
        peer.answer(asked)?;
        match asked.method {
            ACK => ready = 0,
            CONSUME if *deaf.get_or_insert(asked.channel) != asked.channel && !is_given => {
                is_given = true;
                peer.send(&delivery(asked.channel, "tag", 1, &[0, 0], b"kept"))?;
            }
            _ => {}
        }
    }
}

#[test]
fn a_receiver_that_is_given_none_of_what_waits_tries_another_channel() {
    let broker = Hostile::new(forgetful);
    let url = format!("amqp://{}/", broker.address);
    let both = [&["--drain"][..], &["-n", "1"]].map(|words| {
        let receiving = Tool::new("rmq-recv").arguments(words).arguments(&["-v", "q"]);
        receiving.environment("AMQP_URL", &url).start()
    });
    for receiving in both {
        let ended = receiving.wait().expect(0);
        assert_eq!(ended.stdout, b"kept\n", "{}", ended.stderr);
        ended.says("consuming again on another channel");
    }
}
