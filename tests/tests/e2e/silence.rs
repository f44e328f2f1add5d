//! A listener that accepts connections and never sends anything.

use rmq_tests::tool::Tool;
use rmq_tests::wait::wait_until;
use rustix::process::Signal;
use std::fs;
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const TRIES: usize = 100;

#[test]
fn a_hundred_tries_at_a_silent_listener_leave_threads_and_descriptors_as_they_were() {
    static ACCEPTED: AtomicUsize = AtomicUsize::new(0);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        // Kept open, so that the tool has to give up.
        let mut silent = Vec::new();
        while let Ok((stream, _)) = listener.accept() {
            silent.push(stream);
            ACCEPTED.fetch_add(1, Ordering::Relaxed);
        }
    });
    // The same host many times: there is no pause between hosts, only between rounds.
    let hosts = vec![format!("127.0.0.1:{port}"); 20].join(",");
    let url = format!("amqp://{hosts}/?connection_timeout=50");
    let sending = Tool::new("rmq-send").arguments(&["--retry", "forever", "--url", &url, "q"]);
    let mut sending = sending.open_input().start();
    let accepted = || ACCEPTED.load(Ordering::Relaxed);
    let count = |what| fs::read_dir(format!("/proc/{}/{what}", sending.pid())).unwrap().count();
    // Within one try, a thread may start a moment before the previous one ends: what counts is the
    // maximum in the first tries, and the minimum in the last ones.
    let watch = |from: usize, to: usize| {
        wait_until(Duration::from_secs(50), "tries", || accepted() >= from);
        let mut seen = Vec::new();
        wait_until(Duration::from_secs(50), "tries", || {
            seen.push((count("task"), count("fd")));
            accepted() >= to
        });
        seen
    };
    let early = watch(5, 15);
    let late = watch(TRIES - 10, TRIES);
    let (threads, descriptors): (Vec<_>, Vec<_>) = early.into_iter().unzip();
    let (late_threads, late_descriptors): (Vec<_>, Vec<_>) = late.into_iter().unzip();
    assert!(late_threads.iter().min() <= threads.iter().max(), "{threads:?}, {late_threads:?}");
    assert!(
        late_descriptors.iter().min() <= descriptors.iter().max(),
        "{descriptors:?}, {late_descriptors:?}"
    );
    assert!(sending.is_running());
    sending.signal(Signal::TERM);
    let ended = sending.wait();
    assert!(!ended.status.success());
    assert!(ended.took < Duration::from_secs(50));
}
