//! A list of hosts: whichever of them do not answer, the others are reached in time.

use rmq_tests::brokers;
use rmq_tests::closed_ports::{Closed, Full};
use rmq_tests::hostile::{self, Hostile};
use rmq_tests::observe::Held;
use rmq_tests::scale::scale;
use rmq_tests::text::{account, numbered};
use rmq_tests::tool::{Ended, Tool};
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::wait_until;
use std::net::TcpListener;
use std::time::Duration;

const TOOLS: [&str; 3] = ["rmq-declare", "rmq-send", "rmq-recv"];
const LONG: Duration = Duration::from_secs(180);

/// What each tool makes of a list whose first host is `first` and whose second answers.
fn run_behind(vhost: &Vhost<'_>, first: &str, timeout: Duration) -> Vec<Ended> {
    let hosts = vhost.cluster.hosts();
    let url = vhost.url().replace(hosts, &format!("{first},{hosts}"));
    let url = format!("{url}?connection_timeout={}", timeout.as_millis());
    let run = |name| {
        let words: &[&str] = if name == "rmq-recv" { &["--drain", "q"] } else { &["q"] };
        Tool::new(name).arguments(&["--url", &url]).arguments(words).run()
    };
    TOOLS.map(run).into_iter().collect()
}

fn expect_in_time(ended: Vec<Ended>, timeout: Duration) {
    for ended in ended {
        let ended = ended.expect(0);
        let limits = timeout..timeout + Duration::from_secs(2);
        assert!(limits.contains(&ended.took), "{}: {:?}", ended.command, ended.took);
    }
}

#[test]
fn a_host_that_accepts_and_never_speaks_costs_its_connection_timeout() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    // The kernel accepts for it.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let timeout = Duration::from_millis(700);
    expect_in_time(run_behind(&vhost, &address, timeout), timeout);
}

#[test]
fn hosts_that_never_speak_cost_one_timeout_each_and_the_time_said_is_the_time_taken() {
    let silent = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let [first, second] = silent.each_ref().map(|it| it.local_addr().unwrap());
    for tool in TOOLS {
        let url = format!("amqp://{first},{second}/?connection_timeout=1000");
        let tool = Tool::new(tool).arguments(&["--url", &url, "--retry", "500ms", "q"]);
        let ended = tool.run().expect(69).says(&format!("connect to {first}: no answer"));
        let ended =
            ended.says(&format!("connect to {second}: no answer within 1000 ms (tried for 2s)"));
        assert!(ended.took < Duration::from_secs(3), "{:?}", ended.took);
        // Once each was tried, no further one is after the time.
        let url = format!("amqp://{first},{second}/?connection_timeout=400");
        let tool = Tool::new("rmq-declare").arguments(&["--url", &url, "--retry", "1s", "q"]);
        let ended = tool.run().expect(69).says(&format!("connect to {second}: no answer"));
        assert!(ended.took < Duration::from_millis(1700), "{:?}", ended.took);
    }
}

#[test]
fn the_connection_timeout_is_over_the_handshake_of_tls_too() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let url = format!("amqps://{address}?connection_timeout=700&verify=verify_none");
    for name in TOOLS {
        let ended = Tool::new(name).arguments(&["--retry", "0", "--url", &url, "q"]).run();
        let ended =
            ended.expect(69).says(&format!("connect to {address}: no answer within 700 ms"));
        assert!(ended.took < Duration::from_secs(3), "{:?}", ended.took);
    }
}

