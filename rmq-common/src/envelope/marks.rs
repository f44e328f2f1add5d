//! Members with a special meaning among headers.

/// The member whose value is a table as it stands, even if names in it begin with `$`.
pub(super) const TABLE: &str = "$table";
/// The member whose value is a string in base64.
pub(super) const STRING: &str = "$string_base64";
/// The member whose value is the byte of a boolean.
pub(super) const BOOLEAN: &str = "$boolean";
