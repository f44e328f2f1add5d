//! Aligned columns under a header.

use super::{Listing, Value};
use rmq_common::escape::{escape, is_control};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The widest cell: one queue's arguments must not push everything else off the screen.
const WIDEST: usize = 400;

/// The listing as a table. A cell that is too wide ends in `...`; other formats show all of it.
pub fn table(listing: &Listing) -> String {
    let names: Vec<String> = listing.columns.iter().map(|column| column.name.to_owned()).collect();
    let header = listing.shown(&names).map(|(_, name)| name.clone()).collect();
    let rows = listing.rows.iter().map(|row| listing.shown(row).map(|(_, v)| shown(v)).collect());
    let lines: Vec<Vec<String>> = std::iter::once(header).chain(rows).collect();
    let columns: Vec<_> = listing.columns.iter().filter(|column| !column.implied).collect();
    let widest = |column| {
        lines.iter().filter_map(|line| line.get(column)).map(|it: &String| it.width()).max()
    };
    let widths: Vec<usize> = (0..columns.len()).filter_map(widest).collect();
    let mut text = String::new();
    for line in &lines {
        let cells = line.iter().zip(&columns).zip(&widths);
        // Rust's format width panics above 65,535.
        let cells = cells.map(|((value, column), width)| {
            let padding = " ".repeat(width.saturating_sub(value.width()));
            if column.right { padding + value } else { value.clone() + &padding }
        });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// An empty value would not be visible. A backslash is not escaped: patterns are full of them, and
/// no program reads a table.
fn shown(value: &Value) -> String {
    match &*value.in_a_line() {
        b"" => "''".to_owned(),
        bytes => cut(escape(bytes, is_control)),
    }
}

fn cut(mut text: String) -> String {
    if text.width() <= WIDEST {
        return text;
    }
    let mut width = 0;
    let end = text.char_indices().find_map(|(at, letter)| {
        width += letter.width().unwrap_or_default();
        // A sequence can be wider than the sum of its characters, but not wider than their number.
        (width > WIDEST - 3 || at > 4 * WIDEST).then_some(at)
    });
    text.truncate(end.unwrap_or(text.len()));
    text.push_str("...");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{Column, example};
    use proptest::prelude::*;

    #[test]
    fn a_table_has_a_header_and_aligned_columns_without_what_is_implied() {
        let wanted = "name       messages  tags\n\
                      a\"\\t    12345678901  a,b,c\n\
                      größer            -  -\n\
                      ''                0  {\"x\":1}\n";
        assert_eq!(table(&example()), wanted);
    }

    fn of(cells: &[Vec<u8>]) -> Listing {
        let columns = [Column::text("name"), Column::number("messages"), Column::text("arguments")];
        let mut listing = Listing::new(columns);
        for cell in cells {
            let value = || Value::Text(cell.clone());
            listing.push([value(), value(), value()]);
        }
        listing
    }

    #[test]
    fn a_cell_that_is_too_wide_is_cut_and_all_rows_are_there() {
        let wide = "x".repeat(70_000).into_bytes();
        let table = table(&of(&[wide, b"short".to_vec()]));
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[1].starts_with("xxx") && lines[1].ends_with("xx..."), "{}", lines[1].len());
        assert!(lines[2].starts_with("short  ") && lines[2].ends_with("  short"));
        assert_eq!(lines[1].width(), 3 * WIDEST + 4);
    }

    #[test]
    fn wide_and_combining_characters_do_not_shift_a_column() {
        let table = table(&of(&["漢字".into(), "e\u{301}e\u{301}e\u{301}e\u{301}".into()]));
        let columns: Vec<usize> = table.lines().map(UnicodeWidthStr::width).collect();
        assert_eq!(columns[1..], [columns[1]; 2]);
    }

    proptest! {
        #[test]
        fn no_cell_however_hostile_breaks_a_table(
            cells in prop::collection::vec(prop_oneof![
                "\\PC{0,20}".prop_map(String::into_bytes),
                prop::collection::vec(any::<u8>(), 0..40),
                prop::collection::vec(prop_oneof![
                    Just('\u{301}'), Just('漢'), Just('\u{200d}'), Just('\u{202e}'), Just('\0'),
                    Just('👩'), Just('\u{fe0f}'), any::<char>(),
                ], 0..30).prop_map(|text| text.into_iter().collect::<String>().into_bytes()),
                (0usize..200_000).prop_map(|count| vec![b'x'; count]),
                (0usize..3_000).prop_map(|count| "e\u{301}".repeat(count).into_bytes()),
            ], 0..6),
        ) {
            let table = table(&of(&cells));
            prop_assert_eq!(table.matches('\n').count(), cells.len() + 1);
            prop_assert!(!table.contains(|letter: char| letter.is_control() && letter != '\n'));
            prop_assert!(table.len() < (cells.len() + 1) * 20 * WIDEST);
        }
    }
}
