//! The request that sets the permissions of a user on a virtual host.

use crate::administration::Patterns;
use serde_json::{Value, json};

/// The path of a user's permissions on a virtual host.
pub fn path_of<'a>(vhost: &'a str, user: &'a str) -> [&'a str; 3] {
    ["permissions", vhost, user]
}

/// The request body that sets these permissions.
pub fn body(patterns: Patterns<&str>) -> Value {
    let Patterns { configure, write, read } = patterns;
    json!({"configure": configure, "write": write, "read": read})
}
