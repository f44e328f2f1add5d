//! A long wait is reported once, and its end once; what repeats is reported ever more rarely.

use rmq_tests::brokers;
use rmq_tests::certificates::Valid;
use rmq_tests::observe::Held;
use rmq_tests::proxy::Proxy;
use rmq_tests::secured::{Listener, secured};
use rmq_tests::text::numbered;
use rmq_tests::tool::Tool;
use rmq_tests::vhost::{PASSWORD, Vhost};
use rmq_tests::wait::wait_until;
use rustix::process::Signal;
use std::fs::{self, Permissions};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

fn times(said: &str, what: &str) -> usize {
    said.matches(what).count()
}

#[test]
fn a_queue_that_takes_nothing_is_reported_once_with_the_limit_and_so_is_that_it_does_again() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&["--max-length", "1", "--overflow", "reject-publish"], "full");
    // A quorum queue takes one more than it should.
    vhost.send(&["--retry", "2s", "full"]).input(numbered(5)).run();
    let sending = vhost.send(&["--retry", "50s", "-b", "x", "full"]).start();
    sending.wait_stderr("; trying again for up to 50s (--retry)");
    let said = sending.stderr();
    assert!(said.contains("rmq-send: full nacks: it is full"), "{said}");
    vhost.drain("full");
    let sent = sending.wait().expect(0).says("records are confirmed again, after ");
    assert_eq!(times(&sent.stderr, "trying again"), 1, "{}", sent.stderr);
}

#[test]
fn a_reader_that_does_not_read_is_reported_once_and_so_is_that_it_does_again() {
    let vhost = Vhost::filled(brokers::one(), 3000);
    let mut receiving = vhost.receive(&["q"]).output_to_pipe().start();
    receiving.wait_stderr("standard output was not read for 5 s; ");
    let mut output = receiving.take_output();
    let mut text = vec![0; numbered(3000).len()];
    output.read_exact(&mut text).unwrap();
    assert!(text == numbered(3000));
    receiving.wait_stderr("standard output is read again");
    vhost.wait_held("q", Held { ready: 0, unacked: 0, consumers: 1 });
    assert_eq!(times(&receiving.stderr(), "standard output"), 2, "{}", receiving.stderr());
}

#[test]
fn a_first_connection_that_takes_long_is_reported_once_also_where_nobody_asked_for_details() {
    let words = ["--url", "amqp://127.0.0.1:1", "--retry", "9s", "q"];
    let ended = Tool::new("rmq-recv").arguments(&words).run().expect(69);
    let lines: Vec<_> = ended.stderr.lines().collect();
    let first = "rmq-recv: connect to 127.0.0.1:1: Connection refused; trying again, --retry 9s";
    assert_eq!(lines.first(), Some(&first), "{lines:?}");
    assert_eq!(lines.len(), 2, "{lines:?}");
    let quiet = Tool::new("rmq-recv").arguments(&["--quiet"]).arguments(&words).run().expect(69);
    assert_eq!(quiet.stderr.lines().count(), 1, "{}", quiet.stderr);
}

#[test]
fn connections_that_are_lost_again_and_again_are_not_a_line_each() {
    let vhost = Vhost::filled(brokers::one(), 0);
    let receiving = vhost.receive(&["q"]).start();
    let mut before = Vec::new();
    let mut await_another = || {
        wait_until(SOON, "another connection", || {
            let now = vhost.connections();
            let is_another = now.len() == 1 && now != before && vhost.held("q").consumers == 1;
            if is_another {
                before = now;
            }
            is_another
        });
    };
    for _ in 0..8 {
        await_another();
        vhost.close_connection_of(receiving.pid(), "again");
    }
    await_another();
    let said = receiving.stderr();
    assert_eq!(times(&said, "lost the connection to "), 5, "{said}");
    assert_eq!(times(&said, "connected to "), 5, "{said}");
}

#[test]
fn with_v_each_connection_nack_and_file_is_a_line_and_without_it_none() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&["--max-length", "1", "--overflow", "reject-publish"], "full");
    vhost.send(&["--retry", "1s", "full"]).input(numbered(5)).run();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "x\n").unwrap();
    let words = ["-v", "--retry", "2s", "full", file.to_str().unwrap()];
    let ended = vhost.send(&words).run().expect(75);
    let name = &vhost.name;
    let ended = ended.says(&format!(": user {name}, vhost {name}, RabbitMQ "));
    let ended =
        ended.says(", heartbeat 10 s, no TLS\n").says("1 record nacked by full; sending again");
    ended.says(&format!("rmq-send: reading {}\n", file.display()));
    let silent = vhost.receive(&["-n", "1", "full"]).run().expect(0);
    assert_eq!(silent.stderr, "");
}

#[test]
fn a_full_spool_is_reported_once_and_so_is_that_it_has_room() {
    let vhost = Vhost::filled(brokers::one(), 0);
    let proxy = Proxy::new(vhost.cluster.hosts(), Duration::ZERO);
    // New connections hear nothing.
    proxy.stall();
    let directory = tempfile::tempdir().unwrap();
    let url = vhost.url_through(proxy.address()) + "?connection_timeout=500";
    let spool = directory.path().join("spool");
    let words = ["--url", &url, "--spool", spool.to_str().unwrap(), "--spool-max", "64K", "q"];
    let sending = Tool::new("rmq-send").arguments(&words).input(numbered(20_000)).start();
    sending.wait_stderr(": full (--spool-max); the input waits\n");
    sending.wait_stderr("; records are kept in the spool ");
    proxy.resume();
    let sent = sending.wait().expect(0).says(": has room again, after ");
    // Both when it had no room at first, and not for each block of the input.
    for what in ["the input waits", "has room again"] {
        assert_eq!(times(&sent.stderr, what), 1, "{}", sent.stderr);
    }
    assert_eq!(times(&sent.stderr, "records are kept"), 1, "{}", sent.stderr);
    vhost.wait_held("q", Held::ready(20_000));
}

