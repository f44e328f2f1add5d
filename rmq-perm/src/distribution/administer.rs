//! The broker's administration by its own internal functions, as rabbitmqctl calls them.
//!
//! They validate little, so the names that come here have been checked; what differs between
//! releases is made the same here.

use super::arguments::{acting_user, atom, binary, list, map, resource, text, tuple};
use super::broker::{Distribution, USERS, each};
use super::term::Term;
use super::{cluster, permissions, queues};
use crate::administration::{
    Added, Administration, Grant, Member, Operation, Password, Patterns, Permission, Scope, Text,
    TopicPatterns, TopicPermission, User,
};
use crate::queues::Queue;
use crate::refused;
use rmq_common::failure::Failure;

impl Administration for Distribution {
    fn add_vhost(&mut self, vhost: &str) -> Result<Added, Failure> {
        // Adding it again is an error, or none, depending on the release.
        if self.vhost_exists(vhost)? {
            return Ok(Added::Existed);
        }
        self.change("rabbit_vhost", "add", vec![text(vhost), acting_user()])?;
        Ok(Added::New)
    }

    fn delete_vhost(&mut self, vhost: &str) -> Result<(), Failure> {
        self.require_vhost(vhost)?;
        let arguments = vec![text(vhost), acting_user()];
        self.change_within(self.long, "rabbit_vhost", "delete", arguments)
    }

    fn list_vhosts(&mut self) -> Result<Vec<Text>, Failure> {
        let answer = self.ask("rabbit_vhost", "list_names", vec![])?;
        each(&answer, Term::text)
    }

    fn add_user(&mut self, user: &str, password: &Password) -> Result<(), Failure> {
        let hash = match password {
            Password::Clear(password) => {
                let arguments = vec![text(user), text(password.reveal()), acting_user()];
                return self.change(USERS, "add_user", arguments);
            }
            Password::Hashed(hash) => hash.base64(),
            Password::None => "",
        };
        // The one function that takes a hash in every release also changes a user who is there.
        if self.user_exists(user)? {
            return Err(refused::user_exists());
        }
        let user = [("name", text(user)), ("password_hash", text(hash)), ("tags", list(vec![]))];
        self.change(USERS, "put_user", vec![map(user), acting_user()])
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
                let hash = binary(hash.bytes());
                self.change(USERS, "change_password_hash", vec![user, hash])
            }
            Password::None => self.change(USERS, "clear_password", vec![user, acting_user()]),
        }
    }

    fn delete_user(&mut self, user: &str) -> Result<(), Failure> {
        // No error of itself from 4.0 on.
        self.require_user(user)?;
        self.change(USERS, "delete_user", vec![text(user), acting_user()])
    }

    fn set_tags(&mut self, user: &str, tags: &[&str]) -> Result<(), Failure> {
        let tags = list(tags.iter().map(|tag| text(tag)).collect());
        self.change(USERS, "set_tags", vec![text(user), tags, acting_user()])
    }

    fn list_users(&mut self) -> Result<Vec<User>, Failure> {
        let answer = self.ask(USERS, "list_users", vec![])?;
        each(&answer, |user| {
            let tags = user.property("tags")?.list()?.iter().map(Term::text);
            Some(User { name: user.property("user")?.text()?, tags: tags.collect::<Option<_>>()? })
        })
    }

    fn set_permissions(
        &mut self,
        user: &str,
        vhost: &str,
        patterns: Patterns<&str>,
    ) -> Result<(), Failure> {
        let arguments = permissions::arguments(&Grant { user, vhost, patterns });
        self.change(USERS, "set_permissions", arguments)
    }

    fn set_all_permissions(
        &mut self,
        grants: &[Grant<'_>],
        made: &mut dyn FnMut() -> bool,
    ) -> Result<(), (usize, Failure)> {
        let all = grants.iter().map(permissions::arguments);
        self.change_all(USERS, "set_permissions", all, made)
    }

    fn clear_permissions(&mut self, user: &str, vhost: &str) -> Result<(), Failure> {
        // Neither is an error of itself from 4.0 on.
        self.require_user(user)?;
        self.require_vhost(vhost)?;
        self.change(USERS, "clear_permissions", vec![text(user), text(vhost), acting_user()])
    }

    fn list_permissions(&mut self, scope: &Scope) -> Result<Vec<Permission>, Failure> {
        permissions::list(self, scope)
    }

    fn set_topic_permissions(
        &mut self,
        user: &str,
        vhost: &str,
        exchange: &str,
        patterns: TopicPatterns<&str>,
    ) -> Result<(), Failure> {
        self.require_user(user)?;
        self.require_vhost(vhost)?;
        permissions::require_exchange(self, vhost, exchange)?;
        let arguments = [user, vhost, exchange, patterns.write, patterns.read].map(text);
        let arguments = arguments.into_iter().chain([acting_user()]).collect();
        self.change(USERS, "set_topic_permissions", arguments)
    }

    fn clear_topic_permissions(
        &mut self,
        user: &str,
        vhost: &str,
        exchange: Option<&str>,
    ) -> Result<(), Failure> {
        self.require_user(user)?;
        self.require_vhost(vhost)?;
        let names = [Some(user), Some(vhost), exchange];
        let arguments = names.into_iter().flatten().map(text).chain([acting_user()]).collect();
        self.change(USERS, "clear_topic_permissions", arguments)
    }

    fn list_topic_permissions(&mut self, scope: &Scope) -> Result<Vec<TopicPermission>, Failure> {
        permissions::list_topic(self, scope)
    }

    fn is_allowed(
        &mut self,
        user: &str,
        vhost: &str,
        operation: Operation,
        name: &str,
    ) -> Result<bool, Failure> {
        self.require_user(user)?;
        self.require_vhost(vhost)?;
        let user = tuple([atom("auth_user"), text(user), list(vec![]), atom("none")]);
        let operation = atom(match operation {
            Operation::Configure => "configure",
            Operation::Write => "write",
            Operation::Read => "read",
        });
        let arguments = vec![user, resource(vhost, "queue", name), operation, map([])];
        Ok(self.ask(USERS, "check_resource_access", arguments)?.is_atom("true"))
    }

    fn objection_to(&mut self, pattern: &str) -> Result<Option<String>, Failure> {
        permissions::objection(self, pattern)
    }

    fn cluster_status(&mut self) -> Result<Vec<Member>, Failure> {
        cluster::members(self, self.limit / 2)
    }

    fn list_queues(&mut self, vhost: &str, declared: bool) -> Result<Vec<Queue>, Failure> {
        queues::of_vhost(self, vhost, declared)
    }
}
