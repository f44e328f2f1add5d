//! The sections of the file: a header row, and the rows under it. Most files have one; `dump` writes
//! one for each kind of row.

use super::columns::{Column, Columns, Seems, seems};
use csv::StringRecord;
use rmq_common::sheet::{Row, Sheet, Written};

#[derive(Debug)]
pub struct Sections(Vec<Section>);

/// Rows with the same columns.
#[derive(Debug)]
pub struct Section {
    pub columns: Columns,
    pub rows: Vec<Line>,
}

/// A row.
#[derive(Debug)]
pub struct Line {
    /// The line on which it begins, from 1.
    pub number: u64,
    /// A sentence if it cannot be read.
    pub cells: Result<StringRecord, String>,
}

impl Sections {
    /// The sections of a file. Each row of nothing but names of columns begins one; so does one that
    /// is misspelt, which is an error: taken for a row, it would add what no one asked for.
    ///
    /// # Errors
    /// A header row is invalid.
    pub fn of(sheet: &Sheet) -> Result<Sections, String> {
        let mut all = vec![Section { columns: Columns::of(&sheet.header)?, rows: Vec::new() }];
        // If everything is in quotes, the quotes mean nothing.
        let quotes_tell = !has_quotes(&sheet.written);
        for row in &sheet.rows {
            if let Ok(cells) = row.cells.as_ref().map(without_end)
                && !(quotes_tell && has_quotes(&row.written))
                && let seems @ (Seems::Header | Seems::Misspelt) = seems(&cells)
            {
                let hint = match seems == Seems::Misspelt && quotes_tell {
                    true => " (if it is not a header row, put one of its cells in quotes)",
                    false => "",
                };
                let columns = Columns::of(&cells);
                let columns = columns.map_err(|why| format!("line {}: {why}{hint}", row.line))?;
                all.push(Section { columns, rows: Vec::new() });
            } else if let Some(section) = all.last_mut() {
                section.rows.push(line(row, section.columns.count()));
            }
        }
        Ok(Sections(all))
    }

    /// Whether any section has this column.
    pub fn have(&self, column: Column) -> bool {
        self.0.iter().any(|section| section.columns.have(column))
    }

    /// Whether any section lists all users.
    pub fn are_of_users(&self) -> bool {
        self.0.iter().any(|section| section.columns.are_of_users())
    }

    /// Whether any section describes virtual hosts or users.
    pub fn describe(&self) -> bool {
        self.0.iter().any(|section| section.columns.describe())
    }

    pub fn iter(&self) -> impl Iterator<Item = &Section> {
        self.0.iter()
    }
}

/// Whether a cell is in quotes, as a value is that could be mistaken for a column name.
fn has_quotes(written: &Written) -> bool {
    written.cells.iter().any(|cell| cell.starts_with('"'))
}

/// The cells without the empty ones at the end, which a spreadsheet adds to short rows.
fn without_end(cells: &StringRecord) -> StringRecord {
    let filled = cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()).last();
    cells.iter().take(filled.map_or(0, |(last, _)| last + 1)).collect()
}

/// The row with as many cells as its section has columns, if it has those. The sheet leaves empty
/// cells at its end out, or in, by the header of the first section.
fn line(row: &Row, columns: usize) -> Line {
    let cells = row.cells.clone().map(|cells| {
        let mut cells: Vec<&str> = cells.iter().collect();
        while cells.len() > columns && cells.last().is_some_and(|cell| cell.is_empty()) {
            cells.pop();
        }
        cells.resize(cells.len().max(columns.min(row.written.cells.len())), "");
        StringRecord::from(cells)
    });
    Line { number: row.line, cells }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Sections, String> {
        Sections::of(&Sheet::read("f.csv", text.as_bytes()).unwrap())
    }

    #[test]
    fn each_header_begins_a_section_and_its_rows_have_its_number_of_cells() {
        let text = "vhost,description,tags\n/,,\n\n\
                    user,tags\na,\n\n\
                    vhost,user,configure,write,read\n/,a,,,\n/,b,.*\n";
        let sections = of(text).unwrap();
        let cells = |section: &Section| {
            let rows = section.rows.iter();
            let row = |row: &Line| (row.number, row.cells.as_ref().unwrap().len());
            rows.map(row).collect::<Vec<_>>()
        };
        let all: Vec<_> = sections.iter().map(cells).collect();
        assert_eq!(all, [vec![(2, 3)], vec![(5, 2)], vec![(8, 5), (9, 3)]]);
        assert!(sections.have(Column::Configure) && !sections.have(Column::Exchange));
        // As a spreadsheet saves it, every row has as many cells as the longest.
        let wide = "user,tags,,,\na,,,,\nvhost,user,configure,write,read\n/,a,,,\n";
        let sections = of(wide).unwrap();
        assert_eq!(sections.iter().map(cells).collect::<Vec<_>>(), [[(2, 2)], [(4, 5)]]);
        let wide = "vhost,description,tags\n/,,\nuser,tags,\na,,\n";
        let sections = of(wide).unwrap();
        assert_eq!(sections.iter().map(cells).collect::<Vec<_>>(), [[(2, 3)], [(4, 2)]]);
    }

    #[test]
    fn what_is_no_header_is_a_row_and_a_wrong_header_is_refused() {
        // Users may have any name.
        assert_eq!(of("user\nuser\nvhost\n").unwrap().iter().count(), 1);
        assert_eq!(of("user,tags\nuser,\n").unwrap().iter().count(), 1);
        assert_eq!(of("user,tags\n\"user\",tags\n").unwrap().iter().count(), 1);
        // Some programs put all cells in quotes.
        assert_eq!(of("\"user\",\"tags\"\n\"vhost\",\"tags\"\n").unwrap().iter().count(), 2);
        let why = of("user,tags\na,\ntags,password_hash\n").unwrap_err();
        assert_eq!(why, "line 3: there is no column vhost and no column user");
        assert!(of("user,tags\na,\nuser,user\n").unwrap_err().contains("twice"));
    }

    #[test]
    fn a_misspelt_header_is_not_a_row_unless_a_cell_is_in_quotes() {
        let hint = " (if it is not a header row, put one of its cells in quotes)";
        let why = of("vhost,tags\n/,\n\nuser,tgas\na,\n").unwrap_err();
        assert_eq!(why, format!("line 4: no column 'tgas' (tags is one){hint}"));
        let why = of("vhost,tags\n/,\nusr,tgas,,\na,\n").unwrap_err();
        assert!(why.starts_with("line 3: no column 'usr' (user is one), no column 'tgas' (tags"));
        assert_eq!(of("vhost,tags\n/,\nuser,\"tgas\"\n").unwrap().iter().count(), 1);
        let why = of("\"vhost\",\"tags\"\n\"user\",\"tgas\"\n").unwrap_err();
        assert_eq!(why, "line 2: no column 'tgas' (tags is one)");
    }
}
