//! Aligned columns under a header, for people.

use super::{Listing, Value, escape};

/// The listing as a table.
pub fn table(listing: &Listing) -> String {
    let names: Vec<String> = listing.columns.iter().map(|column| column.name.to_owned()).collect();
    let header = listing.told(&names).map(|(_, name)| name.clone()).collect();
    let rows = listing.rows.iter().map(|row| listing.told(row).map(|(_, v)| shown(v)).collect());
    let lines: Vec<Vec<String>> = std::iter::once(header).chain(rows).collect();
    let columns: Vec<_> = listing.columns.iter().filter(|column| !column.implied).collect();
    let width = |column| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|value: &String| value.chars().count()).max()
    };
    let widths: Vec<usize> = (0..columns.len()).filter_map(width).collect();
    let mut text = String::new();
    for line in &lines {
        let cells = line.iter().zip(&columns).zip(&widths);
        let cells = cells.map(|((value, column), &width)| {
            if column.right { format!("{value:>width$}") } else { format!("{value:<width$}") }
        });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// An empty value would not be seen. A backslash stands for itself: patterns are full of them, and
/// only people read it.
fn shown(value: &Value) -> String {
    match &*value.in_a_line() {
        b"" => "''".to_owned(),
        bytes => escape(bytes, char::is_control),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::example;

    #[test]
    fn a_table_has_a_header_and_aligned_columns_without_what_is_implied() {
        let wanted = "name       messages  tags\n\
                      a\"\\t    12345678901  a,b,c\n\
                      größer            -  -\n\
                      ''                0  {\"x\":1}\n";
        assert_eq!(table(&example()), wanted);
    }
}
