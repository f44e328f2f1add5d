//! A node of the broker.

mod functions;

use super::call::{self, Call};
use super::connect::{self, Connection, Port};
use super::options::Options;

use super::cookie::{self, NoCookie};
use super::{address, node};
use crate::reach::Unreached;
use crate::term::{Pid, Term};
use crate::unanswered::{Effect, Unanswered};
use rmq_common::diagnostics::Diagnostics;
use rmq_common::duration::Limit;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use rmq_common::runtime;
use std::time::Duration;

/// The module with most functions for users and permissions.
pub(super) const USERS: &str = "rabbit_auth_backend_internal";

/// A connection to a node of the broker.
#[derive(Debug)]
pub struct Distribution {
    link: Connection,
    us: Pid,
    node: String,
    pub(super) limit: Duration,
    /// For long operations.
    pub(super) long: Duration,
}

impl Distribution {
    /// Connects to the node that `options` and the environment name.
    pub fn connect(options: &Options, diagnostics: Diagnostics) -> Result<Self, Unreached> {
        let node = node::choose(options.node.as_deref())?;
        let context = |failure: Failure| failure.context(format!("connect to {node}"));
        let limit = options.timeout;
        let cookie = cookie::find(options.cookie_file.as_deref()).map_err(|why| match why {
            NoCookie::Missing(failure) => Unreached::before_the_first_start(context(failure)),
            NoCookie::Unusable(failure) => Unreached::lasting(context(failure)),
        })?;
        let addresses = address::of_host(node.host(), options.insecure, limit).map_err(context)?;
        let port = match options.port {
            Some(port) => Port::Known(port),
            None => Port::Epmd(epmd_port()?),
        };
        let connected = connect::connect(&node, &addresses, port, &cookie);
        let connected = runtime::block_on(runtime::timeout(limit, connected));
        let (link, us) = connected
            .unwrap_or_else(|| {
                let why = format!("no answer within {}", Limit::For(limit));
                Err(Failure::new(Exit::Unavailable, why))
            })
            .map_err(context)?;
        let mut broker =
            Distribution { link, us, node: node.to_string(), limit, long: options.long };
        // Asked first: if RabbitMQ is not running, 4.3 answers as if it had no objects.
        broker.check_running().map_err(context)?;
        if diagnostics.verbose() {
            diagnostics.detail(&format!("connected to {node}, cookie from {}", cookie.origin));
        }
        Ok(broker)
    }

    /// Checks that RabbitMQ, and not only Erlang, runs on the node.
    pub(super) fn check_running(&mut self) -> Result<(), Failure> {
        let call = Call { module: "rabbit", function: "is_running", arguments: Vec::new() };
        let answer = self.call(Effect::Reads, call)?;
        let why = if answer.is_atom("true") {
            return Ok(());
        } else if answer.is_atom("false") {
            format!("RabbitMQ is not running on {} (it is starting or was stopped)", self.node)
        } else {
            format!("{} is an Erlang node without RabbitMQ", self.node)
        };
        Err(Failure::new(Exit::Unavailable, why))
    }

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
        let answer = call::call(&mut self.link, &self.us, call);
        let answer = runtime::block_on(runtime::timeout(limit, answer));
        let answer = answer.unwrap_or(Err(Unanswered::Late));
        answer.map_err(|why| why.failure(effect, &self.node, limit))
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

/// Reads each element of a list; an unexpected one makes the whole answer unusable.
pub(super) fn each<T>(answer: &Term, read: impl Fn(&Term) -> Option<T>) -> Result<Vec<T>, Failure> {
    let elements = answer.list().and_then(|elements| elements.iter().map(read).collect());
    elements.ok_or_else(|| unexpected(answer))
}

pub(super) fn unexpected(answer: &Term) -> Failure {
    broken(format!("unexpected answer: {answer}"))
}

/// The error about a broker that behaves unlike all known versions (70).
pub(super) fn broken(what: String) -> Failure {
    Failure::new(Exit::Software, what)
}
