//! Logs that are renamed, copied and truncated, compressed, deleted.

use super::*;

/// Ways to rotate, each with the last line that is written to the old file.
fn rotate(place: &Place, way: usize, last: &str) {
    // As with logrotate, a higher number is older.
    let number = 9 - way;
    match way % 4 {
        // The writer keeps the old file open until it is notified.
        0 => {
            place.rename("app.log", &format!("app.log.{number}"));
            place.append(&format!("app.log.{number}"), last);
            place.append("app.log", "");
        }
        1 => {
            place.append("app.log", last);
            fs::copy(place.path("app.log"), place.path(&format!("app-{number}.log"))).unwrap();
            File::create(place.path("app.log")).unwrap();
        }
        // It is missing for a while.
        2 => {
            place.append("app.log", last);
            place.rename("app.log", &format!("app.log-2026{way}"));
        }
        // Twice at once.
        _ => {
            place.rename("app.log", &format!("app.log.{number}.old"));
            place.append("app.log", last);
            place.rename("app.log", &format!("app.log.{number}"));
        }
    }
}

#[test]
fn rotation_of_any_kind_loses_nothing_and_keeps_the_order() {
    let place = Place::new();
    place.append("app.log", "first\n");
    let running = place.follow();
    let mut wanted = "first\n".to_owned();
    place.wait_sent(1);
    for way in 0..8 {
        let lines = [format!("last of {way}\n"), format!("after {way}\n")];
        rotate(&place, way, &lines[0]);
        place.append("app.log", &lines[1]);
        wanted.extend(lines);
        // In half of the cases, the next rotation comes at a random moment.
        if way % 2 == 0 {
            place.wait_sent(wanted.lines().count());
        }
    }
    place.wait_sent(wanted.lines().count());
    running.signal(Signal::TERM);
    let ended = running.wait().expect_signal(Signal::TERM);
    assert_eq!(ended.stderr, "");
    assert_eq!(place.sent(), wanted);
}

#[test]
fn rotation_while_nothing_follows_loses_nothing_either() {
    let place = Place::new();
    let mut wanted = String::new();
    for way in 0..8 {
        let lines = [format!("{way}\n"), format!("last of {way}\n"), format!("after {way}\n")];
        let running = place.follow();
        place.append("app.log", &lines[0]);
        place.wait_sent(wanted.lines().count() + 1);
        running.signal(Signal::KILL);
        running.wait().expect_signal(Signal::KILL);
        rotate(&place, way, &lines[1]);
        place.append("app.log", &lines[2]);
        wanted.extend(lines);
        place.once().expect(0);
        // What was confirmed right before the kill may be sent again.
        let sent = place.sent();
        let mut all: Vec<&str> = sent.lines().collect();
        all.dedup();
        assert_eq!(all, wanted.lines().collect::<Vec<_>>(), "{sent}");
        place.vhost.send(&["logs"]).input(wanted.clone()).run().expect(0);
    }
}

#[test]
fn what_was_sent_before_it_was_compressed_is_no_loss() {
    let place = Place::new();
    place.append("app.log", "1\n");
    place.once().expect(0);
    place.rename("app.log", "app.log.1");
    Tool::program("/bin/gzip").arguments(&[&place.name("app.log.1")]).run().expect(0);
    place.append("app.log", "2\n");
    place.once().expect(0);
    assert_eq!(place.sent(), "1\n2\n");
}

#[test]
fn a_followed_file_is_read_on_after_it_was_deleted() {
    let place = Place::new();
    place.append("app.log", "1\n");
    let running = place.follow();
    place.wait_sent(1);
    let mut writer = File::options().append(true).open(place.path("app.log")).unwrap();
    fs::remove_file(place.path("app.log")).unwrap();
    writer.write_all(b"2\n").unwrap();
    place.wait_sent(2);
    writer.write_all(b"3 without an end").unwrap();
    place.append("app.log", "4\n");
    place.wait_sent(4);
    running.signal(Signal::TERM);
    running.wait().expect_signal(Signal::TERM);
    let sent = place.sent();
    let mut sent: Vec<&str> = sent.lines().collect();
    sent.sort_unstable();
    assert_eq!(sent, ["1", "2", "3 without an end", "4"]);
}

/// Writes and rotates, mostly by copying and truncating, every 10 ms, until stopped. Returns the
/// lines.
fn write_and_rotate(directory: &Path, is_over: &AtomicBool) -> usize {
    let (path, mut random) = (directory.join("app.log"), random("write_and_rotate"));
    let mut lines = 0;
    for rotation in 0.. {
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        for _ in 0..random.u32(0..4) {
            lines += 1;
            append(&path, &format!("{lines}\n"));
        }
        let rotated = directory.join(format!("app.log-{rotation:06}"));
        match random.u32(..4) {
            0 => {
                fs::rename(&path, rotated).unwrap();
                append(&path, "");
            }
            _ => {
                fs::copy(&path, rotated).unwrap();
                File::create(&path).unwrap();
            }
        }
        std::thread::sleep(Duration::from_millis(random.u64(..20)));
    }
    lines
}

#[test]
fn runs_beside_a_log_that_is_truncated_all_the_time_lose_nothing() {
    let place = Place::new();
    place.append("app.log", "");
    let (directory, is_over) = (place.directory.path().to_owned(), AtomicBool::new(false));
    let time = Duration::from_secs(scale().rotating_seconds);
    let lines = std::thread::scope(|scope| {
        let writing = scope.spawn(|| write_and_rotate(&directory, &is_over));
        let begun = Instant::now();
        while begun.elapsed() < time {
            place.once().expect(0);
        }
        is_over.store(true, Ordering::Relaxed);
        writing.join().unwrap()
    });
    place.once().expect(0);
    let sent: Vec<usize> = place.sent().lines().map(|line| line.parse().unwrap()).collect();
    let lost: Vec<usize> = (1..=lines).filter(|line| !sent.contains(line)).collect();
    assert!(lost.is_empty(), "of {lines} lines: {lost:?}");
    let out_of_order: Vec<_> = sent.windows(2).filter(|pair| pair[0] + 1 != pair[1]).collect();
    assert!(out_of_order.is_empty(), "of {lines} lines: {out_of_order:?}");
}
