//! Calling a function on a node, as C nodes do: a message to the process named `rex`, which calls
//! it and answers.
//!
//! An answer does not name its call. After we disconnect, the node gives our name to the next
//! client, and with it the answers to calls that were not awaited. So each call comes from a
//! separate process, as far as the node can see, and only messages to that process answer it.

use super::decode::decode;
use super::link::Link;
use crate::term::{Pid, Term};
use crate::unanswered::Unanswered;
use erl_dist::message::Message;
use erl_dist::term::{self as sent, Atom, List, Tuple};
use futures_util::io::{AsyncRead, AsyncWrite};
use std::io::ErrorKind;

/// Every message begins with this byte, because we announced no atom cache.
const PASS_THROUGH: u8 = 112;

/// The control messages `{2, _, ToPid}` precede a message to a process.
const SEND: i128 = 2;

#[derive(Clone, Debug)]
pub struct Call {
    pub module: &'static str,
    pub function: &'static str,
    pub arguments: Vec<sent::Term>,
}

/// Makes a call on the node at the other end of `link`, and waits for what it returns to `us`, a
/// process that no other call has used.
///
/// # Errors
/// No answer comes; whether the call was made is then unknown.
pub async fn call(
    link: &mut Link<impl AsyncRead + Unpin, impl AsyncWrite + Unpin + Send + 'static>,
    us: &Pid,
    call: Call,
) -> Result<Term, Unanswered> {
    link.write(&request(us, call)?).await.map_err(Unanswered::Lost)?;
    loop {
        let frame = receive(link).await?;
        if let Some(answer) = answer_in(&frame, us).map_err(Unanswered::Broken)? {
            return Ok(answer);
        }
    }
}

/// The next message.
pub async fn receive(
    link: &mut Link<impl AsyncRead + Unpin, impl AsyncWrite + Unpin + Send + 'static>,
) -> Result<Vec<u8>, Unanswered> {
    link.read().await.map_err(|error| match error.kind() {
        ErrorKind::InvalidData => Unanswered::Broken(error.to_string()),
        _ => Unanswered::Lost(error),
    })
}

/// The message that makes `call`, whose answer is sent to `us`.
pub fn request(us: &Pid, call: Call) -> Result<Vec<u8>, Unanswered> {
    let atom = |name: &str| sent::Term::from(Atom::from(name));
    let function = vec![
        atom("call"),
        atom(call.module),
        atom(call.function),
        List::from(call.arguments).into(),
        // What the function prints goes to the node's own log.
        atom("user"),
    ];
    let us = sent::Pid::new(us.node.clone(), us.id, us.serial, us.creation);
    let message = Tuple::from(vec![us.clone().into(), Tuple::from(function).into()]);
    let message = Message::reg_send(us, Atom::from("rex"), message.into());
    let mut frame = vec![PASS_THROUGH];
    message.write_into(&mut frame).map_err(|error| Unanswered::Broken(error.to_string()))?;
    Ok(frame)
}

fn answer_in(frame: &[u8], us: &Pid) -> Result<Option<Term>, String> {
    Ok(answer_to(frame, |to| to == us)?.map(|(_, answer)| answer))
}

/// The content of `{rex, Result}` and the process of ours that it is for; `None` for any other
/// message: nodes send other messages to a connected node, for example log events.
///
/// # Errors
/// It does not follow the protocol; the error is what was sent.
pub fn answer_to(
    frame: &[u8],
    is_ours: impl Fn(&Pid) -> bool,
) -> Result<Option<(Pid, Term)>, String> {
    let Some((&PASS_THROUGH, mut bytes)) = frame.split_first() else {
        return Err("a message with an atom cache, which was not negotiated".to_owned());
    };
    let control = decode(&mut bytes).map_err(|why| why.to_string())?;
    let to = match control.tuple() {
        Some([Term::Integer(SEND), _, Term::Pid(to)]) if is_ours(to) => to.clone(),
        _ => return Ok(None),
    };
    match decode(&mut bytes).map_err(|why| why.to_string())? {
        Term::Tuple(mut pair) if pair.len() == 2 && pair.first().is_some_and(is_rex) => {
            Ok(pair.pop().map(|answer| (to, answer)))
        }
        _ => Ok(None),
    }
}

