//! Lists of queues that the API does not give in time, because it reads the arguments of all queues
//! for each of them.

use rmq_tests::lost_answers::answers_after;
use rmq_tests::managed::{http_address, managed};
use rmq_tests::tool::Tool;
use rmq_tests::vhost::Vhost;

const COLUMNS: [&str; 5] = ["name", "type", "messages", "durable", "arguments"];

/// The rows of the listing, and what is said beside it, where any answer to a request with `word` in
/// it is late.
fn listed(vhost: &Vhost, word: String) -> (Vec<Vec<String>>, String) {
    let address = answers_after(word.leak(), &http_address(managed()));
    let api = format!("http://guest:guest@{address}");
    let words = ["--api", &api, "--timeout", "2s", "-p", &vhost.name, "list-queues"];
    let told = Tool::new("rmq-perm").arguments(&words).arguments(&COLUMNS).run().expect(0);
    let text = String::from_utf8(told.stdout).unwrap();
    let rows = text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect();
    (rows, told.stderr)
}

#[test]
fn a_list_that_is_late_over_http_costs_columns_and_no_rows() {
    let vhost = Vhost::new(managed());
    for name in ["a", "b", "c"] {
        vhost.declare(&["--quiet", "--type", "classic"], name);
    }
    let names = |rows: &[Vec<String>]| rows.iter().map(|row| row[0].clone()).collect::<Vec<_>>();
    let are_whole = |rows: &[Vec<String>]| {
        rows.iter().all(|row| row[1] == "classic" && row[3] == "true" && !row[4].contains("..."))
    };
    let late = |word: &str| {
        let (rows, said) = listed(&vhost, word.replace('@', &vhost.name));
        assert_eq!(names(&rows), ["a", "b", "c"], "{word}: {said}");
        (rows, said)
    };
    // The counts; the first list; and the pages of what they were declared with.
    for (word, notice) in [
        ("enable_queue_totals", "messages are up to ten seconds old"),
        ("/api/queues/@?columns=name", "queried one by one: 0 of 3 are shown by name only"),
        ("page_size=", ""),
    ] {
        let (rows, said) = late(word);
        assert!(are_whole(&rows), "{word}: {rows:?}");
        assert!(said.contains(notice) && (!notice.is_empty() || said.is_empty()), "{word}: {said}");
    }
    let (rows, said) = late("/api/queues/@");
    for row in &rows {
        assert_eq!(row[1..4], ["unknown", "-", "-"], "{row:?}");
        assert!(row[4].contains("within --timeout"), "{row:?}");
    }
    assert!(said.contains("3 of 3 are shown by name only"), "{said}");
}
