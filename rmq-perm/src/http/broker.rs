//! The API and its answers.

mod many;

use super::answer::Answer;
use super::client::Client;
use super::json::{broken, tags};
use super::no_answer::NoAnswer;
use super::options::Options;
use super::path::path;
use super::refusal;
use crate::administration::{Deleted, Text};
use crate::distribution::is_another_machine;
use crate::reach::Unreached;
use crate::refusal::{Denial, Refusal, words};
use crate::unanswered::{Effect, Unanswered};
use rmq_common::diagnostics::Diagnostics;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use rmq_common::secret::Secret;
use serde_json::Value;
use std::cell::OnceCell;
use std::time::Duration;
use ureq::http::Method;

/// A broker, through its management API.
#[derive(Debug)]
pub struct Http {
    client: Client,
    /// The URL in messages.
    place: String,
    limit: Duration,
    /// For long operations.
    long: Duration,
    /// Our user there.
    pub(super) user: String,
    tags: Vec<Text>,
    /// A virtual host and a user that exist.
    pub(super) witness: OnceCell<(String, String)>,
    diagnostics: Diagnostics,
}

/// What a path led to.
#[derive(Debug)]
pub(super) enum Fetched {
    Found(Value),
    Missing,
    TooLarge,
    Late,
}

/// The result of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Changed {
    Created,
    Done,
    /// Its object does not exist, and nothing was changed.
    Missing,
}

impl Changed {
    /// The result of a deletion.
    pub(super) fn deleted(self) -> Deleted {
        match self {
            Changed::Missing => Deleted::Before,
            Changed::Created | Changed::Done => Deleted::Now,
        }
    }
}

impl Http {
    /// Connects to the API that `options` name, and asks it for our user.
    pub fn connect(options: &Options, diagnostics: Diagnostics) -> Result<Self, Unreached> {
        let place = options.url.to_string();
        let context = |failure: Unreached| failure.context(format!("connect to {place}"));
        let client =
            Client::new(options, diagnostics).map_err(|it| context(Unreached::lasting(it)))?;
        let answer = client.ask_first("/whoami");
        let answer = answer.map_err(|why: NoAnswer| {
            context(why.while_connecting(options.timeout, options.url.tls))
        })?;
        // The password was sent, whatever the answer.
        report_unencrypted(options, diagnostics);
        if let Some(failure) = refusal::of_the_first(&answer, &options.user) {
            return Err(context(failure));
        }
        let user = answer.body.get("name").and_then(Value::as_str);
        let Some(user) = user.map(str::to_owned) else {
            let why = "the server there is not RabbitMQ's management API";
            return Err(context(Unreached::lasting(Failure::new(Exit::Unavailable, why))));
        };
        if diagnostics.verbose() {
            diagnostics.detail(&format!("connected to {place} as {user}"));
        }
        let tags = tags(&answer.body).unwrap_or_default();
        let (limit, long, witness) = (options.timeout, options.long, OnceCell::new());
        Ok(Http { client, place, limit, long, user, tags, witness, diagnostics })
    }

    /// Whether our user can see objects of other users.
    pub(super) fn sees_all(&self) -> bool {
        self.tags.iter().any(|tag| matches!(&**tag, b"administrator" | b"monitoring"))
    }

    fn is_administrator(&self) -> bool {
        self.tags.iter().any(|tag| tag == b"administrator")
    }

    /// Reports that a listing may lack what our user may not see.
    pub(super) fn warn_of_what_is_not_seen(&self, what: &str) {
        if !self.sees_all() {
            let Http { user, place, .. } = self;
            self.diagnostics.notice(&format!(
                "{user} has neither the tag administrator nor monitoring, so {place} may not \
                 list all {what}"
            ));
        }
    }

    /// Gets the object at a path; `None` if there is none. `query` may name `columns`.
    pub(super) fn get(&self, segments: &[&str], query: &str) -> Result<Option<Value>, Failure> {
        let answer = self.send(Effect::Reads, Method::GET, segments, query, None)?;
        match answer.status {
            200 => Ok(Some(answer.body)),
            404 => Ok(None),
            _ => Err(self.refusal(&answer, Effect::Reads)),
        }
    }

    /// The same, for an answer that may be too large or take longer than `limit`.
    pub(super) fn fetch(
        &self,
        limit: Duration,
        segments: &[&str],
        query: &str,
    ) -> Result<Fetched, Failure> {
        if limit.is_zero() {
            return Ok(Fetched::Late);
        }
        let path = path(segments)? + query;
        match self.client.ask_within(limit, Method::GET, &path, None) {
            Ok(answer) if answer.status == 200 => Ok(Fetched::Found(answer.body)),
            // 400: a page past the last.
            Ok(answer) if matches!(answer.status, 400 | 404) => Ok(Fetched::Missing),
            Ok(answer) => Err(self.refusal(&answer, Effect::Reads)),
            Err(NoAnswer::Sent(Unanswered::TooLarge)) => Ok(Fetched::TooLarge),
            Err(NoAnswer::Sent(Unanswered::Late)) => Ok(Fetched::Late),
            Err(why) => Err(why.failure(Effect::Reads, &self.place, limit)),
        }
    }

