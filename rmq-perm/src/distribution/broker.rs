//! A node of the broker, and what its functions answer.

use super::arguments::text;
use super::at_once::{self, Missing};
use super::call::{self, Call, Unanswered};
use super::connect::{self, Port};
use super::options::Options;
use super::term::{Pid, Term};
use super::{address, cookie, node, refusal};
use crate::reach::Unreached;
use crate::refused;
use erl_dist::term as sent;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::duration::Limit;
use rmq_common::exit::Exit;
use rmq_common::failure::{Cause, Failure};
use rmq_common::runtime::{self, TcpStream};
use std::time::Duration;

/// The module with most of what is about users and permissions.
pub(super) const USERS: &str = "rabbit_auth_backend_internal";

/// A connection to a node of the broker.
#[derive(Debug)]
pub struct Distribution {
    stream: TcpStream,
    us: Pid,
    node: String,
    pub(super) limit: Duration,
    /// For what takes the broker longer.
    pub(super) long: Duration,
}

/// How often all nodes are asked again: as many may go away at once.
const AGAIN: usize = 5;

/// What is said if a question went on to a node that died.
const WENT_AWAY: &str = "a node of the cluster went away while it was asked; try again";

/// Whether a call may change something, which decides what a lost answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Reads,
    Changes,
}

impl Distribution {
    /// Connects to the node that `options` and the environment name.
    ///
    /// # Errors
    /// As [`Session::broker`](crate::session::Session::broker).
    pub fn connect(options: &Options, diagnostics: Diagnostics) -> Result<Self, Unreached> {
        let node = node::choose(options.node.as_deref())?;
        let context = |failure: Failure| failure.context(format!("connect to {node}"));
        let limit = options.timeout;
        let cookie = cookie::find(options.cookie_file.as_deref()).map_err(context)?;
        let addresses = address::of_host(node.host(), options.insecure, limit).map_err(context)?;
        let port = match options.port {
            Some(port) => Port::Known(port),
            None => Port::Epmd(epmd_port()?),
        };
        let connected = connect::connect(&node, &addresses, port, &cookie);
        let connected = runtime::block_on(runtime::timeout(limit, connected));
        let (stream, us) = connected
            .unwrap_or_else(|| {
                let why = format!("no answer within {}", Limit::For(limit));
                Err(Failure::new(Exit::Unavailable, why))
            })
            .map_err(context)?;
        let mut broker =
            Distribution { stream, us, node: node.to_string(), limit, long: options.long };
        // Asked first, because without RabbitMQ running 4.3 answers as if there were nothing.
        broker.check_running().map_err(context)?;
        if diagnostics.verbose() {
            diagnostics.detail(&format!("connected to {node}, cookie from {}", cookie.origin));
        }
        Ok(broker)
    }

    /// That RabbitMQ, and not only Erlang, runs on the node.
    fn check_running(&mut self) -> Result<(), Failure> {
        let call = Call { module: "rabbit", function: "is_running", arguments: Vec::new() };
        let answer = self.call(Effect::Reads, call)?;
        let why = if answer.is_atom("true") {
            return Ok(());
        } else if answer.is_atom("false") {
            format!("RabbitMQ does not run on {} (it is starting, or was stopped)", self.node)
        } else {
            format!("{} is an Erlang node without RabbitMQ", self.node)
        };
        Err(Failure::new(Exit::Unavailable, why))
    }

    /// What a function returns, whatever it is.
    fn call(&mut self, effect: Effect, call: Call) -> Result<Term, Failure> {
        self.call_within(self.limit, effect, call)
    }

    fn call_within(
        &mut self,
        limit: Duration,
        effect: Effect,
        call: Call,
    ) -> Result<Term, Failure> {
        self.us.serial = self.us.serial.wrapping_add(1);
        let answer = call::call(&mut self.stream, &self.us, call);
        let why = match runtime::block_on(runtime::timeout(limit, answer)) {
            Some(Ok(answer)) => return Ok(answer),
            None => None,
            Some(Err(why)) => Some(why),
        };
        Err(self.unanswered(effect, why, limit))
    }

