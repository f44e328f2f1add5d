//! Paths of the API.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rmq_common::failure::Failure;

/// Everything else in a segment of a path is escaped.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `/users/NAME/permissions`, from its segments.
///
/// # Errors
/// A segment is `.` or `..` (65), which servers and proxies resolve.
pub fn path(segments: &[&str]) -> Result<String, Failure> {
    let mut path = String::new();
    for segment in segments {
        if matches!(*segment, "." | "..") {
            return Err(Failure::data(format!(
                "the name '{segment}' cannot be sent over HTTP; use Erlang distribution (--node)"
            )));
        }
        path.push('/');
        path.extend(utf8_percent_encode(segment, SEGMENT));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_segment_of_a_path_whatever_is_in_it() {
        assert_eq!(path(&["users", "a/b ?#%ü\n"]).unwrap(), "/users/a%2Fb%20%3F%23%25%C3%BC%0A");
        assert_eq!(path(&["vhosts", "/"]).unwrap(), "/vhosts/%2F");
        assert_eq!(path(&["users", "...", "a..b"]).unwrap(), "/users/.../a..b");
        for name in [".", ".."] {
            assert_eq!(path(&["vhosts", name]).unwrap_err().exit().status(), 65);
        }
    }
}
