//! The API, and what it answers.

use super::client::{Answer, Client, path};
use super::unanswered::{Effect, Unanswered};
use super::{Options, refusal};
use crate::administration::Text;
use crate::refused;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use serde_json::Value;
use std::cell::OnceCell;
use std::time::Duration;
use ureq::http::Method;

/// A broker, by its management API.
#[derive(Debug)]
pub struct Http {
    client: Client,
    /// Who is asked, for people.
    place: String,
    limit: Duration,
    /// Who we are there.
    pub(super) user: String,
    tags: Vec<Text>,
    /// A virtual host and a user that are there.
    pub(super) witness: OnceCell<(String, String)>,
    diagnostics: Diagnostics,
}

/// What came of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Changed {
    /// It is done, and made something new.
    Created,
    /// It is done.
    Done,
    /// There is not what it is about, and nothing was changed.
    Missing,
}

impl Http {
    /// Connects to the API that `options` name, and finds out who we are there.
    ///
    /// # Errors
    /// As [`Session::broker`](crate::session::Session::broker).
    pub fn connect(options: &Options, diagnostics: Diagnostics) -> Result<Self, Failure> {
        let place = options.url.to_string();
        let context = |failure: Failure| failure.context(format!("connect to {place}"));
        let client = Client::new(options).map_err(context)?;
        let answer = client.ask(Method::GET, "/whoami", None);
        let answer = answer.map_err(|why: Unanswered| {
            context(why.while_connecting(options.timeout, options.url.tls))
        })?;
        if let Some(failure) = refusal::of_the_first(&answer, &options.url.user) {
            return Err(context(failure));
        }
        let user = answer.body.get("name").and_then(Value::as_str);
        let Some(user) = user.map(str::to_owned) else {
            let why = "what answers there is not RabbitMQ's management API";
            return Err(context(Failure::new(Exit::Unavailable, why)));
        };
        if diagnostics.verbose() {
            diagnostics.detail(&format!("connected to {place} as {user}"));
        }
        let tags = tags(&answer.body).unwrap_or_default();
        let (limit, witness) = (options.timeout, OnceCell::new());
        Ok(Http { client, place, limit, user, tags, witness, diagnostics })
    }

    /// Whether our user sees what belongs to others.
    pub(super) fn sees_all(&self) -> bool {
        self.tags.iter().any(|tag| matches!(&**tag, b"administrator" | b"monitoring"))
    }

    /// Tells that a listing may lack what our user may not see.
    pub(super) fn warn_of_what_is_not_seen(&self, what: &str) {
        if !self.sees_all() {
            let Http { user, place, .. } = self;
            self.diagnostics.notice(&format!(
                "{user} has neither the tag administrator nor monitoring, so {place} may tell \
                 {what} only in part"
            ));
        }
    }

    /// Gets what is at a path, of which some parts may be named by `columns`; `None` where there
    /// is nothing.
    pub(super) fn get(&self, segments: &[&str], query: &str) -> Result<Option<Value>, Failure> {
        let answer = self.send(Effect::Reads, Method::GET, segments, query, None)?;
        match answer.status {
            200 => Ok(Some(answer.body)),
            404 => Ok(None),
            _ => Err(refusal::in_words(&answer, &self.user, Effect::Reads)),
        }
    }

    /// The same of what every broker has.
    pub(super) fn expect(&self, segments: &[&str], query: &str) -> Result<Value, Failure> {
        let found = self.get(segments, query)?;
        found.ok_or_else(|| broken(format!("{} has no /api/{}", self.place, segments.join("/"))))
    }

    /// Puts something at a path.
    pub(super) fn put(&self, segments: &[&str], body: &Value) -> Result<Changed, Failure> {
        self.change(Method::PUT, segments, Some(body))
    }

    /// Deletes what is at a path.
    pub(super) fn delete(&self, segments: &[&str]) -> Result<Changed, Failure> {
        self.change(Method::DELETE, segments, None)
    }

    fn change(
        &self,
        method: Method,
        segments: &[&str],
        body: Option<&Value>,
    ) -> Result<Changed, Failure> {
        let answer = self.send(Effect::Changes, method, segments, "", body)?;
        match answer.status {
            201 => Ok(Changed::Created),
            200 | 204 => Ok(Changed::Done),
            404 => Ok(Changed::Missing),
            _ if refusal::is_of_missing(&answer) => Ok(Changed::Missing),
            _ => Err(refusal::in_words(&answer, &self.user, Effect::Changes)),
        }
    }

    /// What is answered, whatever it is.
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
        answer.map_err(|why| why.in_words(effect, &self.place, self.limit))
    }

    /// That there is such a user.
    pub(super) fn require_user(&self, user: &str) -> Result<(), Failure> {
        self.user_as_it_is(user).map(drop)
    }

    /// A user, with the password's hash.
    pub(super) fn user_as_it_is(&self, user: &str) -> Result<Value, Failure> {
        self.get(&["users", user], "")?.ok_or_else(refused::no_such_user)
    }

    /// That there is such a virtual host.
    pub(super) fn require_vhost(&self, vhost: &str) -> Result<(), Failure> {
        if self.vhost_exists(vhost)? { Ok(()) } else { Err(refused::no_such_vhost()) }
    }

    /// Whether there is such a virtual host.
    pub(super) fn vhost_exists(&self, vhost: &str) -> Result<bool, Failure> {
        Ok(self.get(&["vhosts", vhost], "")?.is_some())
    }
}

/// Reads each element of a list; one that is not as expected makes the whole answer unusable.
pub(super) fn each<T>(
    answer: &Value,
    read: impl Fn(&Value) -> Option<T>,
) -> Result<Vec<T>, Failure> {
    let elements = answer.as_array().and_then(|elements| elements.iter().map(read).collect());
    elements.ok_or_else(|| broken("an answer nobody understands".to_owned()))
}

/// A text of an object.
pub(super) fn text(object: &Value, key: &str) -> Option<Text> {
    object.get(key)?.as_str().map(|text| text.as_bytes().to_vec())
}

/// The tags of a user: a list, in older releases one text with commas.
pub(super) fn tags(user: &Value) -> Option<Vec<Text>> {
    let text = |tag: &Value| tag.as_str().map(|tag| tag.as_bytes().to_vec());
    match user.get("tags")? {
        Value::Array(tags) => tags.iter().map(text).collect(),
        Value::String(tags) => {
            let tags = tags.split(',').filter(|tag| !tag.is_empty());
            Some(tags.map(|tag| tag.as_bytes().to_vec()).collect())
        }
        _ => None,
    }
}

/// A broker that does not do what all known versions do (70).
pub(super) fn broken(what: String) -> Failure {
    Failure::new(Exit::Software, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tags_are_a_list_or_a_text_with_commas() {
        let wanted = Some(vec![b"a".to_vec(), b"b".to_vec()]);
        assert_eq!(tags(&json!({"tags": ["a", "b"]})), wanted);
        assert_eq!(tags(&json!({"tags": "a,b"})), wanted);
        assert_eq!(tags(&json!({"tags": ""})), Some(vec![]));
        assert_eq!(tags(&json!({"tags": [1]})), None);
        assert_eq!(tags(&json!({})), None);
    }

    #[test]
    fn one_element_nobody_understands_makes_the_whole_answer_unusable() {
        let name = |value: &Value| text(value, "name");
        assert_eq!(each(&json!([{"name": "a"}]), name).unwrap(), [b"a"]);
        for answer in [json!([{"name": "a"}, {"name": 1}]), json!({}), Value::Null] {
            assert_eq!(each(&answer, name).unwrap_err().exit().status(), 70);
        }
    }
}
