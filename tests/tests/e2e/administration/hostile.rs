//! Whatever answers in a broker's place, by either transport: it costs neither memory nor time.

use rmq_tests::lost_answers::{Instead, answers_instead};
use rmq_tests::managed::{Way, http_address, managed};
use rmq_tests::tool::{Ended, Tool, binary};
use std::time::Duration;

/// What a listing may take: an answer of 64 MiB, and 256 MiB that are built of it, with room for
/// what maps memory and does not use it.
const KIBIBYTES: usize = 1 << 20;

fn http(body: &[u8]) -> Instead {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    Instead { first: [head.as_bytes(), body].concat(), ..Instead::default() }
}

/// Lists the users, with this in place of the API's answer.
fn users_from(instead: Instead) -> Ended {
    let address = answers_instead("GET /api/users", &http_address(managed()), instead);
    let perm = binary("rmq-perm");
    let script = format!("ulimit -v {KIBIBYTES} && exec {} \"$@\"", perm.display());
    let api = format!("http://guest:guest@{address}");
    let words = ["-c", &script, "sh", "--timeout", "5s", "--api", &api, "list-users"];
    Tool::program("sh").arguments(&words).timeout(Duration::from_secs(60)).run()
}

#[test]
fn an_answer_that_would_become_gigabytes_is_too_large() {
    for (piece, count) in [("{\"a\":1},", 6 << 20), ("[],", 20 << 20), ("{},", 20 << 20)] {
        let body = format!("[{}null]", piece.repeat(count));
        assert!(body.len() < 64 << 20);
        let told = users_from(http(body.as_bytes())).expect(70);
        told.says("list users: the answer from http://").says(" is too large");
    }
    // Deeper than anything reads, and of one key again and again.
    let deep = [vec![b'['; 1 << 20], vec![b']'; 1 << 20]].concat();
    users_from(http(&deep)).expect(70);
    let keys = format!("[{{{}\"name\":\"x\"}}]", "\"name\":\"x\",".repeat(4 << 20));
    users_from(http(keys.as_bytes())).expect(70);
}

#[test]
fn an_answer_without_end_ends_with_its_time_or_its_size() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    let chunked = [&head[..], b"transfer-encoding: chunked\r\n\r\n"].concat();
    let until_closed = [&head[..], b"connection: close\r\n\r\n"].concat();
    for (first, endlessly) in [
        (chunked, b"8\r\n        \r\n".repeat(1000)),
        (until_closed, b" ".repeat(1 << 16)),
        (head.to_vec(), b"x: y\r\n".repeat(1000)),
        (head.to_vec(), b"x".repeat(1 << 16)),
    ] {
        let ended = users_from(Instead { first, endlessly });
        let status = ended.status.code();
        assert!(matches!(status, Some(69 | 70 | 75)), "{status:?}: {}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        assert!(ended.took < Duration::from_secs(20), "{:?}", ended.took);
    }
}

#[test]
fn a_node_that_sends_without_pause_does_not_outlast_the_timeout() {
    let cluster = managed();
    let node = format!("127.0.0.1:{}", cluster.variable("RMQ_NODE1_DIST_PORT"));
    // A tick; and a message to a process that is not ours.
    let tick = [0; 4].repeat(1 << 14);
    let mut message = vec![112, 131, 104, 3, 97, 2, 119, 0, 119, 1, b'x', 131, 119, 1, b'y'];
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    message.splice(0..0, length);
    for endlessly in [tick, message.repeat(1 << 12)] {
        let instead = Instead { first: Vec::new(), endlessly };
        let port = answers_instead("list_users", &node, instead).port().to_string();
        let tool = Way::Distribution.perm(cluster).arguments(&["--dist-port", &port]);
        let told = tool.arguments(&["--timeout", "2s", "list-users"]).run();
        assert!(told.took < Duration::from_secs(6), "{:?}: {}", told.took, told.stderr);
        assert!(matches!(told.status.code(), Some(70 | 75)), "{:?}: {}", told.status, told.stderr);
    }
}
