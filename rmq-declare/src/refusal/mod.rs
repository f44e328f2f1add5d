//! Turns a refusal by the broker into a message.

pub mod differences;
pub mod permission;
pub mod remedy;

use crate::queue::binding::Binding;
use crate::queue::exchange::Exchange;
use crate::queue::queue_arguments::{DEAD_LETTER_EXCHANGE, TYPE, option_of};
use crate::refusal::differences::Difference;
use crate::refusal::permission::{Action, Taker};
use crate::refusal::remedy::Place;
use crate::values::argument_value::plain;
use crate::values::shell;
use lapin::types::AMQPValue;
use rmq_common::amqp_error::{AmqpError, Invalid, Loss, Lost, Permission, Refusal, Refused, Value};
use rmq_common::declaration::Declaration;
use rmq_common::failure::Failure;
use std::fmt;

/// Verbs that make a difference to the message.
pub const UNBIND: &str = "unbind";
pub const PURGE: &str = "purge";

/// The request that was refused.
pub struct Request<'a> {
    /// The operation, for messages: `declare`.
    pub verb: &'static str,
    pub subject: Subject<'a>,
    pub vhost: &'a str,
    pub user: &'a str,
}

#[derive(Clone, Copy)]
pub enum Subject<'a> {
    /// A queue and its description, which is empty for a check or a deletion.
    Queue(&'a str, Option<&'a Declaration>),
    Exchange(&'a Exchange),
    /// An exchange of this name.
    ExchangeName(&'a str),
    Binding(&'a str, &'a Binding),
    /// A binding of the exchange of this name.
    ExchangeBinding(&'a str, &'a Binding),
}

impl fmt::Display for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Request { verb, vhost, .. } = self;
        match self.subject {
            Subject::Queue(queue, _) => write!(f, "{verb} {queue} in {vhost}"),
            Subject::Exchange(exchange) => {
                write!(f, "{verb} exchange {} in {vhost}", exchange.name)
            }
            Subject::ExchangeName(exchange) => write!(f, "{verb} exchange {exchange} in {vhost}"),
            Subject::Binding(name, binding) | Subject::ExchangeBinding(name, binding) => {
                let to = if *verb == UNBIND { "from" } else { "to" };
                write!(f, "{verb} {name} {to} {binding} in {vhost}")
            }
        }
    }
}

