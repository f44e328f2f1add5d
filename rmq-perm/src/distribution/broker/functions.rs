//! Calling a node's functions, and interpreting their results.

use super::super::at_once::{self, Missing};
use super::super::call::Call;
use super::{Distribution, broken};
use crate::refusal::{Refusal, words};
use crate::term::Term;
use crate::unanswered::{Effect, of_several};
use erl_dist::term as sent;
use rmq_common::failure::Failure;
use rmq_common::runtime;
use std::time::Duration;

/// How often all nodes are asked again: several may become unreachable at the same time.
const AGAIN: usize = 5;

impl Distribution {
    /// Calls a function that reads. A crash there and a known `{error, ...}` are errors; the rest
    /// is answers.
    pub(in crate::distribution) fn ask(
        &mut self,
        module: &'static str,
        function: &'static str,
        arguments: Vec<sent::Term>,
    ) -> Result<Term, Failure> {
        let answer = self.ask_if_there(module, function, arguments)?;
        answer.ok_or_else(|| self.lacks(module, function))
    }

    /// The same for all nodes, repeated if one of them becomes unreachable.
    pub(in crate::distribution) fn ask_of_all(
        &mut self,
        module: &'static str,
        function: &'static str,
        arguments: &[sent::Term],
    ) -> Result<Term, Failure> {
        for _ in 0..AGAIN {
            let call = Call { module, function, arguments: arguments.to_vec() };
            let result = self.call(Effect::Reads, call)?;
            if words::of_term(&result) != Some(Refusal::NodeWentAway) {
                let answer = self.unless_refused(module, function, result)?;
                return answer.ok_or_else(|| self.lacks(module, function));
            }
        }
        self.ask(module, function, arguments.to_vec())
    }

    /// The same for a function that not every release has: `None` if this one lacks it.
    pub(in crate::distribution) fn ask_if_there(
        &mut self,
        module: &'static str,
        function: &'static str,
        arguments: Vec<sent::Term>,
    ) -> Result<Option<Term>, Failure> {
        let result = self.call(Effect::Reads, Call { module, function, arguments })?;
        self.unless_refused(module, function, result)
    }

    /// Calls a function of which `{error, ...}` is also an answer.
    pub(in crate::distribution) fn answer(
        &mut self,
        module: &'static str,
        function: &'static str,
        arguments: Vec<sent::Term>,
    ) -> Result<Term, Failure> {
        let result = self.call(Effect::Reads, Call { module, function, arguments })?;
        let answer = self.unless_crashed(module, function, result)?;
        answer.ok_or_else(|| self.lacks(module, function))
    }

    fn unless_refused(
        &mut self,
        module: &'static str,
        function: &'static str,
        result: Term,
    ) -> Result<Option<Term>, Failure> {
        let Some(answer) = self.unless_crashed(module, function, result)? else { return Ok(None) };
        words::of_term(&answer).map_or(Ok(Some(answer)), |refusal| Err(refusal.failure()))
    }

    /// `None` if there is no such function.
    fn unless_crashed(
        &mut self,
        module: &'static str,
        function: &'static str,
        result: Term,
    ) -> Result<Option<Term>, Failure> {
        if words::is_undefined(&result, module, function) {
            return Ok(None);
        }
        if words::is_crash(&result) {
            return Err(self.explain(module, function, &result));
        }
        Ok(Some(result))
    }

    fn lacks(&self, module: &str, function: &str) -> Failure {
        broken(format!("{} has no {module}:{function}", self.node))
    }

    /// Calls a function that changes something; any result but `ok` is an error.
    pub(in crate::distribution) fn change(
        &mut self,
        module: &'static str,
        function: &'static str,
        arguments: Vec<sent::Term>,
    ) -> Result<(), Failure> {
        self.change_within(self.limit, module, function, arguments)
    }