#[test]
fn a_host_whose_first_address_is_silent_is_reached_at_its_second() {
    use std::net::SocketAddrV4;
    let hostile = Hostile::new(|peer| {
        peer.header()?;
        peer.send(&hostile::start(b""))?;
        peer.behave()
    });
    let port = hostile.address.rsplit_once(':').unwrap().1.parse().unwrap();
    let full = Full::take(SocketAddrV4::new([127, 0, 0, 77].into(), port));
    let names = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(names.path(), "127.0.0.77 twofold\n127.0.0.1 twofold\n").unwrap();
    let script = "mount --bind \"$1\" /etc/hosts && shift && exec \"$@\"";
    for name in TOOLS.into_iter().take(2) {
        let binary = rmq_tests::tool::binary(name);
        let [names, binary] = [names.path(), &binary].map(|path| path.to_str().unwrap());
        let url = format!("amqp://twofold:{port}/?connection_timeout=2000");
        let mut words = vec!["--mount"];
        if !rustix::process::geteuid().is_root() {
            words.push("--map-root-user");
        }
        words.extend(["--", "sh", "-c", script, "sh", names, binary, "--retry", "0"]);
        let tool = Tool::program("unshare").arguments(&words).arguments(&["--url", &url, "q"]);
        tool.input(*b"one\n").run().expect(0);
    }
    // Nobody got through to the first.
    drop(full);
}

#[test]
fn a_frozen_node_costs_its_connection_timeout() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let frozen = brokers::one_to_break();
    let timeout = Duration::from_millis(700);
    frozen.pause(&[1]);
    let ended = run_behind(&vhost, frozen.hosts(), timeout);
    frozen.resume(&[1]);
    expect_in_time(ended, timeout);
}

#[test]
fn a_list_of_hosts_none_of_which_is_there_is_69_once_retry_is_over() {
    let closed = [Closed::take(), Closed::take()];
    let [one, other] = &closed.each_ref().map(|closed| closed.address.to_string());
    let url = format!("amqp://{one},{other}");
    for tool in TOOLS {
        let ended = Tool::new(tool).arguments(&["--url", &url, "--retry", "2s", "q"]).run();
        let ended = ended.expect(69).says(&format!("connect to {one}: Connection refused"));
        let ended = ended.says(&format!("connect to {other}: Connection refused"));
        let limits = Duration::from_secs(2)..Duration::from_secs(4);
        assert!(limits.contains(&ended.took), "{:?}", ended.took);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    }
}

#[test]
fn three_nodes_stopped_and_started_in_turn_while_lines_are_sent_cost_none_of_them() {
    let cluster = brokers::three_to_break();
    let vhost = Vhost::new(&cluster);
    vhost.declare(&[], "q");
    let turns: Vec<usize> = (0..scale().turns).flat_map(|_| 1..=cluster.nodes()).collect();
    let count = scale().restart_lines;
    let text = numbered(count);
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    // Before, while and after each node is down.
    let mut parts = lines.chunks(count.div_ceil(turns.len() * 3));
    let mut sending = vhost.send(&["-v", "q"]).open_input().timeout(LONG).start();
    let mut written = 0;
    for node in turns {
        sending.write(&parts.next().unwrap().concat());
        cluster.stop(&[node]);
        let part = parts.next().unwrap();
        sending.write(&part.concat());
        written += part.len();
        // It keeps going with that node down.
        let arrived = || vhost.held("q").messages() >= written;
        wait_until(Duration::from_secs(30), "what was written", arrived);
        let rest = parts.next().unwrap_or_default();
        sending.write(&rest.concat());
        cluster.start(&[node]);
    }
    let sent = sending.finish().expect(0);
    assert_eq!((sent.tally("read"), sent.tally("confirmed")), (count, count), "{}", sent.stderr);
    let times = |what| sent.stderr.matches(what).count();
    assert!(times("lost the connection to ") > 0, "{}", sent.stderr);
    assert_eq!(times("lost the connection to "), times("connected to "), "{}", sent.stderr);
    let account = account(&vhost.drain("q"));
    assert_eq!((account.missing(count), account.torn), (vec![], 0), "{}", sent.stderr);
    assert!(account.duplicates() <= sent.tally("resent"), "{}", sent.stderr);
    vhost.wait_held("q", Held::ready(0));
}
