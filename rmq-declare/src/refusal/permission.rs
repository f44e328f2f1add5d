//! Which permission the user lacks.
//!
//! <https://www.rabbitmq.com/docs/access-control#authorisation> lists the permissions each
//! operation requires. RabbitMQ 3.10 does not name the missing one, so it is inferred.

use rmq_common::amqp_error::{Access, Permission, Thing};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action<'a> {
    /// Declaring a queue: `configure` on it, and with a dead-letter exchange `read` on it and
    /// `write` on that exchange.
    Queue { with_exchange: bool },
    /// Declaring this exchange: `configure` on it, and with an alternate exchange `read` on it and
    /// `write` on that one.
    Exchange(&'a str),
    /// Binding a queue, or removing a binding: `write` on it and `read` on the exchange.
    Binding,
    /// Binding this exchange, or removing a binding: `write` on it and `read` on the other.
    ExchangeBinding(&'a str),
    /// Deleting a queue: `configure` on it.
    Deletion,
    /// Purging a queue: `read` on it.
    Purge,
}

/// What requires a permission beyond that for the operation itself.
pub type Taker = Option<&'static str>;

/// `configure on jobs`, and what requires it.
pub fn lacking(missing: &Permission, action: Action<'_>) -> (String, Taker) {
    let name = &missing.name;
    let is_exchange = missing.thing == Thing::Exchange;
    let permission = match (missing.access, action) {
        (Some(Access::Configure), _) => "configure",
        (Some(Access::Write), _) => "write",
        (Some(Access::Read), _) => "read",
        (None, Action::Queue { with_exchange: true }) if !is_exchange => "configure or read",
        (None, Action::Queue { .. }) if is_exchange => "write",
        (None, Action::Exchange(own)) if name != own => "write",
        (None, Action::ExchangeBinding(own)) if name == own => "write",
        (None, Action::ExchangeBinding(_)) => "read",
        (None, Action::Binding) if is_exchange => "read",
        (None, Action::Binding) => "write",
        (None, Action::Purge) => "read",
        (None, _) => "configure",
    };
    let taker = match (permission, action) {
        ("configure", _) | (_, Action::Deletion | Action::Purge) => None,
        (_, Action::Queue { .. }) => Some("a dead-letter exchange"),
        (_, Action::Exchange(_)) => Some("an alternate exchange"),
        (_, Action::Binding | Action::ExchangeBinding(_)) => Some("a binding"),
    };
    (format!("{permission} on {name}"), taker)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From 3.10.8, and from 4.0.5 and 4.3.6.
    #[test]
    fn what_the_broker_leaves_open_is_inferred_from_what_was_to_be_done() {
        use Access::{Configure, Read, Write};
        use Thing::{Exchange, Queue};
        let plain = Action::Queue { with_exchange: false };
        let dead = Action::Queue { with_exchange: true };
        let exchange = Action::Exchange("x");
        let for_dead = Some("a dead-letter exchange");
        let for_binding = Some("a binding");
        let table = [
            (None, Queue, "q", plain, "configure on q", None),
            (Some(Configure), Queue, "q", plain, "configure on q", None),
            (Some(Configure), Queue, "q", dead, "configure on q", None),
            (None, Queue, "q", dead, "configure or read on q", for_dead),
            (Some(Read), Queue, "q", dead, "read on q", for_dead),
            (Some(Write), Exchange, "dlx", dead, "write on dlx", for_dead),
            (None, Exchange, "amq.default", dead, "write on amq.default", for_dead),
            (None, Exchange, "x", exchange, "configure on x", None),
            (None, Exchange, "ae", exchange, "write on ae", Some("an alternate exchange")),
            (None, Exchange, "x", Action::Binding, "read on x", for_binding),
            (None, Queue, "q", Action::Binding, "write on q", for_binding),
            (Some(Write), Queue, "q", Action::Binding, "write on q", for_binding),
            (None, Exchange, "to", Action::ExchangeBinding("to"), "write on to", for_binding),
            (None, Exchange, "x", Action::ExchangeBinding("to"), "read on x", for_binding),
            (None, Queue, "q", Action::Deletion, "configure on q", None),
            (None, Queue, "q", Action::Purge, "read on q", None),
            (Some(Read), Queue, "q", Action::Purge, "read on q", None),
        ];
        for (access, thing, name, action, wanted, taker) in table {
            let missing = Permission { access, thing, name: name.to_owned(), user: None };
            assert_eq!(lacking(&missing, action), (wanted.to_owned(), taker), "{missing:?}");
        }
    }
}
