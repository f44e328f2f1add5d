//! Parses a reply of the broker, with the meanings of its phrases in [`words`](super::words).

use super::code;
use super::error::{AmqpError, Lost};
use super::kinds::{
    Access, Breach, Inequivalent, Invalid, Loss, Permission, Refusal, Thing, Value,
};
use super::words::Meaning::{self, Broken, Passes, Refused};
use super::words::{
    ACCESS_TO, BUT_CURRENT_IS, CHANNELS_OPENED, FOR_EXCHANGE, FOR_QUEUE, IN_USE, IN_VHOST,
    INEQUIVALENT, INVALID, LIMIT_OF, NAMELESS, NO_SUCH_EXCHANGE_TYPE, NOT_EMPTY, OF_QUEUE_TYPE,
    OF_TYPE, REFUSED_FOR_USER, REPLIES, RESERVED_PREFIX, THE_VALUE,
};
use lapin::protocol::{AMQPHardError, AMQPSoftError};

impl AmqpError {
    /// Why the broker has closed a channel or a connection.
    pub fn closed(code: u16, text: &str) -> Self {
        closed(code, text)
    }
}

/// Parses why the broker has closed a channel or a connection. An unknown code gives no reason.
fn closed(code: u16, text: &str) -> AmqpError {
    if AMQPSoftError::from_id(code).is_some() || AMQPHardError::from_id(code).is_some() {
        reply(code, text)
    } else {
        AmqpError::unexplained()
    }
}

pub(super) fn reply(code: u16, text: &str) -> AmqpError {
    // RabbitMQ writes `NOT_FOUND - no queue 'x' in vhost '/'`; users need what follows the dash.
    let text = match text.split_once(" - ") {
        Some((name, rest)) if name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') => rest,
        _ => text,
    };
    let nameless = NAMELESS.iter().find(|(name, ..)| *name == text);
    let (said, why) = nameless.map_or((text, Loss::Other), |(_, said, why)| (*said, why.clone()));
    match meaning(code, said) {
        Passes(Loss::Other) => AmqpError::Lost(Lost { why, said: said.to_owned() }),
        // The text is an Erlang term.
        Passes(Loss::NoLeader) => {
            let said = "the queue gives no answer, as while it has no leader";
            AmqpError::Lost(Lost { why: Loss::NoLeader, said: said.to_owned() })
        }
        Passes(why) => AmqpError::Lost(Lost { why, said: said.to_owned() }),
        Refused(what) => AmqpError::refused(what, said),
        Broken(_) if code == code::PRECONDITION_FAILED => AmqpError::unpublished(said),
        Broken(breach) => {
            AmqpError::violation(breach, format!("the broker closed the connection: {said}"))
        }
    }
}

fn meaning(code: u16, text: &str) -> Meaning {
    let fits = |(of, says, _): &&(u16, &str, Meaning)| *of == code && text.contains(says);
    match (REPLIES.iter().find(fits), code) {
        (Some((.., meaning)), _) => detail(meaning.clone(), text),
        (None, 501..=505) => Broken(Breach::Other),
        (None, _) => Refused(Refusal::Unknown),
    }
}

/// Completes a meaning with details from the text.
fn detail(meaning: Meaning, text: &str) -> Meaning {
    match meaning {
        Passes(Loss::Other) if text.starts_with(CHANNELS_OPENED) => {
            Passes(Loss::Channels(channels_allowed(text)))
        }
        Refused(Refusal::NotPermitted(_)) => Refused(match permission(text) {
            None if text.contains(RESERVED_PREFIX) => Refusal::Reserved,
            permission => Refusal::NotPermitted(permission),
        }),
        Refused(Refusal::Precondition) => Refused(precondition(text)),
        meaning => meaning,
    }
}

/// The number of channels that are allowed, from the refusal of one more.
fn channels_allowed(text: &str) -> Option<u16> {
    let (_, limit) = text.split_once(LIMIT_OF)?;
    // In parentheses up to RabbitMQ 4.2.
    limit.trim_start_matches('(').split(')').next()?.trim().parse().ok()
}

