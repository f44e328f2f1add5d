//! From queue to queue: pipelines that lose nothing, whichever program dies.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::proxy::Proxy;
use rmq_tests::running::Running;
use rmq_tests::scale::{random, scale};
use rmq_tests::text::{account, numbered};
use rmq_tests::tool::Tool;
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::{wait_for, wait_until};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(120);

/// A filter that maps: one record for each.
const MAP: [&str; 3] = ["sed", "-u", "s/^/>/"];

/// A filter of envelopes: numbers divisible by 7 are dropped, those divisible by 5 passed on three
/// times.
const CHOOSE: [&str; 3] = [
    "/usr/bin/python3",
    "-uc",
    "import sys, json\n\
     for line in sys.stdin:\n\
     \tmessage = json.loads(line)\n\
     \tnumber = int(message['body'].split(':')[1])\n\
     \tif number % 7 == 0:\n\
     \t\tprint(json.dumps({'id': message['id']}))\n\
     \t\tcontinue\n\
     \tif number % 5 == 0:\n\
     \t\tfor _ in range(2): print(json.dumps(dict(message, more=True)))\n\
     \tprint(json.dumps(message))\n",
];

struct Pipeline {
    receiving: Running,
    filtering: Running,
    sending: Running,
    _directory: tempfile::TempDir,
}

impl Pipeline {
    fn start(vhost: &Vhost<'_>, words: &[&str], format: &str, filter: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let fifo = directory.path().join("ack");
        let fifo = fifo.to_str().unwrap();
        Tool::program("mkfifo").arguments(&[fifo]).run().expect(0);
        let start = ["-v", "--format", format, "--ack", "downstream", "--ack-from", fifo];
        let receive = vhost.receive(&start).arguments(words).arguments(&["a"]);
        let mut receiving = receive.output_to_pipe().timeout(LONG).start();
        let filter = Tool::program(filter[0]).arguments(&filter[1..]);
        let filter = filter.input_from(receiving.take_output()).output_to_pipe();
        let mut filtering = filter.timeout(LONG).start();
        let send = vhost.send(&["--format", format, "--ack-to", fifo, "b"]);
        let sending = send.input_from(filtering.take_output()).timeout(LONG).start();
        Pipeline { receiving, filtering, sending, _directory: directory }
    }

    /// Waits until all have ended, in whatever way.
    fn end(self) -> [Option<i32>; 3] {
        let Pipeline { receiving, filtering, sending, _directory } = self;
        [receiving, filtering, sending].map(|running| running.wait().status.code())
    }
}

fn loses_nothing(name: &str, format: &str, filter: &[&str]) -> (usize, BTreeMap<usize, usize>) {
    let mut random = random(name);
    let (count, kills) = (scale().pipeline_lines, scale().pipeline_kills);
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&["--delivery-limit", "unlimited"], "a");
    vhost.declare(&[], "b");
    let text = numbered(count);
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let mut in_use = 0;
    for part in lines.chunks(count.div_ceil(kills)) {
        vhost.send(&["a"]).input(part.concat()).run().expect(0);
        let pipeline = Pipeline::start(&vhost, &[], format, filter);
        let moment = Instant::now() + Duration::from_millis(random.u64(50..600));
        let before = vhost.held("b").ready;
        wait_until(LONG, "a moment to kill one", || {
            // Most of the time while something is on its way.
            Instant::now() > moment
                || vhost.held("b").ready > before + random.usize(1..part.len() / 2)
        });
        let victim = [&pipeline.receiving, &pipeline.filtering, &pipeline.sending];
        victim[random.usize(0..3)].signal(Signal::KILL);
        let codes = pipeline.end();
        // A program that was not killed knows that something is not done.
        assert!(codes[0].is_none_or(|code| [0, 75].contains(&code)), "{codes:?}");
        wait_until(LONG, "everything back", || vhost.held("a").unacked == 0);
        in_use += usize::from(vhost.held("a").ready > 0);
    }
    eprintln!("{in_use} of {kills} times there was something to lose");
    assert!(in_use * 3 > kills, "killed too late: {in_use} of {kills}");
    let last = Pipeline::start(&vhost, &["--drain"], format, filter).end();
    assert_eq!(last, [Some(0); 3]);
    vhost.wait_held("a", Held::ready(0));
    (count, account(&vhost.drain("b")).times)
}

