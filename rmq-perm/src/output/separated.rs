//! A line for each row: tab-separated values for cut(1) and awk(1), comma-separated ones for
//! spreadsheets and `apply`.

use super::Listing;
use super::cell::cell;
use crate::apply::columns::{Seems, seems};
use rmq_common::sheet::quoted;

/// The rows, a tab between two values, without a header.
pub fn tsv(listing: &Listing) -> String {
    let mut text = String::new();
    for row in &listing.rows {
        let values = listing.shown(row).map(|(_, value)| cell(&value.in_a_line()));
        text.push_str(&values.collect::<Vec<_>>().join("\t"));
        text.push('\n');
    }
    text
}

/// Header and rows as in RFC 4180, but with only a newline at the end of a line, and such that
/// `apply` reads each cell unchanged.
pub fn csv(listing: &Listing) -> Vec<u8> {
    let header: Vec<Vec<u8>> =
        listing.columns.iter().map(|column| column.name.as_bytes().to_vec()).collect();
    let rows = listing.rows.iter().map(|row| row.iter().map(super::Value::bytes).collect());
    let rows = rows.flat_map(|cells: Vec<Vec<u8>>| line(&cells, seems_header(&cells)));
    line(&header, false).into_iter().chain(rows).collect()
}

/// Whether `apply` could take a row for a header, or for one that is misspelt.
fn seems_header(cells: &[Vec<u8>]) -> bool {
    let cells: Vec<_> = cells.iter().map(|cell| String::from_utf8_lossy(cell)).collect();
    seems(cells.iter().map(|cell| &**cell)) != Seems::Row
}

/// With `in_quotes`, the first cell is, too: the row could be taken for a header.
fn line(cells: &[Vec<u8>], in_quotes: bool) -> Vec<u8> {
    let mut cells: Vec<Vec<u8>> = cells.iter().map(|cell| quoted(cell, ',')).collect();
    match &mut *cells {
        // An empty line is not read as a row.
        [only] if only.is_empty() => *only = b"\"\"".to_vec(),
        [first, ..] if in_quotes => *first = [b"\"", &**first, b"\""].concat(),
        _ => {}
    }
    let mut line = cells.join(&b',');
    line.push(b'\n');
    line
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
    fn a_row_of_names_of_columns_cannot_be_taken_for_a_header() {
        let columns = ["user", "tags"].map(super::super::Column::text);
        let mut listing = Listing::new(columns);
        for tags in ["tags", "vhost", "tgas", "monitoring", ""] {
            let texts = ["user", tags].map(|text| super::super::Value::Text(text.into()));
            listing.push(texts);
        }
        let wanted =
            "user,tags\n\"user\",tags\n\"user\",vhost\n\"user\",tgas\nuser,monitoring\nuser,\n";
        assert_eq!(String::from_utf8(csv(&listing)).unwrap(), wanted);
    }

    #[test]
    fn comma_separated_values_name_every_column_and_quote_what_needs_it() {
        let wanted = "vhost,name,messages,tags\n/,\"a\"\"\t\",12345678901,\"a,b,c\"\n\
                      /,größer,,\n/,,0,\"{\"\"x\"\":1}\"\n";
        assert_eq!(String::from_utf8(csv(&example())).unwrap(), wanted);
    }
}
