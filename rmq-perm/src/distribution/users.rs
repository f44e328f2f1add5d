//! Users.

use super::arguments::{self, acting_user, atom, binary, map, text};
use super::broker::{Distribution, USERS, each, unexpected};
use crate::administration::{Added, Deleted, Password, User, Users};
use crate::password_hash::PasswordHash;
use crate::refusal::{Refusal, words};
use crate::term::Term;
use erl_dist::term as sent;
use rmq_common::failure::Failure;
use rmq_common::secret::Secret;

impl Users for Distribution {
    fn add_user(&mut self, user: &str, password: &Password, tags: &[&str]) -> Result<(), Failure> {
        if let Password::Clear(password) = password {
            let arguments = vec![text(user), text(password.reveal()), acting_user()];
            self.change(USERS, "add_user", arguments)?;
            return if tags.is_empty() { Ok(()) } else { self.set_tags(user, tags) };
        }
        // The only function that accepts a hash in every release also changes an existing user.
        if self.user_exists(user)? {
            return Err(Refusal::UserExists.failure());
        }
        put_hash(self, user, password, tags)
    }

    fn put_user(
        &mut self,
        user: &str,
        password: &Password,
        tags: &[&str],
    ) -> Result<Added, Failure> {
        if !self.user_exists(user)? {
            self.add_user(user, password, tags)?;
            return Ok(Added::New);
        }
        if matches!(password, Password::Clear(_)) {
            self.change_password(user, password)?;
            self.set_tags(user, tags)?;
        } else {
            put_hash(self, user, password, tags)?;
        }
        Ok(Added::Existed)
    }

    fn change_password(&mut self, user: &str, password: &Password) -> Result<(), Failure> {
        self.require_user(user)?;
        let user = text(user);
        match password {
            Password::Clear(password) => {
                let password = text(password.reveal());
                self.change(USERS, "change_password", vec![user, password, acting_user()])
            }
            Password::Hashed(hash) => {
                let (bytes, algorithm) = (binary(hash.bytes()), atom(&hash.module()));
                self.change(USERS, "change_password_hash", vec![user, bytes, algorithm])
            }
            Password::None => self.change(USERS, "clear_password", vec![user, acting_user()]),
        }
    }

    fn authenticate(&mut self, user: &str, password: &Secret) -> Result<bool, Failure> {
        let arguments = vec![text(user), text(password.reveal())];
        let answer = self.ask("rabbit_access_control", "check_user_pass_login", arguments)?;
        words::is_login(&answer).ok_or_else(|| unexpected(&answer))
    }

    fn delete_user(&mut self, user: &str) -> Result<Deleted, Failure> {
        // Before 4.0 the broker reports a missing user as an error.
        if !self.user_exists(user)? {
            return Ok(Deleted::Before);
        }
        self.change(USERS, "delete_user", vec![text(user), acting_user()])?;
        Ok(Deleted::Now)
    }

    fn set_tags(&mut self, user: &str, tags: &[&str]) -> Result<(), Failure> {
        self.change(USERS, "set_tags", vec![text(user), tag_list(tags), acting_user()])
    }

    fn list_users(&mut self, hashes: bool) -> Result<Vec<User>, Failure> {
        if hashes {
            let answer = self.ask(USERS, "all_users", vec![])?;
            return each(&answer, record);
        }
        let answer = self.ask(USERS, "list_users", vec![])?;
        each(&answer, |user| {
            let tags = user.property("tags")?.list()?.iter().map(Term::text);
            let (name, tags) = (user.property("user")?.text()?, tags.collect::<Option<_>>()?);
            Some(User { name, tags, hash: None })
        })
    }

    fn own_user(&self) -> Option<&str> {
        // The cookie belongs to no user.
        None
    }

    fn user_exists(&mut self, user: &str) -> Result<bool, Failure> {
        Ok(self.ask(USERS, "exists", vec![text(user)])?.is_atom("true"))
    }
}

fn put_hash(
    broker: &mut Distribution,
    user: &str,
    password: &Password,
    tags: &[&str],
) -> Result<(), Failure> {
    let user = [("name", text(user)), ("tags", tag_list(tags))];
    let user = match password {
        Password::Hashed(hash) => {
            let [name, tags] = user;
            let (hash, algorithm) = (text(hash.base64()), text(&hash.module()));
            map([name, tags, ("password_hash", hash), ("hashing_algorithm", algorithm)])
        }
        Password::Clear(_) | Password::None => {
            let [name, tags] = user;
            map([name, tags, ("password_hash", text(""))])
        }
    };
    broker.change(USERS, "put_user", vec![user, acting_user()])
}

fn tag_list(tags: &[&str]) -> sent::Term {
    arguments::list(tags.iter().map(|tag| text(tag)).collect())
}

/// `{internal_user, Name, PasswordHash, Tags, HashingAlgorithm, ...}`, in every release from 3.10 to 4.3.
fn record(user: &Term) -> Option<User> {
    let [name, hash, tags, ..] = user.tagged("internal_user")? else { return None };
    let hash = match hash {
        Term::Binary(bytes) => bytes.as_slice(),
        // A user without a password.
        _ => &[],
    };
    let tags = tags.list()?.iter().map(Term::text).collect::<Option<_>>()?;
    Some(User { name: name.text()?, tags, hash: Some(PasswordHash::encode(hash)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_read_from_the_brokers_record_with_or_without_a_hash() {
        let atom = |name: &str| Term::Atom(name.to_owned());
        let user = |hash: Term| {
            let tags = Term::List(vec![atom("administrator")]);
            let name = Term::Binary(b"u".to_vec());
            record(&Term::Tuple(vec![
                atom("internal_user"),
                name,
                hash,
                tags,
                atom("x"),
                Term::Opaque,
            ]))
        };
        let read = user(Term::Binary(vec![1, 2, 3])).unwrap();
        assert_eq!((&*read.name, read.tags), (&b"u"[..], vec![b"administrator".to_vec()]));
        assert_eq!(read.hash, Some(Secret::new("AQID")));
        assert_eq!(user(atom("undefined")).unwrap().hash, Some(Secret::new("")));
        assert_eq!(record(&atom("internal_user")), None);
    }
}