    /// What it means that no answer has come: in time, or for another reason.
    fn unanswered(&self, effect: Effect, why: Option<Unanswered>, limit: Duration) -> Failure {
        let why = match why {
            None => format!("no answer from {} within {}", self.node, Limit::For(limit)),
            Some(Unanswered::Lost(error)) => {
                format!("lost the connection to {}: {}", self.node, Cause(&error))
            }
            Some(Unanswered::Broken(what)) => {
                let why = format!("{} broke the protocol: it sent {what}", self.node);
                return Failure::new(Exit::Software, why);
            }
        };
        Failure::new(
            Exit::TempFail,
            match effect {
                Effect::Reads => why,
                Effect::Changes => format!("{why}; whether it was done is unknown"),
            },
        )
    }

    /// Asks something; a crash over there is an error, any value an answer.
    pub(super) fn ask(
        &mut self,
        module: &'static str,
        function: &'static str,
        arguments: Vec<sent::Term>,
    ) -> Result<Term, Failure> {
        let answer = self.ask_if_there(module, function, arguments)?;
        answer.ok_or_else(|| self.lacks(module, function))
    }

    /// The same of all nodes, and again if one of them goes away meanwhile.
    pub(super) fn ask_of_all(
        &mut self,
        module: &'static str,
        function: &'static str,
        arguments: &[sent::Term],
    ) -> Result<Term, Failure> {
        let went_away = |answer: &Result<Term, Failure>| {
            answer.as_ref().is_err_and(|failure| failure.to_string() == WENT_AWAY)
        };
        let mut answer = self.ask(module, function, arguments.to_vec());
        for _ in 0..AGAIN {
            if !went_away(&answer) {
                break;
            }
            answer = self.ask(module, function, arguments.to_vec());
        }
        answer
    }

    /// The same, where not every version has the function: `None` if it is not there.
    pub(super) fn ask_if_there(
        &mut self,
        module: &'static str,
        function: &'static str,
        arguments: Vec<sent::Term>,
    ) -> Result<Option<Term>, Failure> {
        match self.answer_if_there(module, function, arguments)? {
            Some(answer) => match refusal::in_words(&answer) {
                Some(failure) => Err(failure),
                None => Ok(Some(answer)),
            },
            None => Ok(None),
        }
    }

    /// Asks something to which an `{error, ...}`, too, is an answer.
    pub(super) fn answer(
        &mut self,
        module: &'static str,
        function: &'static str,
        arguments: Vec<sent::Term>,
    ) -> Result<Term, Failure> {
        let answer = self.answer_if_there(module, function, arguments)?;
        answer.ok_or_else(|| self.lacks(module, function))
    }

    fn lacks(&self, module: &str, function: &str) -> Failure {
        broken(format!("{} has no {module}:{function}", self.node))
    }

    fn answer_if_there(
        &mut self,
        module: &'static str,
        function: &'static str,
        arguments: Vec<sent::Term>,
    ) -> Result<Option<Term>, Failure> {
        let call = Call { module, function, arguments };
        let name = call.to_string();
        let answer = self.call(Effect::Reads, call)?;
        match answer.tagged("badrpc") {
            Some([reason]) if is_undefined(reason, module, function) => Ok(None),
            Some(_) => Err(self.explain(&name, &answer)),
            None => Ok(Some(answer)),
        }
    }

    /// Has something changed; anything but `ok` is an error.
    pub(super) fn change(
        &mut self,
        module: &'static str,
        function: &'static str,
        arguments: Vec<sent::Term>,
    ) -> Result<(), Failure> {
        self.change_within(self.limit, module, function, arguments)
    }

