//! Users. The API replaces a user as a whole, so what is to stay is fetched first and sent again.

use super::broker::{Changed, Http};
use super::json::{each, tags, text};
use super::refusal;
use crate::administration::{Added, Deleted, Password, User, Users};
use crate::refusal::{Denial, Refusal};
use crate::unanswered::Effect;
use rmq_common::failure::Failure;
use rmq_common::secret::Secret;
use serde_json::{Map, Value, json};

impl Users for Http {
    fn add_user(&mut self, user: &str, password: &Password, tags: &[&str]) -> Result<(), Failure> {
        if self.has_user(user)? {
            return Err(Refusal::UserExists.failure());
        }
        match self.put_user(user, password, tags)? {
            Added::New => Ok(()),
            Added::Existed => Err(Failure::data(
                "another client added the user at the same time; the user now has this password \
                 and these tags",
            )),
        }
    }

    fn put_user(
        &mut self,
        user: &str,
        password: &Password,
        tags: &[&str],
    ) -> Result<Added, Failure> {
        let mut body = with(password);
        body.insert("tags".to_owned(), json!(tags));
        Ok(match self.put(&["users", user], &body.into())? {
            Changed::Created => Added::New,
            Changed::Done | Changed::Missing => Added::Existed,
        })
    }

    fn change_password(&mut self, user: &str, password: &Password) -> Result<(), Failure> {
        let before = existing(self, user)?;
        let mut body = with(password);
        body.insert("tags".to_owned(), before.get("tags").cloned().unwrap_or_else(|| json!([])));
        self.put(&["users", user], &body.into()).map(drop)
    }

    fn authenticate(&mut self, user: &str, password: &Secret) -> Result<bool, Failure> {
        if user.contains(':') {
            let why = "a user's name with a colon in it cannot be sent over HTTP";
            return Err(Failure::usage(why));
        }
        let answer = self.who_is(user, password)?;
        if answer.status == 200 {
            return Ok(true);
        }
        match refusal::of(&answer, Effect::Reads) {
            Refusal::Denied(Denial::LoginFailed) => Ok(false),
            // The password was accepted; what is refused is the use of the API.
            Refusal::Denied(Denial::LacksManagement | Denial::LocalhostOnly) => Ok(true),
            refusal => Err(refusal.failure_of(user)),
        }
    }

    fn delete_user(&mut self, user: &str) -> Result<Deleted, Failure> {
        self.delete(&["users", user]).map(Changed::deleted)
    }

    fn set_tags(&mut self, user: &str, tags: &[&str]) -> Result<(), Failure> {
        let before = existing(self, user)?;
        let mut body = Map::new();
        body.insert("tags".to_owned(), json!(tags));
        for key in ["password_hash", "hashing_algorithm"] {
            body.insert(key.to_owned(), before.get(key).cloned().unwrap_or_default());
        }
        self.put(&["users", user], &body.into()).map(drop)
    }

    fn list_users(&mut self, hashes: bool) -> Result<Vec<User>, Failure> {
        let columns =
            if hashes { "?columns=name,tags,password_hash" } else { "?columns=name,tags" };
        let answer = self.expect(&["users"], columns)?;
        each(&answer, |user| {
            // A user who has never had a password may have none here either.
            let hash = user.get("password_hash").and_then(Value::as_str).unwrap_or_default();
            let hash = hashes.then(|| Secret::new(hash));
            Some(User { name: text(user, "name")?, tags: tags(user)?, hash })
        })
    }

    fn own_user(&self) -> Option<&str> {
        Some(&self.user)
    }

    fn user_exists(&mut self, user: &str) -> Result<bool, Failure> {
        self.has_user(user)
    }
}

fn existing(broker: &Http, user: &str) -> Result<Value, Failure> {
    broker.user(user)?.ok_or_else(|| Refusal::NoSuchUser.failure())
}

fn with(password: &Password) -> Map<String, Value> {
    let of = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect()
    };
    match password {
        Password::Clear(password) => of(&[("password", password.reveal())]),
        Password::Hashed(hash) => of(&[
            ("password_hash", hash.base64()),
            // Without it, the broker assumes its configured algorithm.
            ("hashing_algorithm", &hash.module()),
        ]),
        Password::None => of(&[("password_hash", "")]),
    }
}
