//! Virtual hosts.

use super::{Added, Deleted, Text};
use crate::refusal::Refusal;
use rmq_common::failure::Failure;

/// The broker's virtual hosts.
pub trait Vhosts {
    /// Adds a virtual host without permissions; not an error if it exists.
    fn add_vhost(&mut self, vhost: &str) -> Result<Added, Failure>;

    /// Deletes a virtual host, with all queues, messages and permissions on it; not an error if it
    /// does not exist.
    fn delete_vhost(&mut self, vhost: &str) -> Result<Deleted, Failure>;

    /// Whether the broker finishes what it has begun if the connection ends. The management
    /// API's process, which deletes a virtual host queue by queue, ends with its connection.
    fn goes_on_alone(&self) -> bool;

    /// The names of the virtual hosts.
    fn list_vhosts(&mut self) -> Result<Vec<Text>, Failure>;

    /// Whether there is such a virtual host.
    fn vhost_exists(&mut self, vhost: &str) -> Result<bool, Failure>;

    /// Checks that there is such a virtual host.
    fn require_vhost(&mut self, vhost: &str) -> Result<(), Failure> {
        Refusal::NoSuchVhost.unless(self.vhost_exists(vhost)?)
    }
}
