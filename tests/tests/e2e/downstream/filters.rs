//! Filters that drop, keep, hold, or never answer.

use super::*;

#[test]
fn a_filter_that_drops_records_does_not_keep_a_run_from_its_end() {
    let runs = [
        (&["--drain"][..], 7, "3 messages requeued"),
        (&["--drain"], 9, "1 message requeued"),
        (&["-n", "10"], 9, "1 message requeued"),
        (&["--idle", "500ms"], 8, "2 messages requeued"),
        (&["--timeout", "2s"], 8, "2 messages requeued"),
    ];
    for (words, done, told) in runs {
        let vhost = Vhost::filled(brokers::one(), 10);
        let fifo = Fifo::new();
        let start = ["--ack-from", fifo.path(), "q"];
        let mut receiving = vhost.receive(&start).arguments(words).output_to_pipe().start();
        let mut output = receiving.take_output();
        let mut sender = fifo.sender(RUN);
        let mut text = Vec::new();
        for number in 1..=10 {
            let mut line = vec![0; numbered(number).len() - text.len()];
            output.read_exact(&mut line).unwrap();
            text.extend(line);
            if number <= done {
                writeln!(sender, "{RUN} {number}").unwrap();
            }
        }
        // The filter sees the end of its input, and so does the sender.
        assert_eq!(output.read_to_end(&mut text).unwrap(), 0, "{words:?}");
        assert_eq!(text, numbered(10));
        drop(sender);
        receiving.wait().expect(75).says("the sender ended too early").says(told);
        vhost.wait_held("q", Held::ready(10 - done));
    }
}

#[test]
fn what_a_filter_kept_until_its_input_ended_counts() {
    let vhost = Vhost::filled(brokers::one(), 10);
    let fifo = Fifo::new();
    let start = ["--ack-from", fifo.path(), "--drain", "q"];
    let mut receiving = vhost.receive(&start).output_to_pipe().start();
    let mut output = receiving.take_output();
    let mut sender = fifo.sender(RUN);
    let mut text = vec![0; numbered(1).len()];
    output.read_exact(&mut text).unwrap();
    writeln!(sender, "{RUN} 1").unwrap();
    output.read_to_end(&mut text).unwrap();
    assert_eq!(text, numbered(10));
    writeln!(sender, "{RUN} 10").unwrap();
    receiving.wait().expect(0);
    vhost.wait_held("q", Held::ready(0));
}

#[test]
fn a_filter_that_keeps_or_drops_the_first_record_is_given_more() {
    for kind in ["classic", "quorum"] {
        let vhost = Vhost::new(brokers::one());
        vhost.declare(&["--type", kind], "q");
        vhost.send(&["q"]).input(numbered(10)).run().expect(0);
        let fifo = Fifo::new();
        let receiving = receive(&vhost, &fifo, &["--drain", "q"]);
        let mut sender = fifo.sender(RUN);
        receiving.wait_stdout(numbered(10).len());
        writeln!(sender, "{RUN} 10").unwrap();
        assert_eq!(receiving.wait().expect(0).stdout, numbered(10), "{kind}");
        assert_eq!(vhost.drain("q"), b"", "{kind}");
    }
}

#[test]
fn a_filter_that_neither_answers_nor_ends_is_reported_and_a_signal_or_the_timeout_ends_it() {
    let fifos = [Fifo::new(), Fifo::new()];
    let vhosts = [(); 2].map(|()| Vhost::filled(brokers::one(), 3));
    let (waiting, one) = begun(&vhosts[0], &fifos[0], &["--drain", "q"]);
    let (timed, other) = begun(&vhosts[1], &fifos[1], &["--drain", "--timeout", "3s", "q"]);
    waiting.wait_stderr("waiting for the acknowledgement of the last 2 records");
    for _ in 0..2 {
        waiting.signal(Signal::TERM);
        std::thread::sleep(Duration::from_millis(50));
    }
    waiting.wait().expect_signal(Signal::TERM);
    let timed = timed.wait().expect(75).says("--timeout expired before the sender ended");
    timed.says("2 messages requeued");
    for vhost in &vhosts {
        vhost.wait_held("q", Held::ready(2));
    }
    drop((one, other));
}

#[test]
fn a_filter_that_holds_records_is_told_of() {
    let vhost = Vhost::filled(brokers::one(), 10);
    let fifo = Fifo::new();
    let receiving = receive(&vhost, &fifo, &["--drain", "--prefetch", "4", "q"]);
    receiving.wait_stderr("no sender has opened");
    let mut sender = fifo.sender(RUN);
    receiving.wait_stdout(numbered(1).len());
    writeln!(sender, "{RUN} 1").unwrap();
    receiving.wait_stdout(numbered(5).len());
    receiving.wait_stderr("the filter is holding 4 records; is it buffering?");
    assert!(!receiving.stderr().contains("the active one"), "{}", receiving.stderr());
    writeln!(sender, "{RUN} 5").unwrap();
    receiving.wait_stdout(numbered(9).len());
    receiving.wait_stderr("records are acknowledged again");
}
