//! `rmq-declare --csv`.

mod many;

use rmq_tests::brokers;
use rmq_tests::cluster::Cluster;
use rmq_tests::scale::{random, scale};
use rmq_tests::tool::Ended;
use rmq_tests::vhost::Vhost;
use std::time::Duration;

const HEADER: &str = "queue,type,max-length,max-bytes,overflow,message-ttl,dead-letter-exchange,\
                      dead-letter-key,single-active-consumer,max-age,max-priority,transient,arg,arg,bind";

/// A row that can be declared, as the tool itself would write it.
fn row(random: &mut fastrand::Rng, number: usize) -> String {
    const ODD: [&str; 8] = ["", " ", ",x", "\"", "é", "\t", "''", ";|"];
    let queue = format!("q{number}{}", random.choice(ODD).unwrap());
    let kind = random.choice(["", "quorum", "classic", "classic", "stream"]).unwrap();
    let (stream, classic) = (kind == "stream", kind == "classic");
    let mut maybe = |possible: bool, values: &[&str]| {
        let value = random.choice(values).copied().unwrap_or_default();
        if possible && random.bool() { value.to_owned() } else { String::new() }
    };
    let exchange = maybe(!stream, &["''", "dead", "a,b", "x \"y\""]);
    let cells = [
        queue,
        kind.to_owned(),
        maybe(!stream, &["0", "7", "100000"]),
        maybe(true, &["10000000", "999999999"]),
        maybe(!stream, &["drop-head", "reject-publish"]),
        maybe(!stream, &["0", "1500ms", "90s", "1m", "3650d"]),
        exchange.clone(),
        maybe(!exchange.is_empty(), &["''", "key", "5", "a.b,c"]),
        maybe(!stream, &["true"]),
        maybe(stream, &["7D", "1Y", "90m", "6M"]),
        maybe(classic, &["0", "5", "255"]),
        maybe(classic, &["true"]),
        maybe(true, &["x-own=1", "x-own={\"a\":[1,2.5]}"]),
        maybe(true, &["x-other=\"5\"", "x-other=word"]),
        maybe(true, &["amq.topic:k.#", "{\"source\":\"amq.headers\",\"arguments\":{\"n\":1}}"]),
    ];
    let quoted = cells.map(|cell| match cell.contains([',', '"', '\n']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell,
    });
    quoted.join(",")
}

fn run(vhost: &Vhost<'_>, words: &[&str], file: &str) -> Ended {
    let tool = vhost.tool("rmq-declare").arguments(&["--quiet"]).arguments(words);
    tool.arguments(&["--csv", "-"]).timeout(Duration::from_secs(300)).input(file).run()
}

#[test]
fn what_a_file_declares_is_what_a_check_writes_again() {
    let vhost = Vhost::new(brokers::one());
    let mut random = random("csv");
    let rows: Vec<String> = (0..scale().rows).map(|number| row(&mut random, number)).collect();
    let file = format!("{HEADER}\n{}\n", rows.join("\n"));
    let declared = run(&vhost, &[], &file).expect(0);
    assert_eq!(declared.stdout.iter().filter(|byte| **byte == b'\n').count(), rows.len());
    let again = run(&vhost, &[], &file).expect(0);
    assert_eq!(again.stdout, declared.stdout, "the same file twice is a no-op");
    let checked = run(&vhost, &["--check"], &file).expect(0);
    assert_eq!(String::from_utf8(checked.stdout).unwrap(), file);
    // And for a file that asks for something else, it writes what exists.
    let wrong = format!(
        "{HEADER}\n{}\n",
        rows.iter().map(|row| differing(row)).collect::<Vec<_>>().join("\n")
    );
    let checked = run(&vhost, &["--check"], &wrong).expect(1);
    assert_eq!(String::from_utf8(checked.stdout).unwrap(), file);
    let untouched = run(&vhost, &["--check"], &file).expect(0);
    assert_eq!(String::from_utf8(untouched.stdout).unwrap(), file);
}

/// The same row with a `max-bytes` that no row has.
fn differing(row: &str) -> String {
    // A name may contain commas, but ends where the type begins.
    let kinds = [",,", ",quorum,", ",classic,", ",stream,"];
    let (name, rest) = row.split_at(kinds.iter().filter_map(|kind| row.find(kind)).min().unwrap());
    let mut cells: Vec<&str> = rest.splitn(5, ',').collect();
    cells[3] = "123456789";
    format!("{name}{}", cells.join(","))
}

