//! A consumer that its queue has forgotten, which a client can only infer from receiving nothing.

use rmq_tests::hostile::{
    ACK, CONSUME, CONSUME_OK, Hostile, OPEN, Peer, QUEUE_DECLARE, QUEUE_DECLARE_OK, delivery,
    method,
};
use rmq_tests::tool::Tool;
use std::io;

/// Has a message, which no consumer on the first channel receives.
fn forgetful(peer: &mut Peer) -> io::Result<()> {
    // It sends no heartbeats.
    peer.tuning.heartbeat = 60;
    let opening = peer.until(OPEN)?;
    peer.answer(opening)?;
    let (mut ready, mut deaf, mut is_given, mut consumers) = (1_u32, None, false, 0_u8);
    loop {
        let asked = peer.next_method()?;
        match asked.method {
            QUEUE_DECLARE => {
                let counts = [ready.to_be_bytes(), u32::from(consumers > 0).to_be_bytes()].concat();
                peer.send(&method(asked.channel, QUEUE_DECLARE_OK, &[b"\x01q", &counts]))?;
            }
            CONSUME => {
                consumers += 1;
                let tag = consumers.to_string();
                let length = [tag.len() as u8];
                peer.send(&method(asked.channel, CONSUME_OK, &[&length, tag.as_bytes()]))?;
                if *deaf.get_or_insert(asked.channel) != asked.channel && !is_given {
                    is_given = true;
                    peer.send(&delivery(asked.channel, &tag, 1, &[0, 0], b"kept"))?;
                }
            }
            ACK => ready = 0,
            _ => peer.answer(asked)?,
        }
    }
}

#[test]
fn a_receiver_that_is_given_none_of_what_waits_tries_another_channel() {
    let broker = Hostile::new(forgetful);
    let url = format!("amqp://{}/?heartbeat=60", broker.address);
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