#[test]
fn a_filter_that_maps_loses_no_line_whoever_is_killed() {
    let (count, times) = loses_nothing("pipeline of lines", "lines", &MAP);
    let missing: Vec<_> = (0..count).filter(|number| !times.contains_key(number)).collect();
    assert_eq!(missing, []);
}

#[test]
fn a_filter_that_drops_and_multiplies_envelopes_loses_no_other_whoever_is_killed() {
    let (count, times) = loses_nothing("pipeline of envelopes", "json", &CHOOSE);
    for number in 0..count {
        let got = times.get(&number).copied().unwrap_or_default();
        let wanted = match number {
            _ if number % 7 == 0 => 0,
            _ if number % 5 == 0 => 3,
            _ => 1,
        };
        assert!(got >= wanted && (wanted > 0 || got == 0), "{number}: {got}, not {wanted}");
    }
}

#[test]
fn a_sender_left_over_from_an_earlier_pipeline_acknowledges_nothing_for_a_new_one() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&["--delivery-limit", "unlimited"], "a");
    vhost.declare(&[], "b");
    vhost.send(&["a"]).input(numbered(50)).run().expect(0);
    let old = Pipeline::start(&vhost, &["--prefetch", "5"], "lines", &MAP);
    // Everything has passed except what the stopped sender still holds.
    wait_until(LONG, "a beginning", || vhost.held("b").ready > 5);
    old.sending.signal(Signal::STOP);
    old.receiving.signal(Signal::KILL);
    wait_until(LONG, "everything back", || vhost.held("a").unacked == 0);
    let Pipeline { receiving, sending: old, filtering, _directory: directory } = old;
    receiving.wait().expect_signal(Signal::KILL);
    filtering.wait().expect(0);
    vhost.send(&["a"]).input(numbered(50)).run().expect(0);
    let left = vhost.held("a").ready;
    let fifo = directory.path().join("ack");
    let words = ["--ack-from", fifo.to_str().unwrap(), "a"];
    let receiving = vhost.receive(&words).start();
    let mut sender = opened(&fifo);
    writeln!(sender, "run 00112233445566778899aabbccddeeff").unwrap();
    receiving.wait_stdout(1);
    std::thread::sleep(Duration::from_millis(100));
    // It continues, confirms what it had, and reports it to the present reader.
    old.signal(Signal::CONT);
    old.wait();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(vhost.held("a").messages(), left, "{}", receiving.stderr());
    writeln!(sender, "00112233445566778899aabbccddeeff 1").unwrap();
    wait_until(LONG, "one done", || vhost.held("a").messages() == left - 1);
}

fn opened(fifo: &Path) -> std::fs::File {
    let no_blocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let open = || OpenOptions::new().write(true).custom_flags(no_blocking).open(fifo).ok();
    wait_for(LONG, "somebody who listens", open)
}

