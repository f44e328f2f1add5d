//! Options that may go together do what their pages say together.

use rmq_tests::brokers;
use rmq_tests::combinations::receiving::Receiving;
use rmq_tests::combinations::run;
use rmq_tests::combinations::sending::Sending;
use rmq_tests::scale::{random, scale};
use rmq_tests::vhost::Vhost;

#[test]
fn a_random_command_line_of_rmq_send_ends_as_its_page_says() {
    let vhost = Vhost::new(brokers::one());
    let mut random = random("combinations of rmq-send");
    let check = |case: Sending, number| case.check(&vhost, number);
    run(scale().combinations, &mut random, Sending::draw, check);
}

#[test]
fn a_random_command_line_of_rmq_recv_ends_as_its_page_says() {
    let vhost = Vhost::new(brokers::one());
    let mut random = random("combinations of rmq-recv");
    let check = |case: Receiving, number| case.check(&vhost, number);
    run(scale().combinations, &mut random, Receiving::draw, check);
}
