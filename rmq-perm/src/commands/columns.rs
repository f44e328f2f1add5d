//! The columns of a listing, as the command line names them.

use crate::session::Session;
use rmq_common::failure::Failure;
use rmq_common::nearest;

/// The columns in `given`; if it is empty, `all` with `-v`, else the first `few`.
///
/// # Errors
/// There is no such column (64).
pub fn chosen(
    given: &[String],
    all: &[&'static str],
    few: usize,
    session: &Session,
) -> Result<Vec<&'static str>, Failure> {
    among(given, all, if session.diagnostics().verbose() { all.len() } else { few })
}

fn among(given: &[String], all: &[&'static str], few: usize) -> Result<Vec<&'static str>, Failure> {
    if given.is_empty() {
        return Ok(all.iter().take(few).copied().collect());
    }
    let known = |given: &String| {
        all.iter().find(|name| *name == given).copied().ok_or_else(|| {
            let hint = nearest::hint(given, all.iter().copied());
            let all = all.join(", ");
            Failure::usage(format!("no column '{given}'{hint} (columns: {all})"))
        })
    };
    given.iter().map(known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_that_are_named_are_listed_and_others_refused() {
        let columns = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            among(&names, &["name", "type", "messages"], 2)
        };
        assert_eq!(columns(&[]).unwrap(), ["name", "type"]);
        assert_eq!(columns(&["messages", "name"]).unwrap(), ["messages", "name"]);
        let failure = columns(&["mesages"]).unwrap_err();
        assert!(failure.to_string().contains("did you mean messages?"), "{failure}");
    }
}