#[test]
fn every_row_is_tried_and_the_failures_have_their_lines_and_the_worst_status() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&["--type", "classic"], "other");
    let file = b"queue,max-length,exchange,bind\r\n\
                 good,5,,\r\n\
                 \r\n\
                 other,,,\r\n\
                 bad,five,,\r\n\
                 short\r\n\
                 ,7,,\r\n\
                 \xff,,,\r\n\
                 good,6,,\r\n\
                 bound,,e:topic,e:k\r\n\
                 unbound,,,nowhere:k\r\n\
                 last,,,\r\n";
    let tool = vhost.tool("rmq-declare").arguments(&["--quiet", "--csv", "-"]);
    let told = tool.input(*file).run().expect(65);
    assert_eq!(told.stdout, b"good\t0\t0\nbound\t0\t0\nlast\t0\t0\n");
    let lines = told.stderr.lines().map(|line| line.split(": ").nth(1).unwrap());
    let wanted = ["line 4", "line 5", "line 6", "line 7", "line 8", "line 9", "line 11"];
    assert_eq!(lines.collect::<Vec<_>>(), wanted, "{}", told.stderr);
    let told = told.says("line 5: --max-length five: ").says("line 6: it has 1 columns");
    told.says("line 9: queue good is already listed on line 2").says("not UTF-8");
    assert_eq!(vhost.bindings("bound"), ["e k []"]);
}

#[test]
fn a_file_that_cannot_be_meant_is_refused_whole() {
    let vhost = Vhost::new(brokers::one());
    for (file, why) in [
        ("", "no header row"),
        ("max-length\n5\n", "no column 'queue'"),
        ("queue,max-lenght\nq,5\n", "max-length is one"),
        (
            "Queue,typ\nq,quorum\n",
            "option that describes a queue (queue is one); the column 'typ' ",
        ),
        ("queue,type,type\nq,,\n", "twice"),
    ] {
        run(&vhost, &[], file).expect(65).says(why);
    }
    assert_eq!(vhost.arguments("q"), None);
    let missing = vhost.tool("rmq-declare").arguments(&["--csv", "/nowhere/f.csv"]).run();
    missing.expect(74).says("/nowhere/f.csv: No such file");
}

#[test]
fn a_file_without_rows_is_named() {
    let vhost = Vhost::new(brokers::one());
    let file = "# none yet\nqueue,type\n\n";
    for (words, wanted) in [(&[][..], ""), (&["--check"], file), (&["--dry-run"], "")] {
        let tool = vhost.tool("rmq-declare").arguments(words).arguments(&["--csv", "-"]);
        let told = tool.input(file).run().expect(0);
        assert_eq!(String::from_utf8_lossy(&told.stdout), wanted);
        told.says("standard input: no row follows the header row");
    }
}

#[test]
fn an_empty_column_arg_takes_what_a_queue_has_beside_the_columns() {
    let vhost = Vhost::new(brokers::one());
    let words = ["--quiet", "--dead-letter-exchange", "amq.direct", "--message-ttl", "5s"];
    vhost.declare(&words, "q");
    vhost.declare(&["--delivery-limit", "unlimited"], "q.dlq");
    let asked = "queue,with-dlq,arg,arg\nq,true,,\n";
    let checked = run(&vhost, &["--check"], asked).expect(1);
    let wanted = "queue,with-dlq,arg,arg\n\
                  q,false,x-dead-letter-exchange=amq.direct,x-message-ttl=5000\n";
    assert_eq!(String::from_utf8_lossy(&checked.stdout), wanted, "{}", checked.stderr);
    // It describes the queue: the same file declares it and checks it.
    run(&vhost, &[], wanted).expect(0);
    assert_eq!(run(&vhost, &["--check"], wanted).expect(0).stdout, wanted.as_bytes());
}

