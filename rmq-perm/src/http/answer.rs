//! An answer of the API.

use serde_json::Value;

#[derive(Debug)]
pub struct Answer {
    /// The status, such as 200.
    pub status: u16,
    /// The body; null if it is empty or, in a refusal, not JSON.
    pub body: Value,
    /// The new location, in a redirection.
    pub location: Option<String>,
}