    /// The same of what may take the broker longer.
    pub(super) fn change_within(
        &mut self,
        limit: Duration,
        module: &'static str,
        function: &'static str,
        arguments: Vec<sent::Term>,
    ) -> Result<(), Failure> {
        let call = Call { module, function, arguments };
        let name = call.to_string();
        let answer = self.call_within(limit, Effect::Changes, call)?;
        if answer.is_atom("ok") {
            return Ok(());
        }
        Err(refusal::in_words(&answer).unwrap_or_else(|| self.explain(&name, &answer)))
    }

    /// Has many things changed by the same function, in any order; `made` hears of each, and says
    /// whether to go on.
    ///
    /// # Errors
    /// Which could not be changed, and why.
    pub(super) fn change_all(
        &mut self,
        module: &'static str,
        function: &'static str,
        all: impl Iterator<Item = Vec<sent::Term>>,
        made: &mut dyn FnMut() -> bool,
    ) -> Result<(), (usize, Failure)> {
        let mut refused = None;
        let calls = all.map(|arguments| Call { module, function, arguments });
        let mut answered = |place, answer: Term| {
            if answer.is_atom("ok") {
                return made();
            }
            refused.get_or_insert((place, answer));
            false
        };
        let answers =
            at_once::call_all(&mut self.stream, &mut self.us, calls, self.limit, &mut answered);
        if let Err(Missing { first, count, why }) = runtime::block_on(answers) {
            let failure = self.unanswered(Effect::Changes, why, self.limit);
            let more = format!("{failure}, and so it is of {} more", count.saturating_sub(1));
            let failure = if count > 1 { Failure::new(failure.exit(), more) } else { failure };
            return Err((first, failure));
        }
        refused.map_or(Ok(()), |(place, answer)| {
            let name = format!("{module}:{function}");
            let known = refusal::in_words(&answer);
            Err((place, known.unwrap_or_else(|| self.explain(&name, &answer))))
        })
    }

    /// Asks the same function many things, in any order; `answered` hears each answer with its
    /// call's place, and says `None` of one that it does not understand.
    ///
    /// # Errors
    /// When an answer does not come, or is not understood.
    pub(super) fn ask_all(
        &mut self,
        module: &'static str,
        function: &'static str,
        all: impl Iterator<Item = Vec<sent::Term>>,
        answered: &mut dyn FnMut(usize, &Term) -> Option<()>,
    ) -> Result<(), Failure> {
        let mut odd = None;
        let calls = all.map(|arguments| Call { module, function, arguments });
        let mut each = |place, answer: Term| {
            let understood = answered(place, &answer).is_some();
            if !understood {
                odd.get_or_insert(answer);
            }
            understood
        };
        let answers =
            at_once::call_all(&mut self.stream, &mut self.us, calls, self.limit, &mut each);
        if let Err(Missing { why, .. }) = runtime::block_on(answers) {
            return Err(self.unanswered(Effect::Reads, why, self.limit));
        }
        odd.map_or(Ok(()), |answer| Err(self.explain(&format!("{module}:{function}"), &answer)))
    }

    /// What an unexpected answer means. Where RabbitMQ has just stopped its functions crash in
    /// many ways, so that is asked.
    fn explain(&mut self, name: &str, answer: &Term) -> Failure {
        let reason = without_stack(answer);
        if reason.is_atom("noconnection") || reason.tagged("nodedown").is_some() {
            return Failure::new(Exit::TempFail, WENT_AWAY);
        }
        self.check_running()
            .err()
            .unwrap_or_else(|| broken(format!("{name} on {} answered {reason}", self.node)))
    }

    /// That there is such a virtual host.
    pub(super) fn require_vhost(&mut self, vhost: &str) -> Result<(), Failure> {
        if self.vhost_exists(vhost)? { Ok(()) } else { Err(refused::no_such_vhost()) }
    }

    /// Whether there is such a virtual host.
    pub(super) fn vhost_exists(&mut self, vhost: &str) -> Result<bool, Failure> {
        Ok(self.ask("rabbit_vhost", "exists", vec![text(vhost)])?.is_atom("true"))
    }

    /// That there is such a user.
    pub(super) fn require_user(&mut self, user: &str) -> Result<(), Failure> {
        if self.user_exists(user)? { Ok(()) } else { Err(refused::no_such_user()) }
    }

