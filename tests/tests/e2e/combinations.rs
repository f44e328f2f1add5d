//! Options that can be combined do what their pages say about the combination.

use rmq_tests::brokers;
use rmq_tests::combinations::receiving::Receiving;
use rmq_tests::combinations::run;
use rmq_tests::combinations::sending::Sending;
use rmq_tests::scale::{scale, seeded};
use rmq_tests::vhost::Vhost;

/// For the short form, which is the same each time; the full form varies.
const SEED: u64 = 19;

#[test]
fn a_random_command_line_of_rmq_send_ends_as_its_page_says() {
    let vhost = Vhost::new(brokers::one());
    let mut random = seeded("combinations of rmq-send", SEED);
    let check = |case: Sending, number| case.check(&vhost, number);
    run(scale().combinations, &mut random, Sending::draw, check);
}

#[test]
fn a_random_command_line_of_rmq_recv_ends_as_its_page_says() {
    let vhost = Vhost::new(brokers::one());
    let mut random = seeded("combinations of rmq-recv", SEED);
    let check = |case: Receiving, number| case.check(&vhost, number);
    run(scale().combinations, &mut random, Receiving::draw, check);
}
