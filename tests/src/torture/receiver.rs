//! Keeps an rmq-recv running, and enters its output in the ledger.

use crate::torture::flow::Flow;
use crate::torture::stage::Stage;
use crate::torture::watched::{Order, Orders, Watched};
use std::io::{BufRead, BufReader};
use std::process::ChildStdout;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// The time between two checks.
const TICK: Duration = Duration::from_millis(5);

/// The format of a record: whether it was delivered before, and the body.
pub const FORMAT: &str = "%R %s\\n";

/// The same with the run that sent it, for a followed log.
pub const SHIPPED: &str = "%R %h %s\\n";

/// Keeps one running on the queue until `done`.
pub fn keep_receiving(
    stage: &Stage<'_>,
    flow: &Flow,
    queue: &str,
    orders: &Orders,
    done: &AtomicBool,
) {
    while !done.load(Ordering::Relaxed) {
        let receiving = stage.tool("rmq-recv").arguments(&["-v", "-f", flow.format, queue]);
        let mut running = receiving.output_to_pipe().start();
        let output = running.take_output();
        let mut watched = Watched::new(running, orders);
        let (asked, ended, torn) = thread::scope(|scope| {
            let reading = scope.spawn(move || read(flow, output));
            while !watched.look() {
                if done.load(Ordering::Relaxed) && watched.asked.is_none() {
                    watched.ask(Order::Stop);
                }
                thread::sleep(TICK);
            }
            (watched.asked, watched.end(), reading.join().expect("reading what is received"))
        });
        flow.ended(orders.name, &ended);
        stage.log(orders.name, &ended);
        let wrong = match asked {
            None => Some("ended by itself"),
            // It may be stopped before it has started.
            Some(Order::Stop) if torn => Some("wrote a piece of a record"),
            Some(Order::Stop)
                if ended.status.code().is_some_and(|code| ![0, 75].contains(&code)) =>
            {
                Some("did not end by the signal")
            }
            _ => None,
        };
        if let Some(wrong) = wrong {
            flow.problem(format!("{} {wrong}: {}: {}", orders.name, ended.status, ended.stderr));
        }
    }
}

/// Reads its output to the end; returns whether the last record was incomplete.
fn read(flow: &Flow, output: ChildStdout) -> bool {
    let (mut output, mut record) = (BufReader::new(output), Vec::new());
    while output.read_until(b'\n', &mut record).is_ok_and(|length| length > 0) {
        match record.strip_suffix(b"\n") {
            Some(record) => flow.ledger().receive(record),
            None => {
                flow.ledger().receive_torn();
                return true;
            }
        }
        record.clear();
    }
    false
}
