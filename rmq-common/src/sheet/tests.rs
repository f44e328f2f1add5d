use super::*;
use proptest::prelude::*;

fn read(text: &[u8]) -> Sheet {
    Sheet::read("f.csv", text).unwrap()
}

fn cells(sheet: &Sheet) -> Vec<Vec<&str>> {
    sheet.rows.iter().map(|row| row.cells.as_ref().unwrap().iter().collect()).collect()
}

/// The whole file, as it was written.
fn whole(sheet: &Sheet) -> String {
    let rows = std::iter::once(&sheet.written).chain(sheet.rows.iter().map(|it| &it.written));
    let rows = rows.map(|Written { before, cells, end }| {
        format!("{before}{}{end}", cells.join(&sheet.delimiter.to_string()))
    });
    rows.collect::<String>() + &sheet.rest
}

#[test]
fn rows_know_their_lines_across_blank_lines_and_line_breaks_in_cells() {
    // With the byte order mark that spreadsheets write.
    let text = b"\xef\xbb\xbfqueue,arg\na,\n\n\"b\",\"x=\n1\"\r\nc,x\n";
    let sheet = read(text);
    let lines: Vec<u64> = sheet.rows.iter().map(|row| row.line).collect();
    assert_eq!(lines, [2, 4, 6]);
    assert_eq!(&sheet.rows[1].cells.as_ref().unwrap()[0], "b");
    assert_eq!(&sheet.header[0], "queue");
    assert_eq!(whole(&sheet).as_bytes(), text);
    let marks = "\u{feff}sep=;\n\u{feff}\u{feff}queue;type\na;\n";
    assert_eq!(
        (cells(&read(marks.as_bytes())), whole(&read(marks.as_bytes())).as_str()),
        (vec![vec!["a", ""]], marks)
    );
}

#[test]
fn a_row_that_is_not_utf8_is_that_rows_problem() {
    let sheet = read(b"queue\na\n\xff\nb\n");
    let whole: Vec<bool> = sheet.rows.iter().map(|row| row.cells.is_ok()).collect();
    assert_eq!(whole, [true, false, true]);
}

#[test]
fn a_quote_that_is_not_closed_is_named_by_its_line_and_swallows_no_row() {
    for (text, line, why) in [
        ("q,x,k\nu3,x,k\nu4,x,\"k\nu5,x,k\n", 3, "never closed"),
        ("q,x,k\nu3,x,k\n\"u4\n\",x,\"k\nu5,x,k\n", 4, "never closed"),
        ("q,x,k\nu3,x,k\n\"", 3, "never closed"),
        ("q,x,k\nu3,x,k\nu4,x,\"k\"\"\n", 3, "never closed"),
        ("q,x,k\nu3,x,k\nu4,x,\"k\nu5,x,\"k\"\n", 3, "has more quotes"),
    ] {
        let sheet = read(text.as_bytes());
        let [first, bad] = &sheet.rows[..] else { panic!("{text:?}: {:?}", sheet.rows) };
        assert_eq!(first.cells.as_ref().unwrap(), &["u3", "x", "k"][..]);
        assert_eq!(bad.line, line, "{text:?}");
        assert!(bad.cells.as_ref().unwrap_err().contains(why), "{text:?}: {bad:?}");
        assert_eq!(whole(&sheet), text);
    }
    let failure = Sheet::read("f", &b"queue,\"type\na,\n"[..]).unwrap_err();
    assert_eq!(failure.exit().status(), 65);
    assert!(failure.to_string().contains("f: line 1: a quote opens here"), "{failure}");
}

#[test]
fn a_file_without_a_header_is_refused() {
    for text in [&b""[..], b"\n\n", b"\xff\n", b"# queue\n", b"\xff\xfeq\0", b"q\0\n\0"] {
        assert_eq!(Sheet::read("f", text).unwrap_err().exit().status(), 65, "{text:?}");
    }
    let utf16 = Sheet::read("f", &b"q\0\n\0"[..]).unwrap_err();
    assert!(utf16.to_string().contains("it is UTF-16"), "{utf16}");
}

#[test]
fn a_file_without_rows_gives_a_notice() {
    for text in ["queue\n", "queue", "# x\nqueue\n,\n# y\n"] {
        let sheet = read(text.as_bytes());
        let last = sheet.notices.last().map(String::as_str);
        assert_eq!(last, Some("f.csv: no row follows the header row"), "{text:?}");
        assert_eq!(whole(&sheet), text);
    }
}

