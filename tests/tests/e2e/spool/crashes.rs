//! The effect of a kill: only what was read last is lost.

use super::*;

#[test]
fn killed_at_random_moments_it_loses_nothing_but_what_it_read_last() {
    /// The capacity of a pipe (pipe(7)).
    const PIPE: usize = 64 << 10;
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let mut random = random("spool kills");
    let directory = tempfile::tempdir().unwrap();
    let spool = directory.path().join("spool");
    // One pipe for all runs: what one has not read, the next one does.
    let (reader, mut writer) = std::io::pipe().unwrap();
    let lines = numbered(400_000);
    let lines: Vec<&[u8]> = lines.split_inclusive(|byte| *byte == b'\n').collect();
    let (written, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let now = || written.load(Ordering::SeqCst);
    // Where each line ends in the input, and how many lines are in a given number of bytes.
    let ends: Vec<usize> = lines
        .iter()
        .scan(0, |end, line| {
            *end += line.len();
            Some(*end)
        })
        .collect();
    let read = |lines: usize, waiting: usize| {
        let bytes = lines.checked_sub(1).map_or(0, |last| ends[last]).saturating_sub(waiting);
        ends.partition_point(|end| *end <= bytes)
    };
    let waiting = || rustix::io::ioctl_fionread(&reader).unwrap() as usize;
    // For each kill, lines that it may have read and not kept: at most one read of a full pipe. It
    // keeps what it has read before it reads more.
    let mut gaps = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for batch in lines.chunks(20) {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                writer.write_all(&batch.concat()).unwrap();
                written.fetch_add(batch.len(), Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        for round in 0..scale().spool_kills {
            let words = ["--spool", text(&spool), "q"];
            let url = if round % 3 == 1 { NOWHERE.to_owned() } else { vhost.url() };
            let tool = Tool::new("rmq-send").environment("AMQP_URL", &url).arguments(&words);
            let sending = tool.input_from_pipe(reader.try_clone().unwrap()).start();
            std::thread::sleep(Duration::from_millis(random.u64(20..800)));
            sending.signal(Signal::KILL);
            sending.wait().expect_signal(Signal::KILL);
            // More is written meanwhile, and the last line read may be torn.
            let (least, left, most) = (now(), waiting(), now());
            gaps.push(read(least, left + PIPE)..read(most, left) + 1);
        }
        stop.store(true, Ordering::SeqCst);
    });
    drop(writer);
    let count = now();
    let last = vhost.send(&["-v", "--spool", text(&spool), "q"]).timeout(LONG);
    let last = last.input_from_pipe(reader).run().expect(0);
    let out = vhost.receive(&["--drain", "q"]).timeout(LONG).run().expect(0).stdout;
    let account = account(&out);
    let missing = account.missing(count);
    eprintln!("{count} lines, {} missing, {} twice", missing.len(), account.duplicates());
    eprintln!("{}", last.stderr);
    let early: Vec<_> =
        missing.iter().filter(|line| !gaps.iter().any(|gap| gap.contains(line))).collect();
    assert!(early.is_empty(), "{early:?}");
    assert!(count > scale().spool_kills as usize * 100, "too slow to show anything: {count}");
}

#[test]
fn a_torn_last_record_is_told_and_the_rest_is_sent() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let spool = directory.path().join("spool");
    let words = ["--url", NOWHERE, "--retry", "0", "--spool", text(&spool), "q"];
    vhost.send(&words).input("one\ntwo\nthree\n").run().expect(75);
    let segment = segment(&spool).unwrap();
    let length = fs::metadata(&segment).unwrap().len();
    OpenOptions::new().write(true).open(&segment).unwrap().set_len(length - 3).unwrap();
    let sent = vhost.send(&["--spool", text(&spool), "q"]).run().expect(0);
    sent.says("an incomplete record is cut off");
    assert_eq!(vhost.drain("q"), b"one\ntwo\n");
}
