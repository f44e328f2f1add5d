//! The broker's administration by the management API.

use super::broker::{Changed, Http};
use super::json::{each, text};
use super::{cluster, permissions, queues, topic_permissions, users};
use crate::administration::{
    Added, Administration, Deleted, Grant, Member, Operation, Password, Patterns, Permission,
    Scope, Text, TopicGrant, TopicPatterns, TopicPermission, User,
};
use crate::queues::Queue;
use rmq_common::failure::Failure;
use serde_json::json;

impl Administration for Http {
    fn add_vhost(&mut self, vhost: &str) -> Result<Added, Failure> {
        if self.vhost_exists(vhost)? {
            return Ok(Added::Existed);
        }
        match self.put(&["vhosts", vhost], &json!({}))? {
            Changed::Created => {}
            Changed::Done | Changed::Missing => return Ok(Added::Existed),
        }
        // The API, and no other way, gives whoever adds it all permissions on it.
        let user = self.user.clone();
        self.delete(&["permissions", vhost, &user]).map_err(|failure| {
            failure.context(format!("it was added; take the permissions on it from {user}"))
        })?;
        Ok(Added::New)
    }

    fn delete_vhost(&mut self, vhost: &str) -> Result<Deleted, Failure> {
        Ok(match self.delete_patiently(&["vhosts", vhost])? {
            Changed::Missing => Deleted::Before,
            Changed::Created | Changed::Done => Deleted::Now,
        })
    }

    fn goes_on_alone(&self) -> bool {
        false
    }

    fn list_vhosts(&mut self) -> Result<Vec<Text>, Failure> {
        let answer = self.expect(&["vhosts"], "?columns=name")?;
        self.warn_of_what_is_not_seen("the virtual hosts");
        each(&answer, |vhost| text(vhost, "name"))
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
        Some(&self.user)
    }

    fn set_permissions(
        &mut self,
        user: &str,
        vhost: &str,
        patterns: Patterns<&str>,
    ) -> Result<(), Failure> {
        permissions::set(self, user, vhost, patterns)
    }

    fn set_all_permissions(
        &mut self,
        grants: &[Grant<'_>],
        made: &mut dyn FnMut() -> bool,
    ) -> Result<(), (usize, Failure)> {
        permissions::set_all(self, grants, made)
    }

    fn clear_permissions(&mut self, user: &str, vhost: &str) -> Result<(), Failure> {
        permissions::clear(self, user, vhost)
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
        topic_permissions::set(self, user, vhost, exchange, patterns)
    }

    fn set_all_topic_permissions(
        &mut self,
        grants: &[TopicGrant<'_>],
        made: &mut dyn FnMut() -> bool,
    ) -> Result<(), (usize, Failure)> {
        topic_permissions::set_all(self, grants, made)
    }

    fn clear_topic_permissions(
        &mut self,
        user: &str,
        vhost: &str,
        exchange: Option<&str>,
    ) -> Result<(), Failure> {
        topic_permissions::clear(self, user, vhost, exchange)
    }

    fn exchange_type(&mut self, vhost: &str, exchange: &str) -> Result<Option<Text>, Failure> {
        topic_permissions::exchange_type(self, vhost, exchange)
    }

    fn list_topic_permissions(&mut self, scope: &Scope) -> Result<Vec<TopicPermission>, Failure> {
        topic_permissions::list(self, scope)
    }

    fn is_allowed(
        &mut self,
        user: &str,
        vhost: &str,
        operation: Operation,
        name: &str,
    ) -> Result<bool, Failure> {
        permissions::is_allowed(self, user, vhost, operation, name)
    }

    fn objection_to(&mut self, pattern: &str) -> Result<Option<String>, Failure> {
        permissions::objection(self, pattern)
    }

    fn objections_to(
        &mut self,
        patterns: &[&str],
    ) -> Result<Vec<Option<String>>, (usize, Failure)> {
        permissions::objections(self, patterns)
    }

    fn cluster_status(&mut self) -> Result<Vec<Member>, Failure> {
        cluster::members(self)
    }

    fn list_queues(&mut self, vhost: &str, declared: bool) -> Result<Vec<Queue>, Failure> {
        queues::of_vhost(self, vhost, declared)
    }
}
