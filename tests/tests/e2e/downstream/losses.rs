//! Connections that are lost while a filter holds messages.

use super::*;

#[test]
fn what_is_said_of_a_lost_connection_is_neither_reported_nor_taken_for_something_else() {
    let vhost = Vhost::filled(brokers::one(), 10);
    let fifo = Fifo::new();
    let (receiving, mut sender, old) = begun_by_ids(&vhost, &fifo);
    vhost.close_connection_of(receiving.pid(), "test");
    // The nine are delivered again, the first of them alone.
    let more = wait_ids(&receiving, 11);
    for id in &old[1..] {
        writeln!(sender, "{RUN} id {id}").unwrap();
    }
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(vhost.held("q").messages(), 9);
    writeln!(sender, "{RUN} id {}", more[10]).unwrap();
    let more = wait_ids(&receiving, 19);
    for id in &more[11..] {
        writeln!(sender, "{RUN} id {id}").unwrap();
    }
    wait_messages(&vhost, 0);
    assert!(!receiving.stderr().contains("(ignored)"), "{}", receiving.stderr());
}

#[test]
fn what_is_counted_on_a_lost_connection_counts_on() {
    let vhost = Vhost::filled(brokers::one(), 10);
    let fifo = Fifo::new();
    let (receiving, mut sender) = begun(&vhost, &fifo, &["q"]);
    receiving.wait_stdout(numbered(10).len());
    vhost.close_connection_of(receiving.pid(), "test");
    receiving.wait_stdout(numbered(10).len() + 1);
    writeln!(sender, "{RUN} 10").unwrap();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(vhost.held("q").messages(), 9);
    writeln!(sender, "{RUN} 11").unwrap();
    wait_messages(&vhost, 8);
    wait_until(SOON, "nineteen lines", || lines(&receiving.stdout()).len() == 19);
    writeln!(sender, "{RUN} 19").unwrap();
    wait_messages(&vhost, 0);
    let account = account(&receiving.stdout());
    assert_eq!((account.missing(10), account.duplicates()), (vec![], 9));
    assert!(!receiving.stderr().contains("(ignored)"), "{}", receiving.stderr());
}
