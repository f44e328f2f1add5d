//! Virtual hosts.

use super::broker::{Changed, Http};
use super::json::{each, tags, text};
use super::path::path;
use crate::administration::{Added, Deleted, Text, Vhost, VhostTraits, Vhosts};
use crate::refusal::Refusal;
use rmq_common::failure::Failure;
use serde_json::{Value, json};

impl Vhosts for Http {
    fn add_vhost(&mut self, vhost: &str, traits: &VhostTraits) -> Result<Added, Failure> {
        if self.has_vhost(vhost)? {
            return Ok(Added::Existed);
        }
        match self.put(&["vhosts", vhost], &body(traits))? {
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

    fn set_vhost(
        &mut self,
        vhost: &str,
        before: &VhostTraits,
        after: &VhostTraits,
    ) -> Result<(), Failure> {
        self.require_vhost(vhost)?;
        if before.default_queue_type != after.default_queue_type {
            // 3.10 ignores it.
            Refusal::FixedQueueType.unless(self.changes_queue_type()?)?;
        }
        self.put(&["vhosts", vhost], &body(after)).map(drop)
    }

    fn changes_queue_type(&mut self) -> Result<bool, Failure> {
        let overview = self.expect(&["overview"], "?columns=rabbitmq_version")?;
        let version = text(&overview, "rabbitmq_version").unwrap_or_default();
        Ok(!is_too_old(&String::from_utf8_lossy(&version)))
    }

    fn delete_vhost(&mut self, vhost: &str) -> Result<Deleted, Failure> {
        self.delete_patiently(&["vhosts", vhost]).map(Changed::deleted)
    }

    fn can_send(&self, name: &str) -> Result<(), Failure> {
        path(&[name]).map(drop)
    }

    fn goes_on_alone(&self) -> bool {
        false
    }

    fn list_vhosts(&mut self) -> Result<Vec<Text>, Failure> {
        let answer = self.expect(&["vhosts"], "?columns=name")?;
        self.warn_of_what_is_not_seen("virtual hosts");
        each(&answer, |vhost| text(vhost, "name"))
    }

    fn describe_vhosts(&mut self) -> Result<Vec<Vhost>, Failure> {
        let columns = "?columns=name,description,tags,default_queue_type";
        let answer = self.expect(&["vhosts"], columns)?;
        self.warn_of_what_is_not_seen("virtual hosts");
        each(&answer, described)
    }

    fn vhost_exists(&mut self, vhost: &str) -> Result<bool, Failure> {
        self.has_vhost(vhost)
    }
}

/// The request body for these traits. The API resets what is left out, except tracing.
fn body(traits: &VhostTraits) -> Value {
    let readable = |text: &Text| String::from_utf8_lossy(text).into_owned();
    let tags: Vec<_> = traits.tags.iter().map(readable).collect();
    let mut body = json!({ "description": readable(&traits.description), "tags": tags });
    if let Some(kind) = &traits.default_queue_type {
        body["default_queue_type"] = readable(kind).into();
        // The name that 3.10 uses; it ignores the other.
        body["defaultqueuetype"] = readable(kind).into();
    }
    body
}

/// Whether a release is 3.10 or earlier.
fn is_too_old(version: &str) -> bool {
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or_default());
    let (major, minor): (u32, u32) =
        (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    (major, minor) <= (3, 10)
}

fn described(vhost: &Value) -> Option<Vhost> {
    // This word means that a value is not set.
    let known = |key| text(vhost, key).filter(|value| value != b"undefined");
    let mut tags = tags(vhost).filter(|tags| *tags != [b"undefined"]).unwrap_or_default();
    tags.sort();
    let traits = VhostTraits {
        default_queue_type: known("default_queue_type"),
        description: known("description").unwrap_or_default(),
        tags,
    };
    Some(Vhost { name: text(vhost, "name")?, traits })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_up_to_3_10_cannot_change_the_type() {
        for (version, old) in [("3.10.8", true), ("3.9.1", true), ("3.11.0", false), ("4.3", false)]
        {
            assert_eq!(is_too_old(version), old, "{version}");
        }
    }

    #[test]
    fn a_virtual_host_is_read_as_it_was_put() {
        let traits = VhostTraits {
            default_queue_type: Some(b"quorum".to_vec()),
            description: b"mine".to_vec(),
            tags: vec![b"a".to_vec(), b"b".to_vec()],
        };
        for traits in [traits, VhostTraits::default()] {
            let mut put = body(&traits);
            put["name"] = json!("v");
            assert_eq!(described(&put), Some(Vhost { name: b"v".to_vec(), traits }));
        }
        let unset = "undefined";
        let undefined = json!({
            "name": "v", "default_queue_type": unset, "description": unset, "tags": unset
        });
        assert_eq!(described(&undefined).unwrap().traits, VhostTraits::default());
    }
}
