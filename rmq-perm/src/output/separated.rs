//! A line for each row: tab-separated values for cut(1) and awk(1), comma-separated ones for
//! spreadsheets and `apply`.

use super::Listing;
use super::cell::cell;
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

/// Header and rows as RFC 4180 has them, but with a newline alone at a line's end, and such that
/// `apply` reads each cell as it is.
pub fn csv(listing: &Listing) -> Vec<u8> {
    let header: Vec<Vec<u8>> =
        listing.columns.iter().map(|column| column.name.as_bytes().to_vec()).collect();
    let rows = listing.rows.iter().map(|row| row.iter().map(super::Value::bytes).collect());
    std::iter::once(header).chain(rows).flat_map(|cells| line(&cells)).collect()
}

fn line(cells: &[Vec<u8>]) -> Vec<u8> {
    let mut line = match cells {
        // An empty line is not a row.
        [only] if only.is_empty() => b"\"\"".to_vec(),
        cells => {
            let quoted: Vec<Vec<u8>> = cells.iter().map(|cell| quoted(cell, ',')).collect();
            quoted.join(&b',')
        }
    };
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
    fn comma_separated_values_name_every_column_and_quote_what_needs_it() {
        let wanted = "vhost,name,messages,tags\n/,\"a\"\"\t\",12345678901,\"a,b,c\"\n\
                      /,größer,,\n/,,0,\"{\"\"x\"\":1}\"\n";
        assert_eq!(String::from_utf8(csv(&example())).unwrap(), wanted);
    }
}