fn is_rex(term: &Term) -> bool {
    term.is_atom("rex")
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::io::{Cursor, sink};
    use rmq_common::runtime::block_on;

    fn us() -> Pid {
        Pid { node: "us@here".to_owned(), id: 0x8765_4321, serial: 5, creation: 7 }
    }

    fn frame(control: Vec<sent::Term>, message: Option<sent::Term>) -> Vec<u8> {
        let mut bytes = vec![PASS_THROUGH];
        sent::Term::from(Tuple::from(control)).encode(&mut bytes).unwrap();
        if let Some(message) = message {
            message.encode(&mut bytes).unwrap();
        }
        bytes
    }

    fn pair(tag: &str, value: i32) -> sent::Term {
        let value = sent::FixInteger::from(value).into();
        Tuple::from(vec![Atom::from(tag).into(), value]).into()
    }

    fn to(pid: Pid, operation: i32, message: sent::Term) -> Vec<u8> {
        let operation = sent::FixInteger::from(operation).into();
        let pid = sent::Pid::new(pid.node, pid.id, pid.serial, pid.creation).into();
        frame(vec![operation, Atom::from("").into(), pid], Some(message))
    }

    fn to_us(operation: i32, message: sent::Term) -> Vec<u8> {
        to(us(), operation, message)
    }

    fn answer(frame: &[u8]) -> Result<Option<Term>, String> {
        answer_in(frame, &us())
    }

    #[test]
    fn an_answer_to_somebody_who_had_our_name_before_is_not_ours() {
        for other in [
            Pid { creation: 6, ..us() },
            Pid { serial: 4, ..us() },
            Pid { id: 1, ..us() },
            Pid { node: "them@here".to_owned(), ..us() },
        ] {
            assert_eq!(answer(&to(other, 2, pair("rex", 5))), Ok(None));
        }
    }

    #[test]
    fn only_what_rex_sends_is_the_answer() {
        assert_eq!(answer(&to_us(2, pair("rex", 5))), Ok(Some(Term::Integer(5))));
        assert_eq!(answer(&to_us(2, pair("log", 5))), Ok(None));
        assert_eq!(answer(&to_us(3, pair("rex", 5))), Ok(None));
        assert_eq!(answer(&frame(vec![sent::FixInteger::from(5).into()], None)), Ok(None));
    }

    #[test]
    fn what_is_not_the_protocol_is_said_to_be_broken() {
        for bytes in [&b""[..], b"\x83\x44", b"p", b"p\x83\x68\x01", b"p\x83\x68\x03\x61\x02"] {
            assert!(answer(bytes).is_err(), "{bytes:?}");
        }
    }

    fn called(frames: &[Vec<u8>]) -> Result<Term, Unanswered> {
        let mut answer = Vec::new();
        for frame in frames {
            answer.extend(u32::try_from(frame.len()).unwrap().to_be_bytes());
            answer.extend(frame);
        }
        let mut link = Link::new(Cursor::new(answer), sink()).unwrap();
        let wanted = Call { module: "erlang", function: "node", arguments: vec![] };
        block_on(call(&mut link, &us(), wanted))
    }

    #[test]
    fn ticks_and_other_messages_are_skipped_until_the_answer_comes() {
        let frames = [vec![], to_us(2, pair("log", 1)), vec![], to_us(2, pair("rex", 9))];
        assert_eq!(called(&frames).unwrap(), Term::Integer(9));
    }

    #[test]
    fn a_connection_that_ends_before_the_answer_is_lost() {
        let result = called(&[to_us(2, pair("log", 1))]);
        assert!(matches!(result, Err(Unanswered::Lost(_))), "{result:?}");
    }
}