    /// The same, with another time limit.
    pub(in crate::distribution) fn change_within(
        &mut self,
        limit: Duration,
        module: &'static str,
        function: &'static str,
        arguments: Vec<sent::Term>,
    ) -> Result<(), Failure> {
        let call = Call { module, function, arguments };
        let result = self.call_within(limit, Effect::Changes, call)?;
        if result.is_atom("ok") {
            return Ok(());
        }
        Err(self.explain(module, function, &result))
    }

    /// The same for many, in any order; `made` is called for each, and returns whether to continue.
    ///
    /// # Errors
    /// The position of one that could not be changed, and why.
    pub(in crate::distribution) fn change_all(
        &mut self,
        module: &'static str,
        function: &'static str,
        all: impl Iterator<Item = Vec<sent::Term>>,
        made: &mut dyn FnMut() -> bool,
    ) -> Result<(), (usize, Failure)> {
        let mut refused = None;
        let mut answered = |place, result: Term| {
            if result.is_atom("ok") {
                return made();
            }
            refused.get_or_insert((place, result));
            false
        };
        let missing = self.call_all(module, function, all, &mut answered);
        if let Err(Missing { first, count, why }) = missing {
            let failure = why.failure(Effect::Changes, &self.node, self.limit);
            return Err((first, of_several(failure, count)));
        }
        refused
            .map_or(Ok(()), |(place, result)| Err((place, self.explain(module, function, &result))))
    }

    /// Calls the same function with many arguments, in any order; `answered` is called for each
    /// answer with its call's position, and returns `None` for one it does not understand.
    ///
    /// # Errors
    /// An answer does not come, or is not understood.
    pub(in crate::distribution) fn ask_all(
        &mut self,
        module: &'static str,
        function: &'static str,
        all: impl Iterator<Item = Vec<sent::Term>>,
        answered: &mut dyn FnMut(usize, &Term) -> Option<()>,
    ) -> Result<(), Failure> {
        let mut odd = None;
        let mut each = |place, result: Term| {
            let understood = answered(place, &result).is_some();
            if !understood {
                odd.get_or_insert(result);
            }
            understood
        };
        if let Err(Missing { why, .. }) = self.call_all(module, function, all, &mut each) {
            return Err(why.failure(Effect::Reads, &self.node, self.limit));
        }
        odd.map_or(Ok(()), |result| Err(self.explain(module, function, &result)))
    }

    /// The same for any answer, even a crash or an error.
    pub(in crate::distribution) fn answers_of(
        &mut self,
        module: &'static str,
        function: &'static str,
        all: Vec<Vec<sent::Term>>,
        answered: &mut dyn FnMut(usize, &Term),
    ) -> Result<(), Failure> {
        let mut each = |place, result: Term| {
            answered(place, &result);
            true
        };
        let missing = self.call_all(module, function, all.into_iter(), &mut each);
        missing.map_err(|it| it.why.failure(Effect::Reads, &self.node, self.limit))
    }

    fn call_all(
        &mut self,
        module: &'static str,
        function: &'static str,
        all: impl Iterator<Item = Vec<sent::Term>>,
        answered: &mut dyn FnMut(usize, Term) -> bool,
    ) -> Result<(), Missing> {
        let calls = all.map(|arguments| Call { module, function, arguments });
        let (link, us) = (&mut self.link, &mut self.us);
        runtime::block_on(at_once::call_all(link, us, calls, self.limit, answered))
    }

    /// The meaning of an unexpected result. If RabbitMQ has just stopped, its functions crash in
    /// many ways, so its state is checked.
    fn explain(&mut self, module: &str, function: &str, result: &Term) -> Failure {
        if let Some(refusal) = words::of_term(result) {
            return refusal.failure();
        }
        self.check_running().err().unwrap_or_else(|| {
            if words::is_of_a_start(result) {
                return Refusal::NodeNotReady.failure();
            }
            let reason = words::reason_of_crash(result);
            broken(format!("{module}:{function} on {} returned {reason}", self.node))
        })
    }
}