impl Request<'_> {
    /// The failure for `error`.
    pub fn failure(&self, error: AmqpError) -> Failure {
        self.cause(error).context(self)
    }

    /// Whether `error` says that it exists and differs.
    pub fn is_difference(&self, error: &AmqpError) -> bool {
        matches!(error, AmqpError::Refused(Refused { what: Refusal::Inequivalent(_), .. }))
    }

    fn cause(&self, error: AmqpError) -> Failure {
        let refused = match &error {
            AmqpError::Refused(refused) => refused,
            AmqpError::Lost(Lost { why: Loss::Locked, .. }) => {
                let text = "it is another connection's exclusive queue";
                return Failure::new(error.exit(), text);
            }
            AmqpError::Lost(_) | AmqpError::Protocol(_) => return error.failure(),
        };
        let text = match &refused.what {
            Refusal::Inequivalent(said) => {
                let current = said.current(self.name(), self.vhost);
                let (argument, asked) = (said.argument.clone(), self.asked(&said.argument));
                // The broker names only one difference.
                self.difference(&[Difference { argument, current, asked }], true)
            }
            Refusal::Invalid(said) => self.invalid(said),
            Refusal::UnknownExchangeType => self.unknown_type(),
            // No permission helps.
            Refusal::Reserved => {
                "names that begin with amq. are reserved for the broker".to_owned()
            }
            Refusal::NotPermitted(missing) => match self.not_permitted(missing.as_ref()) {
                Some(text) => text,
                None => return error.failure(),
            },
            Refusal::Deprecated => {
                let said = refused.to_string();
                let feature = said.lines().next().unwrap_or_default();
                format!("this release does not allow it: {feature}")
            }
            _ => return error.failure(),
        };
        Failure::new(error.exit(), text)
    }

    /// The message for a value that the broker refuses.
    fn invalid(&self, said: &Invalid) -> String {
        let argument = self.named(&said.argument);
        let Some(why) = said.why(self.name(), self.vhost) else {
            let types = match self.asked(TYPE).as_ref().map(plain).as_deref() {
                Some("quorum") => "quorum queues",
                Some("stream") => "streams",
                _ => "classic queues",
            };
            return format!("{types} have no argument {argument} in this release");
        };
        format!("the broker refuses this {argument}: {why}")
    }

    fn unknown_type(&self) -> String {
        let kind = match self.subject {
            Subject::Exchange(exchange) => &exchange.kind,
            _ => "of that name",
        };
        format!(
            "this broker has no exchange type {kind}: direct, fanout, topic and headers \
             always exist, others come with plugins or later releases"
        )
    }

    /// The missing permission and how to grant it; `None` for any other refusal.
    fn not_permitted(&self, missing: Option<&Permission>) -> Option<String> {
        let action = match self.subject {
            // 4.3 answers a check of a queue only if the user has some permission on it.
            Subject::Queue(queue, None) if self.verb == "check" => {
                return Some(self.lacks(&format!("any permission on {queue}"), None, self.user));
            }
            Subject::Queue(_, None) if self.verb == PURGE => Action::Purge,
            Subject::Queue(_, None) => Action::Deletion,
            Subject::Queue(_, Some(declaration)) => Action::Queue {
                with_exchange: declaration.arguments.contains_key(DEAD_LETTER_EXCHANGE),
            },
            Subject::Exchange(exchange) => Action::Exchange(exchange.name.as_str()),
            Subject::ExchangeName(exchange) => Action::Exchange(exchange),
            Subject::Binding(..) => Action::Binding,
            Subject::ExchangeBinding(destination, _) => Action::ExchangeBinding(destination),
        };
        let missing = missing?;
        let (permission, taker) = permission::lacking(missing, action);
        Some(self.lacks(&permission, taker, missing.user.as_deref().unwrap_or(self.user)))
    }

    fn lacks(&self, permission: &str, taker: Taker, user: &str) -> String {
        let vhost = self.vhost;
        let why = taker.map(|taker| format!(", which {taker} requires")).unwrap_or_default();
        format!(
            "{user} lacks {permission} in {vhost}{why} \
             (rmq-perm set -p {} {} CONFIGURE WRITE READ)",
            shell::word(vhost),
            shell::name(user)
        )
    }

    /// The failure for all these differences; it says so if there may be `more`.
    pub fn differs(&self, differences: &[Difference], more: bool) -> Failure {
        Failure::data(self.difference(differences, more)).context(self)
    }

    fn difference(&self, differences: &[Difference], more: bool) -> String {
        let is_of_queue = matches!(self.subject, Subject::Queue(..) | Subject::Binding(..));
        let sentence = differences::sentence(differences, is_of_queue);
        let (name, vhost) = (self.name(), self.vhost);
        if !is_of_queue {
            let place = Place { vhost, name, may_be_classic: false };
            return format!("{sentence}; {}", remedy::of_exchange(place, differences));
        }
        let may_be_classic = self.may_be_classic(differences, more);
        let remedy = remedy::of_queue(Place { vhost, name, may_be_classic }, differences);
        let rest = match more {
            true => format!(
                "; there may be more differences (rmq-perm list-queues -v -p {} shows all)",
                shell::word(vhost)
            ),
            false => String::new(),
        };
        format!("{sentence}; {remedy}{rest}")
    }

    /// Whether the queue that differs is or may be classic.
    fn may_be_classic(&self, differences: &[Difference], more: bool) -> bool {
        let is_other = |queue_type: &str| queue_type != "classic";
        match differences.iter().find(|it| it.argument == TYPE).map(|it| &it.current) {
            Some(Value::Is(queue_type)) => !is_other(queue_type),
            Some(_) => true,
            // The type matches, unless it is a difference that the broker did not name.
            None => more || !self.asked(TYPE).is_some_and(|it| is_other(&plain(&it))),
        }
    }

    pub fn name(&self) -> &str {
        match self.subject {
            Subject::Queue(queue, _) | Subject::Binding(queue, _) => queue,
            Subject::Exchange(exchange) => exchange.name.as_str(),
            Subject::ExchangeName(exchange) | Subject::ExchangeBinding(exchange, _) => exchange,
        }
    }

    /// The value asked for.
    pub fn asked(&self, argument: &str) -> Option<AMQPValue> {
        match self.subject {
            Subject::Queue(_, declaration) => declaration?.asked(argument),
            Subject::ExchangeName(_) | Subject::Binding(..) | Subject::ExchangeBinding(..) => None,
            Subject::Exchange(exchange) => exchange.asked(argument),
        }
    }

    /// `--max-length (x-max-length)`, or the argument alone if it has no option.
    fn named(&self, argument: &str) -> String {
        match (self.subject, option_of(argument)) {
            (Subject::Queue(..), Some(option)) => format!("{option} ({argument})"),
            _ => argument.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