#[test]
fn what_spreadsheets_put_between_cells_is_recognised() {
    for text in
        ["queue;type\na;\"x;y\"\n", "queue\ttype\na\tx;y\n", "sep=;\r\nqueue;type\r\na;\"x;y\"\r\n"]
    {
        let sheet = read(text.as_bytes());
        assert_eq!(sheet.header, ["queue", "type"][..]);
        assert_eq!(cells(&sheet), [["a", "x;y"]]);
        assert_eq!(whole(&sheet), text);
    }
    // Only the header decides, and a comma in it is a comma.
    assert_eq!(cells(&read(b"queue,type;x\na;b,c\n")), [["a;b", "c"]]);
    assert_eq!(cells(&read(b"queue\na;b\n")), [["a;b"]]);
}

#[test]
fn empty_columns_at_the_end_are_no_columns() {
    let sheet = read(b"queue,type,,\na,quorum,,\nb,,\nc,,,x\nd\n");
    assert_eq!(sheet.header, ["queue", "type"][..]);
    let wanted = [&["a", "quorum"][..], &["b", ""], &["c", "", "", "x"], &["d"]];
    assert_eq!(cells(&sheet), wanted);
}

#[test]
fn rows_of_empty_cells_are_no_rows_and_are_kept_as_they_were_written() {
    let text = ",,\nqueue,type,arg\n,,\n \t, ,\na,,\n# b,,\n\"\",\"\",\"\"\nc,,\n,,\n,,\n";
    let sheet = read(text.as_bytes());
    assert_eq!(sheet.header, ["queue", "type", "arg"][..]);
    assert_eq!(cells(&sheet), [["a", "", ""], ["c", "", ""]]);
    assert_eq!(sheet.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [5, 8]);
    assert_eq!(sheet.notices.len(), 1, "{:?}", sheet.notices);
    assert!(sheet.notices[0].contains("the line '# b,,' is a comment"));
    assert_eq!(whole(&sheet), text);
    // Blanks in quotes are a name, even if a strange one.
    assert_eq!(cells(&read(b"queue,type\n\" \",\n")), [[" ", ""]]);
}

#[test]
fn comments_and_blanks_are_left_out_and_told_and_quotes_keep_them() {
    let text =
        "# queues of\nqueue , type\n orders ,quorum\n\n#old,classic\n\"#new\",\n\" kept \",\n# end";
    let sheet = read(text.as_bytes());
    assert_eq!(sheet.header, ["queue", "type"][..]);
    let wanted = [["orders", "quorum"], ["#new", ""], [" kept ", ""]];
    assert_eq!(cells(&sheet), wanted);
    assert_eq!(sheet.rows[1].line, 6);
    assert_eq!(sheet.notices.len(), 2, "{:?}", sheet.notices);
    assert!(sheet.notices[0].contains("3 lines are comments, the first '# queues of'"));
    assert!(sheet.notices[1].contains("line 2: blanks at the ends of a cell"));
    assert_eq!(whole(&sheet), text);
    assert!(read(b"queue\na\n").notices.is_empty());
}

proptest! {
    /// The reader and the splitter see the same rows and cells in any text.
    #[test]
    fn what_is_kept_is_what_was_written(
        text in "(q|,|;|\"|\"\"|\n|\r\n|\r|#|\t| |é|sep=;\n|\u{feff}){0,40}",
        header in prop_oneof![Just(""), Just("a,b\n"), Just("a;b\n"), Just("\u{feff}a\n")],
    ) {
        let text = format!("{header}{text}");
        let Ok(sheet) = Sheet::read("f", text.as_bytes()) else { return Ok(()) };
        prop_assert_eq!(whole(&sheet), &*text);
        for row in &sheet.rows {
            let Ok(cells) = &row.cells else {
                prop_assert!(row.written.cells.iter().any(|cell| cell.starts_with('"')));
                continue;
            };
            for (cell, written) in cells.iter().zip(&row.written.cells) {
                let plain = match written.starts_with('"') {
                    true => written.contains(cell) || written.contains('"'),
                    false => written.trim() == cell,
                };
                prop_assert!(plain, "{:?} {:?}", cell, written);
            }
            prop_assert!(cells.len() <= row.written.cells.len());
        }
    }

    #[test]
    fn a_cell_in_quotes_is_read_as_it_is(
        first in "(#|é| |,|;|\"|\n|\r|a|\u{feff}|\t){0,6}x?", second in "\\PC{0,6}",
    ) {
        let line = [first.as_str(), second.as_str(), "end"]
            .map(|cell| String::from_utf8(quoted(cell.as_bytes(), ',')).unwrap()).join(",");
        let sheet = Sheet::read("f", format!("a,b,c\n{line}\n").as_bytes()).unwrap();
        let row: Vec<&str> = sheet.rows[0].cells.as_ref().unwrap().iter().collect();
        prop_assert_eq!(row, [first.as_str(), second.as_str(), "end"]);
    }
}
