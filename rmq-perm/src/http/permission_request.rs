//! The request that sets the permissions of a user on a virtual host.

use crate::administration::Patterns;
use serde_json::{Value, json};

/// Where the permissions of a user on a virtual host are.
pub fn path_of<'a>(vhost: &'a str, user: &'a str) -> [&'a str; 3] {
    ["permissions", vhost, user]
}

/// What sets these permissions.
pub fn body(patterns: Patterns<&str>) -> Value {
    let Patterns { configure, write, read } = patterns;
    json!({"configure": configure, "write": write, "read": read})
}
