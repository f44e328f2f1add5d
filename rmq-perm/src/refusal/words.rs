//! Interprets the broker's words: the reasons of its management API, in JSON, and the results of
//! its functions, as Erlang terms. No other file of rmq-perm contains them (a test in rmq-common).
//!
//! They are those of RabbitMQ 3.10.8, 4.0.5 and 4.3.6, from their source modules.

use super::{Denial, Refusal};
use crate::term::Term;
use serde_json::Value;

const NO_SUCH_USER: &str = "no_such_user";
const NO_SUCH_VHOST: &str = "no_such_vhost";
const NO_SUCH_EXCHANGE: &str = "no_such_exchange";
const USER_EXISTS: &str = "user_already_exists";
const INVALID_PATTERN: &str = "invalid_regexp";
const NO_USER_OR_VHOST: &str = "vhost_or_user_not_found";
/// 4.3's word for a virtual host that our user has no access to.
const NO_ACCESS: &str = "not_found";
/// Khepri's word for a missing majority.
const NO_MAJORITY: &str = "timeout";

const NOT_ADMINISTRATOR: &str = "Not administrator user";
const NOT_MONITORING: &str = "Not monitor user";
const NOT_MANAGEMENT: &str = "Not management user";
const NOT_ON_VHOST: &str = "User not authorised to access virtual host";
const LOCALHOST_ONLY: &str = "User can only log in via localhost";
/// Of connections of other users.
const NOT_ON_OBJECT: &str = "User not authorised to access object";
const LOGIN_FAILED: &str = "Login failed";
const NOT_AUTHORIZED: &str = "Not_Authorized";

const ERROR: &str = "error";
/// An authentication backend's word for a refused login.
const REFUSED: &str = "refused";
const REASON: &str = "reason";

const NO_CALL: &str = "badrpc";
const EXIT: &str = "EXIT";
const UNDEFINED: &str = "undef";
const NODE_DOWN: &str = "nodedown";
const NO_CONNECTION: &str = "noconnection";
/// Mnesia's word on a node that is starting or stopping.
const ABORTED: &str = "aborted";
const NO_TABLE: &str = "no_exists";
/// The error of reading a table, or calling a process, that does not exist yet.
const BAD_ARGUMENT: &str = "badarg";
const NO_PROCESS: &str = "noproc";

/// The refusal in an answer of the API with a status from 400 to 499.
pub fn of_answer(status: u16, body: &Value) -> Refusal {
    let said = text(body);
    match (status, said) {
        (401 | 403, said) => Refusal::Denied(denial(said.unwrap_or_default())),
        (_, Some(NO_USER_OR_VHOST)) => Refusal::NoSuchUserOrVhost,
        // A credential validator's words about a password.
        (400, Some(why)) => Refusal::InvalidPassword(plain(why)),
        (_, Some(why)) => Refusal::Other { status, reason: Some(plain(why)) },
        (_, None) => {
            let known = body.get(REASON).and_then(with_details);
            known.unwrap_or(Refusal::Other { status, reason: None })
        }
    }
}

/// The refusal in a 404 for a list on a virtual host.
pub fn of_missing_vhost(body: &Value) -> Refusal {
    match body.get(ERROR).and_then(Value::as_str) {
        Some(NO_ACCESS) => Refusal::Denied(Denial::NoVhostAccess),
        _ => Refusal::NoSuchVhost,
    }
}

/// Whether an answer about the connections of a user refuses a user who lacks the tag for it. RabbitMQ
/// 3.10 then fails without a word.
pub fn is_lack_of_tag(status: u16, body: &Value) -> bool {
    match status {
        401 | 403 => text(body) == Some(NOT_ON_OBJECT),
        500 => body.is_null(),
        _ => false,
    }
}

/// The reason in an answer of the API's, in plain words.
pub fn reason(body: &Value) -> Option<String> {
    text(body).map(plain)
}

fn text(body: &Value) -> Option<&str> {
    body.get(REASON)?.as_str()
}

fn denial(reason: &str) -> Denial {
    match reason {
        NOT_ADMINISTRATOR => Denial::LacksAdministrator,
        NOT_MONITORING => Denial::LacksMonitoring,
        NOT_MANAGEMENT => Denial::LacksManagement,
        NOT_ON_VHOST => Denial::NoVhostAccess,
        LOCALHOST_ONLY => Denial::LocalhostOnly,
        LOGIN_FAILED | NOT_AUTHORIZED | "" => Denial::LoginFailed,
        other => Denial::Other(plain(other)),
    }
}

/// `["invalid_regexp", Pattern, [Text, Position]]`, or another reason with details.
fn with_details(reason: &Value) -> Option<Refusal> {
    let (tag, details) = reason.as_array()?.split_first()?;
    match (tag.as_str()?, details) {
        (INVALID_PATTERN, [pattern, why]) => {
            let objection = match why.as_array().map(Vec::as_slice) {
                Some([why, Value::Number(position)]) => {
                    at_offset(&bytes(why).unwrap_or_default(), position)
                }
                _ => why.as_str().map_or_else(|| why.to_string(), as_words),
            };
            Some(Refusal::InvalidPattern { pattern: bytes(pattern)?, objection })
        }
        (NO_SUCH_EXCHANGE, [name]) => Some(Refusal::NoSuchExchange(readable(&bytes(name)?))),
        _ => None,
    }
}