#[test]
fn a_host_that_says_nothing_is_reported_while_it_is_tried() {
    let proxy = Proxy::new("127.0.0.1:1", Duration::ZERO);
    proxy.stall();
    let url = format!("amqp://{0},{0}/?connection_timeout=8000", proxy.address());
    for name in ["rmq-send", "rmq-recv", "rmq-declare"] {
        let trying = Tool::new(name).arguments(&["--url", &url, "q"]).start();
        trying.wait_stderr(": no answer yet; waiting, --retry 30s\n");
        trying.signal(Signal::TERM);
        let ended = trying.wait();
        assert!(ended.took < Duration::from_secs(8), "{name}: {:?}", ended.took);
        assert_eq!(times(&ended.stderr, "no answer yet"), 1, "{}", ended.stderr);
    }
}

#[test]
fn with_v_a_followed_file_a_spool_and_a_fifo_are_a_line_too() {
    let vhost = Vhost::filled(brokers::one(), 0);
    let directory = tempfile::tempdir().unwrap();
    let shell = |script: &str| {
        Tool::shell(directory.path(), script).environment("AMQP_URL", &vhost.url()).run().expect(0)
    };
    shell("printf 'a\\nb\\n' >app.log; rmq-send -v --positions p q app.log")
        .says("rmq-send: keeping positions in p\n")
        .says("rmq-send: reading app.log from byte 0\n");
    shell("mv app.log app.log.1; echo c >>app.log.1; echo d >app.log; rmq-send -v --positions p q app.log")
        .says("rmq-send: reading app.log, rotated, from byte 4\n")
        .says("rmq-send: reading app.log from byte 0\n");
    shell("rmq-send -v --spool s -b x q").says("rmq-send: keeping records in the spool s\n");
    shell("mkfifo f; rmq-recv -v --drain --stats r.json --ack-from f q | rmq-send -v --ack-to f -e amq.fanout --allow-unroutable")
        .says("rmq-recv: reading acknowledgements from f\n")
        .says("rmq-recv: writing the tally to r.json\n")
        .says("rmq-send: reporting to f\n");
}

#[test]
fn a_fifo_that_nothing_reads_is_reported_once_and_so_is_that_it_has_a_reader() {
    let vhost = Vhost::filled(brokers::one(), 0);
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("ack");
    let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU);
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, kind, mode, 0).unwrap();
    let name = fifo.to_str().unwrap();
    let mut sending = vhost.send(&["--ack-to", name, "q"]).open_input().start();
    sending.feed(b"x\n");
    let waits = format!("rmq-send: waiting for a reader of {name} (rmq-recv --ack-from)\n");
    sending.wait_stderr(&waits);
    assert_eq!(vhost.held("q"), Held::ready(0));
    let mut reader = fs::File::open(&fifo).unwrap();
    let sent = sending.finish().expect(0);
    assert_eq!(sent.stderr, format!("{waits}rmq-send: {name} has a reader\n"));
    let mut acknowledged = String::new();
    reader.read_to_string(&mut acknowledged).unwrap();
    assert!(acknowledged.trim_end().ends_with('1'), "{acknowledged}");
}

#[test]
fn with_v_the_files_that_a_login_reads_are_named_and_nothing_of_what_is_in_them() {
    let secured = secured();
    let vhost = Vhost::filled(&secured.cluster, 0);
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (password, profiles) = (at("password"), at("rmq/profiles.toml"));
    let authority = secured.authority.path();
    let mine = secured.authority.sign("client-named", "subro", "DNS:subro", Valid::Now);
    fs::create_dir(at("rmq")).unwrap();
    fs::write(&password, format!("{PASSWORD}\n")).unwrap();
    fs::set_permissions(&password, Permissions::from_mode(0o600)).unwrap();
    let url = secured.url(Listener::Mutual, &vhost).replace(&format!(":{PASSWORD}"), "");
    fs::write(&profiles, format!("[prod]\nurl = \"{url}\"\n")).unwrap();
    fs::set_permissions(&profiles, Permissions::from_mode(0o600)).unwrap();
    for name in ["rmq-declare", "rmq-send", "rmq-recv"] {
        let words = ["-v", "--url", "@prod", "--password-file", &password, "--cacert", &authority];
        let own = ["--cert", &mine.cert, "--key", &mine.key, "q"];
        let tool = Tool::new(name).arguments(&words).environment("XDG_CONFIG_HOME", &at(""));
        let more: &[&str] = if name == "rmq-recv" { &["--drain"] } else { &[] };
        let ended = tool.arguments(more).arguments(&own).run().expect(0);
        for line in [
            format!("{name}: reading profile prod in {profiles}\n"),
            format!("{name}: reading the password from {password}\n"),
            format!("{name}: reading the certificates {authority}\n"),
            format!("{name}: reading the certificates {}\n", mine.cert),
            format!("{name}: reading the key {}\n", mine.key),
        ] {
            assert_eq!(ended.stderr.matches(&line).count(), 1, "{line}{}", ended.stderr);
        }
        assert!(!ended.stderr.contains(PASSWORD), "{}", ended.stderr);
    }
}
