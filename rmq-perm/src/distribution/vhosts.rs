//! Virtual hosts.

use super::arguments::{acting_user, text};
use super::broker::{Distribution, each};
use crate::administration::{Added, Deleted, Text, Vhosts};
use crate::term::Term;
use rmq_common::failure::Failure;

impl Vhosts for Distribution {
    fn add_vhost(&mut self, vhost: &str) -> Result<Added, Failure> {
        // Whether adding it again is an error depends on the release.
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

    fn vhost_exists(&mut self, vhost: &str) -> Result<bool, Failure> {
        Ok(self.ask("rabbit_vhost", "exists", vec![text(vhost)])?.is_atom("true"))
    }
}