    /// Any answer that arrives within `limit`.
    pub(super) fn read_in_time(
        &self,
        limit: Duration,
        segments: &[&str],
        query: &str,
    ) -> Result<Option<Answer>, Failure> {
        let path = path(segments)? + query;
        match self.client.ask_within(limit, Method::GET, &path, None) {
            Ok(answer) => Ok(Some(answer)),
            Err(NoAnswer::Sent(Unanswered::Late)) => Ok(None),
            Err(why) => Err(why.failure(Effect::Reads, &self.place, limit)),
        }
    }

    pub(super) fn limit(&self) -> Duration {
        self.limit
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    pub(super) fn notice(&self, text: &str) {
        self.diagnostics.notice(text);
    }

    /// Gets something that every broker has.
    pub(super) fn expect(&self, segments: &[&str], query: &str) -> Result<Value, Failure> {
        let found = self.get(segments, query)?;
        found.ok_or_else(|| broken(format!("{} has no /api/{}", self.place, segments.join("/"))))
    }

    /// Posts a request that changes many things at once.
    ///
    /// # Errors
    /// There is no answer, or an unexpected one.
    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Answer, NoAnswer> {
        self.client.ask(Method::POST, path, Some(body))
    }

    pub(super) fn put(&self, segments: &[&str], body: &Value) -> Result<Changed, Failure> {
        self.change(Method::PUT, segments, Some(body))
    }

    pub(super) fn delete(&self, segments: &[&str]) -> Result<Changed, Failure> {
        self.change(Method::DELETE, segments, None)
    }

    /// Closes clients' connections; the clients are given `reason`.
    pub(super) fn close(&self, segments: &[&str], reason: &str) -> Result<Changed, Failure> {
        let answer = self.client.close(&path(segments)?, reason);
        let answer = answer.map_err(|it| it.failure(Effect::Changes, &self.place, self.limit))?;
        if !self.is_administrator() && words::is_lack_of_tag(answer.status, &answer.body) {
            return Err(Refusal::Denied(Denial::LacksAdministrator).failure_of(&self.user));
        }
        self.changed(&answer)
    }

    /// Deletes something, which may take the broker minutes.
    pub(super) fn delete_patiently(&self, segments: &[&str]) -> Result<Changed, Failure> {
        let answer = self.client.ask_within(self.long, Method::DELETE, &path(segments)?, None);
        let answer = answer.map_err(|it| it.failure(Effect::Changes, &self.place, self.long))?;
        self.changed(&answer)
    }

    fn change(
        &self,
        method: Method,
        segments: &[&str],
        body: Option<&Value>,
    ) -> Result<Changed, Failure> {
        let answer = self.send(Effect::Changes, method, segments, "", body)?;
        self.changed(&answer)
    }

    /// The failure of an answer that is not a success.
    pub(super) fn refusal(&self, answer: &Answer, effect: Effect) -> Failure {
        refusal::of(answer, effect).failure_of(&self.user)
    }

    /// The result of a change, from its answer.
    pub(super) fn changed(&self, answer: &Answer) -> Result<Changed, Failure> {
        match answer.status {
            201 => Ok(Changed::Created),
            200 | 204 => Ok(Changed::Done),
            404 => Ok(Changed::Missing),
            _ => match refusal::of(answer, Effect::Changes) {
                Refusal::NoSuchUserOrVhost => Ok(Changed::Missing),
                refusal => Err(refusal.failure_of(&self.user)),
            },
        }
    }

    pub(super) fn send(
        &self,
        effect: Effect,
        method: Method,
        segments: &[&str],
        query: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Failure> {
        let path = path(segments)? + query;
        let answer = self.client.ask(method, &path, body);
        answer.map_err(|why| why.failure(effect, &self.place, self.limit))
    }

    /// The API's answer to another user who asks for their own identity.
    pub(super) fn who_is(&self, user: &str, password: &Secret) -> Result<Answer, Failure> {
        let answer = self.client.of_user(user, password).ask_first("/whoami");
        answer.map_err(|why| why.failure(Effect::Reads, &self.place, self.limit))
    }

    /// A user, with the password's hash, if it exists.
    pub(super) fn user(&self, user: &str) -> Result<Option<Value>, Failure> {
        self.get(&["users", user], "")
    }

    pub(super) fn has_user(&self, user: &str) -> Result<bool, Failure> {
        Ok(self.user(user)?.is_some())
    }

    pub(super) fn has_vhost(&self, vhost: &str) -> Result<bool, Failure> {
        Ok(self.get(&["vhosts", vhost], "")?.is_some())
    }
}

/// Reports a password that grants access and was sent unencrypted over the network.
fn report_unencrypted(options: &Options, diagnostics: Diagnostics) {
    let (user, host) = (&options.user, &options.url.host.name);
    let is_guest = user == "guest" && options.password.is("guest");
    if !options.url.tls && !is_guest && is_another_machine(host, options.timeout) {
        diagnostics.notice(&format!(
            "{host} is another machine, and http:// is not encrypted: anyone on the network can \
             learn the password of {user}, which may grant everything; use https://"
        ));
    }
}