#[test]
fn envelopes_bring_every_property_and_header_from_queue_to_queue() {
    let vhost = Vhost::new(brokers::one());
    for queue in ["a", "b", "reference"] {
        vhost.declare(&[], queue);
    }
    let user = &vhost.name;
    let script = format!(
        "import datetime, decimal, random\n\
         random.seed(1)\n\
         when = datetime.datetime(2026, 11, 23, 12, 0, 0)\n\
         values = ['', 'text', 'größer\\n\\t\"', b'\\xff\\x00', True, False, 0, -1, 2**31 - 1, 2**31, \
         -2**63, 2**63 - 1, decimal.Decimal('-12.345'), when, None, \
         {{'a': {{'b': [1, 'x', None]}}}}, [[], {{}}, [True]], {{'$int': '5'}}]\n\
         def text(): return random.choice([None, '', 'a', 'größer', 'x' * 200])\n\
         for number in range(300):\n\
         \theaders = {{'h%d' % n: random.choice(values) for n in range(random.randrange(5))}}\n\
         \tif number < len(values): headers['each'] = values[number]\n\
         \theaders['x-foo'] = number\n\
         \tproperties = pika.BasicProperties(content_type=text(), content_encoding=text(), \
         headers=random.choice([headers, None]) if number >= len(values) else headers, \
         delivery_mode=random.choice([None, 1, 2]), \
         priority=random.choice([None, 0, 9, 255]), correlation_id=text(), reply_to=text(), \
         expiration=random.choice([None, '86400000']), message_id=text(), \
         timestamp=random.choice([None, 0, 1700000000]), type=text(), app_id=text(), \
         cluster_id=text())\n\
         \tbody = random.choice([b'', b'text', 'größer'.encode(), random.randbytes(50), b'\\n', \
         b'x' * 100000])\n\
         \tfor queue in ['a', 'reference']:\n\
         \t\tchannel.basic_publish('', queue, body, properties)\n\
         channel.confirm_delivery()\n\
         odd = pika.BasicProperties(user_id='{user}', headers={{'CC': ['nowhere'], 'x-foo': 1}})\n\
         channel.basic_publish('', 'a', b'odd', odd)\n\
         plain = pika.BasicProperties(headers={{'x-foo': 1}})\n\
         channel.basic_publish('', 'reference', b'odd', plain)\n\
         connection.close()\n"
    );
    vhost.pika(&script);
    let mut receiving =
        vhost.receive(&["--format", "json", "--drain", "a"]).output_to_pipe().start();
    let send = vhost.send(&["--format", "json", "b"]).input_from(receiving.take_output());
    send.run().expect(0);
    receiving.wait().expect(0);
    let compare = "def all(queue):\n\
         \twhile True:\n\
         \t\tmethod, properties, body = channel.basic_get(queue, auto_ack=True)\n\
         \t\tif method is None: return\n\
         \t\tyield repr(sorted(vars(properties).items())), body\n\
         reference, copies = list(all('reference')), list(all('b'))\n\
         for number, (one, other) in enumerate(zip(reference, copies)):\n\
         \tif one != other: print(number, one, other)\n\
         print(len(reference), len(copies))\n";
    let told = String::from_utf8(vhost.pika(compare)).unwrap();
    assert_eq!(told.chars().take(2000).collect::<String>(), "301 301\n");
}

#[test]
fn a_sender_that_fails_before_it_sends_ends_the_pipeline_and_everything_is_back() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&["--delivery-limit", "unlimited"], "a");
    vhost.send(&["a"]).input(numbered(100)).run().expect(0);
    // There is no queue called b.
    let codes = Pipeline::start(&vhost, &[], "lines", &MAP).end();
    assert_eq!((codes[0], codes[2]), (Some(75), Some(65)));
    vhost.wait_held("a", Held::ready(100));
}

#[test]
fn a_connection_that_is_cut_among_messages_that_are_not_written_yet_does_not_stop_the_pipeline() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&["--delivery-limit", "unlimited"], "a");
    vhost.declare(&[], "b");
    let proxy = Proxy::new(vhost.cluster.hosts(), Duration::ZERO);
    let words = ["--url", &vhost.url_through(proxy.address())];
    let pipeline = Pipeline::start(&vhost, &words, "lines", &MAP);
    let mut random = random("a connection that is cut");
    let part = numbered(30);
    for round in 1..=10 {
        // Some of them pass, the last incomplete, directly followed by the end of the connection.
        proxy.cut(random.usize(200..2500));
        vhost.send(&["a"]).input(part.clone()).run().expect(0);
        let through = || vhost.held("b").ready >= 30 * round && vhost.held("a").messages() == 0;
        wait_until(LONG, "all of them in the other queue", through);
    }
    pipeline.receiving.signal(Signal::TERM);
    pipeline.end();
    assert_eq!(account(&vhost.drain("b")).missing(30), []);
}
