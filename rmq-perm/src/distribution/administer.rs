//! The broker's administration by its own internal functions, as rabbitmqctl calls them.
//!
//! They validate little, so the names that come here have been checked; what differs between
//! releases is made the same here.

use super::arguments::{acting_user, atom, list, map, resource, text, tuple};
use super::broker::{Distribution, USERS, each};
use super::{cluster, permissions, queues, users};
use crate::administration::{
    Added, Administration, Deleted, Grant, Member, Operation, Password, Patterns, Permission,
    Scope, Text, TopicPatterns, TopicPermission, User,
};
use crate::queues::Queue;
use crate::term::Term;
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

    fn delete_vhost(&mut self, vhost: &str) -> Result<Deleted, Failure> {
        if !self.vhost_exists(vhost)? {
            return Ok(Deleted::Before);
        }
        let arguments = vec![text(vhost), acting_user()];
        self.change_within(self.long, "rabbit_vhost", "delete", arguments)?;
        Ok(Deleted::Now)
    }

    fn goes_on_alone(&self) -> bool {
        true
    }

    fn list_vhosts(&mut self) -> Result<Vec<Text>, Failure> {
        let answer = self.ask("rabbit_vhost", "list_names", vec![])?;
        each(&answer, Term::text)
    }

    fn add_user(&mut self, user: &str, password: &Password, tags: &[&str]) -> Result<(), Failure> {
        users::add(self, user, password, tags)
    }

    fn put_user(
        &mut self,
        user: &str,
        password: &Password,
        tags: &[&str],
    ) -> Result<Added, Failure> {
        users::put(self, user, password, tags)
    }

    fn change_password(&mut self, user: &str, password: &Password) -> Result<(), Failure> {
        users::change_password(self, user, password)
    }

    fn delete_user(&mut self, user: &str) -> Result<Deleted, Failure> {
        users::delete(self, user)
    }

    fn set_tags(&mut self, user: &str, tags: &[&str]) -> Result<(), Failure> {
        users::set_tags(self, user, tags)
    }

    fn list_users(&mut self, hashes: bool) -> Result<Vec<User>, Failure> {
        users::list(self, hashes)
    }

    fn own_user(&self) -> Option<&str> {
        // The cookie belongs to no user.
        None
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
        permissions::require_topic_exchange(self, vhost, exchange)?;
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

    fn exchange_type(&mut self, vhost: &str, exchange: &str) -> Result<Option<Text>, Failure> {
        permissions::exchange_type(self, vhost, exchange)
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