/// The bytes of a text, which may be a list of bytes in Erlang, and so in JSON.
fn bytes(text: &Value) -> Option<Vec<u8>> {
    match text {
        Value::String(text) => Some(text.clone().into_bytes()),
        Value::Array(bytes) => {
            let byte = |byte: &Value| byte.as_u64().and_then(|byte| u8::try_from(byte).ok());
            bytes.iter().map(byte).collect()
        }
        _ => None,
    }
}

/// The refusal in a function's result; `None` if it is not a known one.
pub fn of_term(result: &Term) -> Option<Refusal> {
    let reason = reason_of_crash(result);
    if reason.is_atom(NO_CONNECTION) || reason.tagged(NODE_DOWN).is_some() {
        return Some(Refusal::NodeWentAway);
    }
    if let Some([why, ..]) = reason.tagged(ABORTED)
        && why.tagged(NO_TABLE).is_some()
    {
        return Some(Refusal::NodeNotReady);
    }
    let [reason] = result.tagged(ERROR)? else { return None };
    if reason.is_atom(NO_MAJORITY) {
        return Some(Refusal::NoMajority);
    }
    let (tag, details) = match reason {
        Term::Tuple(elements) => elements.split_first()?,
        Term::Charlist(_) => {
            return reason.text().map(|why| Refusal::InvalidPassword(plain(&readable(&why))));
        }
        _ => return None,
    };
    let Term::Atom(tag) = tag else { return None };
    match (tag.as_str(), details) {
        (NO_SUCH_USER, _) => Some(Refusal::NoSuchUser),
        (NO_SUCH_VHOST, _) => Some(Refusal::NoSuchVhost),
        (NO_SUCH_EXCHANGE, [name]) => {
            Some(Refusal::NoSuchExchange(readable(&name.text().unwrap_or_default())))
        }
        (USER_EXISTS, _) => Some(Refusal::UserExists),
        (INVALID_PATTERN, [pattern, why]) => {
            let pattern = match pattern {
                // Bytes here; in other places, a list of numbers is a list of characters.
                Term::Charlist(bytes) => bytes.clone(),
                other => other.text().unwrap_or_default(),
            };
            Some(Refusal::InvalidPattern { pattern, objection: objection(why) })
        }
        _ => None,
    }
}

/// The objection of `re:compile/1` to a pattern; `None` if it accepts it.
pub fn objection_of_compiler(result: &Term) -> Option<String> {
    result.tagged(ERROR).and_then(<[Term]>::first).map(objection)
}

/// The objection in `{Text, Position}`.
fn objection(why: &Term) -> String {
    match why.tuple() {
        Some([text, Term::Integer(position)]) => {
            at_offset(&text.text().unwrap_or_default(), position)
        }
        _ => as_words(&why.to_string()),
    }
}

/// `pattern_too_long` in words.
fn as_words(name: &str) -> String {
    name.replace('_', " ")
}

fn at_offset(why: &[u8], position: impl std::fmt::Display) -> String {
    format!("{} at offset {position}", readable(why))
}

/// Whether a login succeeds; `None` if the answer says neither.
pub fn is_login(result: &Term) -> Option<bool> {
    if result.tagged("ok").is_some() {
        return Some(true);
    }
    result.tagged(REFUSED).map(|_| false)
}

/// Whether a lookup found nothing.
pub fn is_error(result: &Term) -> bool {
    result.tagged(ERROR).is_some()
}

/// Whether a call could not be made, or its function crashed.
pub fn is_crash(result: &Term) -> bool {
    result.tagged(NO_CALL).is_some()
}

/// Whether a call crashed as on a node that is starting or stopping, without tables and processes.
pub fn is_of_a_start(result: &Term) -> bool {
    let reason = reason_of_crash(result);
    let is = |why: &str| reason.is_atom(why) || reason.tagged(why).is_some();
    is_crash(result) && [BAD_ARGUMENT, NO_PROCESS].into_iter().any(is)
}

/// Whether a call failed because the release has no such function.
pub fn is_undefined(result: &Term, module: &str, function: &str) -> bool {
    let reason = result.tagged(NO_CALL).and_then(<[Term]>::first);
    let exit = reason.and_then(|reason| reason.tagged(EXIT)).and_then(<[Term]>::first);
    // {undef, [{Module, Function, ...} | ...]}
    let stack = exit.and_then(|exit| exit.tagged(UNDEFINED)).and_then(<[Term]>::first);
    let top = stack.and_then(Term::list).and_then(<[Term]>::first).and_then(Term::tuple);
    matches!(top, Some([m, f, ..]) if m.is_atom(module) && f.is_atom(function))
}

/// `{badrpc, {'EXIT', {Reason, Stack}}}` without the stack.
pub fn reason_of_crash(result: &Term) -> &Term {
    let reason = result.tagged(NO_CALL).and_then(<[Term]>::first).unwrap_or(result);
    let exit = reason.tagged(EXIT).and_then(<[Term]>::first).unwrap_or(reason);
    match exit.tuple() {
        Some([reason, Term::List(_)]) => reason,
        _ => exit,
    }
}

/// The broker's own words without Erlang's punctuation: `<<"al">>` becomes `'al'`, and
/// `{error,not_allowed}` becomes `error: not_allowed`.
fn plain(said: &str) -> String {
    let text = said.trim().replace("<<\"", "'").replace("\">>", "'").replace("<<>>", "''");
    match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        Some(inner) => inner.replace(['{', '}', '[', ']'], "").replace(',', ": "),
        None => text,
    }
}

fn readable(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

#[cfg(test)]
mod tests;
