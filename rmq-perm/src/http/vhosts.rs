//! Virtual hosts.

use super::broker::{Changed, Http};
use super::json::{each, text};
use crate::administration::{Added, Deleted, Text, Vhosts};
use rmq_common::failure::Failure;
use serde_json::json;

impl Vhosts for Http {
    fn add_vhost(&mut self, vhost: &str) -> Result<Added, Failure> {
        if self.has_vhost(vhost)? {
            return Ok(Added::Existed);
        }
        match self.put(&["vhosts", vhost], &json!({}))? {
            Changed::Created => {}
            Changed::Done | Changed::Missing => return Ok(Added::Existed),
        }
        // The API, unlike rabbitmqctl, gives the user who adds it all permissions on it.
        let user = self.user.clone();
        self.delete(&["permissions", vhost, &user]).map_err(|failure| {
            failure.context(format!(
                "it was added, but the permissions of {user} on it were not removed"
            ))
        })?;
        Ok(Added::New)
    }

    fn delete_vhost(&mut self, vhost: &str) -> Result<Deleted, Failure> {
        self.delete_patiently(&["vhosts", vhost]).map(Changed::deleted)
    }

    fn goes_on_alone(&self) -> bool {
        false
    }

    fn list_vhosts(&mut self) -> Result<Vec<Text>, Failure> {
        let answer = self.expect(&["vhosts"], "?columns=name")?;
        self.warn_of_what_is_not_seen("virtual hosts");
        each(&answer, |vhost| text(vhost, "name"))
    }

    fn vhost_exists(&mut self, vhost: &str) -> Result<bool, Failure> {
        self.has_vhost(vhost)
    }
}