    /// Whether there is such a user.
    pub(super) fn user_exists(&mut self, user: &str) -> Result<bool, Failure> {
        Ok(self.ask(USERS, "exists", vec![text(user)])?.is_atom("true"))
    }
}

fn epmd_port() -> Result<u16, Failure> {
    match std::env::var_os("ERL_EPMD_PORT").filter(|port| !port.is_empty()) {
        None => Ok(4369),
        Some(port) => port.to_string_lossy().parse().map_err(|_| {
            let why = format!("$ERL_EPMD_PORT: '{}' is not a port", port.to_string_lossy());
            Failure::new(Exit::Config, why)
        }),
    }
}

/// Reads each element of a list; one that is not as expected makes the whole answer unusable.
pub(super) fn each<T>(answer: &Term, read: impl Fn(&Term) -> Option<T>) -> Result<Vec<T>, Failure> {
    let elements = answer.list().and_then(|elements| elements.iter().map(read).collect());
    elements.ok_or_else(|| broken(format!("an answer that is not understood: {answer}")))
}

/// A broker that does not do what all known versions do (70).
fn broken(what: String) -> Failure {
    Failure::new(Exit::Software, what)
}

/// `{'EXIT', {undef, [{Module, Function, ...} | ...]}}`
fn is_undefined(reason: &Term, module: &str, function: &str) -> bool {
    let exit = reason.tagged("EXIT").and_then(<[Term]>::first);
    let stack = exit.and_then(|exit| exit.tagged("undef")).and_then(<[Term]>::first);
    let top = stack.and_then(Term::list).and_then(<[Term]>::first).and_then(Term::tuple);
    matches!(top, Some([m, f, ..]) if m.is_atom(module) && f.is_atom(function))
}

/// `{badrpc, {'EXIT', {Reason, Stack}}}` without the stack.
fn without_stack(answer: &Term) -> &Term {
    let reason = answer.tagged("badrpc").and_then(<[Term]>::first).unwrap_or(answer);
    let exit = reason.tagged("EXIT").and_then(<[Term]>::first).unwrap_or(reason);
    match exit.tuple() {
        Some([reason, Term::List(_)]) => reason,
        _ => exit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn atom(name: &str) -> Term {
        Term::Atom(name.to_owned())
    }

    /// `{badrpc, {'EXIT', {Reason, [{Module, Function, [], []}]}}}`
    fn crashed(reason: &str, module: &str, function: &str) -> Term {
        let top = vec![atom(module), atom(function), Term::List(vec![]), Term::List(vec![])];
        let exit = vec![atom(reason), Term::List(vec![Term::Tuple(top)])];
        Term::Tuple(vec![atom("badrpc"), Term::Tuple(vec![atom("EXIT"), Term::Tuple(exit)])])
    }

    #[test]
    fn a_function_that_a_release_lacks_is_told_from_one_that_crashes() {
        let undefined = |answer: &Term| {
            let reason = answer.tagged("badrpc").and_then(<[Term]>::first).unwrap();
            is_undefined(reason, "rabbit_node_monitor", "partitions")
        };
        assert!(undefined(&crashed("undef", "rabbit_node_monitor", "partitions")));
        // Something that the function calls is missing: that is a crash of its own.
        assert!(!undefined(&crashed("undef", "mnesia", "dirty_read")));
        assert!(!undefined(&crashed("noproc", "rabbit_node_monitor", "partitions")));
    }

    #[test]
    fn what_is_told_of_a_crash_is_its_reason_without_the_stack() {
        let crash = crashed("noproc", "gen_server", "call");
        assert_eq!(without_stack(&crash), &atom("noproc"));
        let down = Term::Tuple(vec![atom("badrpc"), atom("nodedown")]);
        assert_eq!(without_stack(&down), &atom("nodedown"));
        assert_eq!(without_stack(&atom("odd")), &atom("odd"));
    }
}
