//! Virtual hosts.

use super::{Added, Deleted, Text};
use crate::refusal::Refusal;
use rmq_common::failure::Failure;

/// The broker's virtual hosts.
pub trait Vhosts {
    /// Adds a virtual host with these traits, without permissions. Does nothing if it exists.
    fn add_vhost(&mut self, vhost: &str, traits: &VhostTraits) -> Result<Added, Failure>;

    /// Changes a virtual host from `before` to `after`; queues and permissions stay.
    ///
    /// # Errors
    /// The release cannot change the default queue type (65).
    fn set_vhost(
        &mut self,
        vhost: &str,
        before: &VhostTraits,
        after: &VhostTraits,
    ) -> Result<(), Failure>;

    /// Whether the release can change the default queue type of an existing virtual host.
    fn changes_queue_type(&mut self) -> Result<bool, Failure>;

    /// Deletes a virtual host, with all queues, messages and permissions on it; not an error if it
    /// does not exist.
    fn delete_vhost(&mut self, vhost: &str) -> Result<Deleted, Failure>;

    /// Whether the broker finishes an operation if the connection ends. The management API's
    /// process, which deletes a virtual host queue by queue, ends with its connection.
    fn goes_on_alone(&self) -> bool;

    /// Checks that a request can contain this name of a virtual host or a user.
    ///
    /// # Errors
    /// It cannot (65).
    fn can_send(&self, name: &str) -> Result<(), Failure>;

    /// The names of the virtual hosts.
    fn list_vhosts(&mut self) -> Result<Vec<Text>, Failure>;

    /// The virtual hosts and their traits.
    fn describe_vhosts(&mut self) -> Result<Vec<Vhost>, Failure>;

    /// Whether there is such a virtual host.
    fn vhost_exists(&mut self, vhost: &str) -> Result<bool, Failure>;

    /// Checks that there is such a virtual host.
    fn require_vhost(&mut self, vhost: &str) -> Result<(), Failure> {
        Refusal::NoSuchVhost.unless(self.vhost_exists(vhost)?)
    }
}

/// A virtual host and its traits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vhost {
    pub name: Text,
    pub traits: VhostTraits,
}

/// The traits of a virtual host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VhostTraits {
    /// The type of a queue that is declared without one; `None`: the release's, which is `classic`.
    pub default_queue_type: Option<Text>,
    pub description: Text,
    /// Sorted.
    pub tags: Vec<Text>,
}

/// Changes to the traits of a virtual host; `None` leaves one as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VhostChange {
    pub default_queue_type: Option<String>,
    pub description: Option<String>,
    /// Sorted.
    pub tags: Option<Vec<String>>,
}

impl VhostChange {
    /// The traits of an existing virtual host after this change. If no type is set, it is classic.
    pub fn of_existing(&self, before: &VhostTraits) -> VhostTraits {
        let after = self.of(before);
        let is_same = before.default_queue_type.is_none()
            && self.default_queue_type.as_deref() == Some("classic");
        VhostTraits { default_queue_type: after.default_queue_type.filter(|_| !is_same), ..after }
    }

    /// The traits of a virtual host after this change.
    pub fn of(&self, before: &VhostTraits) -> VhostTraits {
        let bytes = |text: &String| text.clone().into_bytes();
        let VhostTraits { default_queue_type, description, tags } = before.clone();
        VhostTraits {
            default_queue_type: self.default_queue_type.as_ref().map(bytes).or(default_queue_type),
            description: self.description.as_ref().map_or(description, bytes),
            tags: self.tags.as_ref().map_or(tags, |tags| tags.iter().map(bytes).collect()),
        }
    }
}
