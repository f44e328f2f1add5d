//! Notices about a queue that now exists as described.

use crate::queue::misspelt;
use crate::queue::queue_arguments::{
    self, CLUSTER_SIZE, DEAD_LETTER_EXCHANGE, DEAD_LETTER_STRATEGY, DELIVERY_LIMIT, GROUP_SIZE,
};
use crate::queue::queue_type::QueueType;
use crate::queue::shape::{Shape, limits_deliveries};
use lapin::types::AMQPValue;
use rmq_common::server::Server;

/// The notices for a queue like `shape` on a broker like `server`; `with_dlq` is whether that
/// option was given.
pub fn of(shape: &Shape, with_dlq: bool, server: Option<&Server>) -> Vec<String> {
    let single =
        [of_even_group(shape), of_dropping(shape, server), of_dead_letters(shape, with_dlq)];
    let of_names = misspelt::of_queue(&shape.arguments);
    let of_release = queue_arguments::ignored_by(server, &shape.arguments);
    single.into_iter().flatten().chain(of_names).chain(of_release).collect()
}

/// An even group needs one more member and survives no more losses.
fn of_even_group(shape: &Shape) -> Option<String> {
    let size = shape.get(GROUP_SIZE).or_else(|| shape.get(CLUSTER_SIZE));
    let Some(AMQPValue::LongLongInt(size)) = size else {
        return None;
    };
    let size = *size;
    (size > 0 && size % 2 == 0).then(|| {
        let survives = match (size - 1) / 2 {
            0 => "no loss of a node".to_owned(),
            1 => "the loss of 1 node".to_owned(),
            nodes => format!("the loss of {nodes} nodes"),
        };
        let (less, more) = (size - 1, size + 1);
        format!(
            "--group-size {size} survives {survives}, as {less} does; use {less} or {more} \
             (rabbitmq.com/docs/quorum-queues#quorum-requirements)"
        )
    })
}

/// Messages that come back too often are dropped if there is no dead-letter exchange.
fn of_dropping(shape: &Shape, server: Option<&Server>) -> Option<String> {
    let limit = match shape.get(DELIVERY_LIMIT) {
        Some(AMQPValue::LongLongInt(limit)) if *limit < 0 => return None,
        Some(AMQPValue::LongLongInt(limit)) => format!("more than {limit} times"),
        _ if !limits_deliveries(server) => return None,
        _ => "too often (more than 20 times by default)".to_owned(),
    };
    if shape.queue_type != QueueType::Quorum || shape.has(DEAD_LETTER_EXCHANGE) {
        return None;
    }
    Some(format!(
        "without a dead-letter exchange a message that comes back {limit} is dropped; give \
         --with-dlq, --dead-letter-exchange, or --delivery-limit unlimited \
         (rabbitmq.com/docs/quorum-queues#poison-message-handling)"
    ))
}

/// At-most-once, although at-least-once was possible.
fn of_dead_letters(shape: &Shape, with_dlq: bool) -> Option<String> {
    let could = with_dlq && shape.queue_type == QueueType::Quorum;
    (could && !shape.has(DEAD_LETTER_STRATEGY)).then(|| {
        "--with-dlq: dead letters go at most once, because the queue drops its oldest messages \
         when it is full; --overflow reject-publish makes it at least once \
         (rabbitmq.com/docs/quorum-queues#dead-lettering)"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Arguments;
    use argh::FromArgs;

    fn shape(words: &str) -> Shape {
        let words: Vec<&str> = words.split(' ').filter(|word| !word.is_empty()).collect();
        Shape::from_options(&Arguments::from_args(&["rmq-declare"], &words).unwrap()).unwrap()
    }

    fn rabbitmq(version: &str) -> Server {
        Server { product: "RabbitMQ".to_owned(), version: version.to_owned(), ..Server::default() }
    }

    #[test]
    fn an_even_group_is_warned_of() {
        let message = of_even_group(&shape("--group-size 4")).unwrap();
        let wanted = "--group-size 4 survives the loss of 1 node, as 3 does; use 3 or 5";
        assert!(message.starts_with(wanted), "{message}");
        let none = of_even_group(&shape("--type stream --group-size 2")).unwrap();
        assert!(none.contains("no loss of a node"), "{none}");
        assert_eq!(of_even_group(&shape("--group-size 5")), None);
        assert_eq!(of_even_group(&shape("")), None);
    }

    #[test]
    fn messages_that_will_be_dropped_are_warned_of_where_there_is_a_limit() {
        let (old, new) = (rabbitmq("3.13.7"), rabbitmq("4.0.5"));
        let warns =
            |words: &str, server: &Server| of_dropping(&shape(words), Some(server)).is_some();
        assert!(warns("", &new));
        assert!(!warns("", &old));
        assert!(warns("--delivery-limit 5", &old));
        for words in [
            "--dead-letter-exchange x",
            "--delivery-limit unlimited",
            "--type classic",
            "--type stream",
            "--delivery-limit 5 --dead-letter-exchange x",
        ] {
            assert!(!warns(words, &new), "{words}");
        }
        assert_eq!(of_dropping(&shape(""), None), None);
    }

    #[test]
    fn dead_letters_that_may_be_lost_are_reported() {
        let wired = |words: &str| {
            let shape = shape(words).with_dead_letters_to("q.dlq").unwrap();
            of_dead_letters(&shape, true)
        };
        assert!(wired("--max-length 5").unwrap().contains("--overflow reject-publish"));
        assert_eq!(wired(""), None);
        assert_eq!(wired("--type classic"), None);
        assert_eq!(wired("--dead-letter-strategy at-most-once"), None);
    }
}