#[test]
fn a_missing_queue_is_no_row_of_a_check() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&["--max-length", "5"], "there");
    let file = "queue,max-length\nthere,5\nnowhere,5\n";
    let checked = run(&vhost, &["--check"], file).expect(1);
    assert_eq!(checked.stdout, b"queue,max-length\nthere,5\n");
    checked.says("line 3: check nowhere in ").says("missing");
    assert_eq!(vhost.arguments("nowhere"), None);
}

#[test]
fn what_a_queue_has_beside_the_columns_is_told() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&["--type", "classic", "--max-length", "7", "--expires", "1h"], "q");
    let checked = run(&vhost, &["--check"], "queue,type,max-length\nq,quorum,\n").expect(1);
    assert_eq!(checked.stdout, b"queue,type,max-length\nq,classic,7\n");
    checked.says("no column for x-expires=3600000, which the queue also has");
    // An empty cell means "not set", and a missing column means nothing: then a comment shows
    // diff(1) that the queue differs.
    let checked = run(&vhost, &["--check"], "queue,type,max-length\nq,classic,7\n").expect(1);
    let text = String::from_utf8(checked.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[1].starts_with("# check q in "), "{text}");
    assert!(lines[1].contains("--expires (x-expires) 1h, none was asked for"), "{text}");
    assert_eq!((lines[0], lines[2]), ("queue,type,max-length", "q,classic,7"));
    // A queue's name alone describes nothing, and its existence is checked.
    let checked = run(&vhost, &["--check"], "queue\nq\n").expect(0);
    assert_eq!(checked.stdout, b"queue\nq\n");
}

#[test]
fn an_empty_cell_asks_for_a_queue_that_has_nothing_there() {
    let vhost = Vhost::new(brokers::one());
    let words = ["--max-length", "100", "--overflow", "reject-publish"];
    vhost.declare(&words, "orders");
    vhost.declare(&["--type", "classic"], "mail");
    let file = "queue,type,max-length,overflow\norders,,,\nmail,,,\n";
    let checked = run(&vhost, &["--check"], file).expect(1);
    let wanted = "queue,type,max-length,overflow\norders,,100,reject-publish\nmail,classic,,\n";
    assert_eq!(String::from_utf8(checked.stdout).unwrap(), wanted);
    // An exchange has no cell that could show a difference.
    run(&vhost, &[], "queue,exchange\nq,e:topic\n").expect(0);
    let checked = run(&vhost, &["--check"], "queue,exchange\nq,e:fanout\n").expect(1);
    let text = String::from_utf8(checked.stdout).unwrap();
    assert!(text.starts_with("queue,exchange\n# check exchange e in "), "{text}");
    assert!(text.ends_with("\nq,e:fanout\n"), "{text}");
}

#[test]
fn a_file_as_spreadsheets_write_it_is_read_and_written_again_as_it_was() {
    let vhost = Vhost::new(brokers::one());
    let file = "\u{feff}sep=;\r\n# of the shop\r\nqueue;type;single-active-consumer;;\r\n\
                orders ;quorum;TRUE;;\r\n\r\n#old;classic;;;\r\n\"#new\";classic;False;;\r\n\
                \" kept \";;\"\"\r\n# end";
    let tool = vhost.tool("rmq-declare").arguments(&["--csv", "-"]);
    let told = tool.input(file).run().expect(0);
    assert_eq!(told.stdout, b"orders\t0\t0\n#new\t0\t0\n kept \t0\t0\n");
    let told = told.says("3 lines are comments, the first '# of the shop'");
    told.says("line 4: blanks at the ends of a cell are left out");
    assert!(vhost.arguments("orders").unwrap().contains("x-single-active-consumer"));
    let checked = run(&vhost, &["--check"], file).expect(0);
    assert_eq!(String::from_utf8(checked.stdout).unwrap(), file);
    let other = file.replace("TRUE", "").replace("classic;False", "quorum;");
    let checked = run(&vhost, &["--check"], &other).expect(1);
    let wanted = file.replace("TRUE", "true").replace("False", "");
    assert_eq!(String::from_utf8(checked.stdout).unwrap(), wanted);
    run(&vhost, &[], "queue\ttype\ntabs\tclassic\n").expect(0);
    let utf16: Vec<u8> = "\u{feff}queue\nq\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let tool = vhost.tool("rmq-declare").arguments(&["--csv", "-"]).input(utf16);
    tool.run().expect(65).says("it is UTF-16");
}
