//! A line for each row: tab-separated values for cut(1) and awk(1), comma-separated ones for
//! spreadsheets and `apply`.

use super::Listing;
use super::cell::cell;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;

/// The rows, a tab between two values, without a header.
pub fn tsv(listing: &Listing) -> String {
    let mut text = String::new();
    for row in &listing.rows {
        let values = listing.told(row).map(|(_, value)| cell(&value.in_a_line()));
        text.push_str(&values.collect::<Vec<_>>().join("\t"));
        text.push('\n');
    }
    text
}

/// Header and rows as RFC 4180 has them, but with a newline alone at a line's end.
///
/// # Errors
/// Never known to happen: nothing but memory is written to (70).
pub fn csv(listing: &Listing) -> Result<Vec<u8>, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failure = |error: &dyn std::fmt::Display| {
        Failure::new(Exit::Software, format!("write the listing: {error}"))
    };
    let header = listing.columns.iter().map(|column| column.name);
    writer.write_record(header).map_err(|error| failure(&error))?;
    for row in &listing.rows {
        let values = row.iter().map(super::Value::bytes);
        writer.write_record(values).map_err(|error| failure(&error))?;
    }
    writer.into_inner().map_err(|error| failure(&error.error()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::example;

    #[test]
    fn tab_separated_values_are_one_line_each_and_nothing_else() {
        let wanted = "a\"\\t\t12345678901\ta,b,c\ngrößer\t-\t-\n''\t0\t{\"x\":1}\n";
        assert_eq!(tsv(&example()), wanted);
    }

    #[test]
    fn comma_separated_values_name_every_column_and_quote_what_needs_it() {
        let wanted = "vhost,name,messages,tags\n/,\"a\"\"\t\",12345678901,\"a,b,c\"\n\
                      /,größer,,\n/,,0,\"{\"\"x\"\":1}\"\n";
        assert_eq!(String::from_utf8(csv(&example()).unwrap()).unwrap(), wanted);
    }
}