/// From 4.0 on the sentence names the permission: `configure access to queue 'q' in vhost '/'
/// refused for user 'u'`; 3.10 says `access to queue 'q' in vhost '/' refused for user 'u'`.
fn permission(text: &str) -> Option<Permission> {
    let (word, on) = text.split_once(ACCESS_TO)?;
    let (thing, rest) = on.split_once(" '")?;
    let (name, rest) = rest.split_once(IN_VHOST)?;
    let access = match word.trim_end() {
        "" => None,
        "configure" => Some(Access::Configure),
        "write" => Some(Access::Write),
        "read" => Some(Access::Read),
        _ => return None,
    };
    let thing = if thing == "exchange" { Thing::Exchange } else { Thing::Queue };
    let user = rest.rsplit_once(REFUSED_FOR_USER).and_then(|(_, user)| {
        user.strip_prefix(" '").and_then(|user| user.strip_suffix('\'')).map(str::to_owned)
    });
    Some(Permission { access, thing, name: name.to_owned(), user })
}

/// The sentences are the same on 3.10.8, 4.0.5 and 4.3.6, for every argument, except that for an
/// untyped queue 3.10 says that its `x-queue-type` is none, and later releases that it is classic;
/// and 4.3 gives a stream's `x-max-age` in milliseconds.
fn precondition(text: &str) -> Refusal {
    let argument = |begins| {
        let rest: &str = text.strip_prefix(begins)?;
        let queue = rest.find(FOR_QUEUE).map(|at| (at, FOR_QUEUE, Thing::Queue));
        let exchange = rest.find(FOR_EXCHANGE).map(|at| (at, FOR_EXCHANGE, Thing::Exchange));
        let (at, phrase, thing) = [queue, exchange].into_iter().flatten().min_by_key(|it| it.0)?;
        Some((rest.get(..at)?.to_owned(), thing, rest.get(at + phrase.len()..)?.to_owned()))
    };
    if let Some((argument, thing, rest)) = argument(INEQUIVALENT) {
        Refusal::Inequivalent(Inequivalent { argument, thing, rest })
    } else if let Some((argument, _, rest)) = argument(INVALID) {
        Refusal::Invalid(Invalid { argument, rest })
    } else if text.starts_with(NO_SUCH_EXCHANGE_TYPE) {
        Refusal::UnknownExchangeType
    } else if text.ends_with(NOT_EMPTY) {
        Refusal::NotEmpty
    } else if text.ends_with(IN_USE) {
        Refusal::InUse
    } else {
        Refusal::Precondition
    }
}

impl Inequivalent {
    /// The value that the queue or exchange `name` in `vhost` has. The names may contain any text,
    /// even the broker's own phrases, so they have to be known.
    pub fn current(&self, name: &str, vhost: &str) -> Value {
        current(self.rest.strip_prefix(&format!("{name}{IN_VHOST}{vhost}': ")).unwrap_or(""))
    }
}

impl Invalid {
    /// The broker's reason, unchanged; `None` if a queue of that type has no such argument.
    pub fn why(&self, name: &str, vhost: &str) -> Option<String> {
        let why = self.rest.strip_prefix(&format!("{name}{IN_VHOST}{vhost}'")).unwrap_or("");
        let why = why.trim_start_matches([':', ' ']);
        (!why.starts_with(OF_QUEUE_TYPE)).then(|| why.to_owned())
    }
}

/// `received '5' but current is '10'`, `received none but current is the value '10' of type
/// 'signedint'`, `received the value '5' of type 'signedint' but current is none`.
fn current(values: &str) -> Value {
    // Searched from the end: the value before it is ours, and may contain the same phrase.
    let Some((_, current)) = values.rsplit_once(BUT_CURRENT_IS) else {
        return Value::CutOff;
    };
    if current == "none" {
        return Value::None;
    }
    let quoted = current.strip_prefix(THE_VALUE).unwrap_or(current);
    let Some(quoted) = quoted.strip_prefix('\'') else {
        return Value::CutOff;
    };
    let value = match (quoted.rsplit_once(OF_TYPE), quoted.strip_suffix('\'')) {
        (Some((value, _)), _) | (None, Some(value)) => value,
        (None, None) => quoted,
    };
    Value::Is(value.to_owned())
}
