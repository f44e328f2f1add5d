//! Keeps a pipeline from queue to queue running, which must lose nothing whichever program dies.

use crate::tool::Tool;
use crate::torture::flow::Flow;
use crate::torture::receiver::FORMAT;
use crate::torture::stage::Stage;
use crate::torture::watched::{Order, Orders, Watched};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

/// The time between two checks.
const TICK: Duration = Duration::from_millis(5);

/// Keeps one running from queue `from` to queue `to` until `done`. The orders are for rmq-recv, the
/// filter and rmq-send.
pub fn keep_piping(
    stage: &Stage<'_>,
    flow: &Flow,
    [from, to]: [&str; 2],
    orders: [&Orders; 3],
    done: &AtomicBool,
) {
    let mut number = 0;
    while !done.load(Ordering::Relaxed) {
        let fifo = stage.directory.join(format!("ack-{number}"));
        let path = fifo.to_str().expect("UTF-8");
        Tool::program("mkfifo").arguments(&[path]).run().expect(0);
        let words = ["-v", "-f", FORMAT, "--ack", "downstream", "--ack-from", path, from];
        let receiving = stage.tool("rmq-recv").arguments(&words).output_to_pipe();
        let mut receiving = receiving.start();
        // It marks what passes this pipeline.
        let mark = format!("s/^/>{number} /");
        let filter = Tool::program("sed").arguments(&["-u", &mark]).timeout(stage.limit);
        let filter = filter.input_from(receiving.take_output()).output_to_pipe();
        let mut filtering = filter.start();
        let sending = stage.tool("rmq-send").arguments(&["-v", "--ack-to", path, to]);
        let sending = sending.input_from(filtering.take_output()).start();
        let mut three: Vec<Watched<'_>> = [receiving, filtering, sending]
            .into_iter()
            .zip(orders)
            .map(|(running, orders)| Watched::new(running, orders))
            .collect();
        loop {
            // All of them, not just up to the first that is still running.
            let ended = three.iter_mut().map(|one| one.look()).filter(|ended| *ended).count();
            if ended == three.len() {
                break;
            }
            if done.load(Ordering::Relaxed) && three[0].asked.is_none() {
                three[0].ask(Order::Stop);
            }
            sleep(TICK);
        }
        end(stage, flow, number, three, orders);
        // A FIFO that nothing can open is in no program's way.
        let _ = std::fs::remove_file(fifo);
        number += 1;
    }
}

/// Notes how the programs have ended. One that ended because of another must exit with 0 or 75.
fn end(stage: &Stage<'_>, flow: &Flow, number: u32, three: Vec<Watched<'_>>, orders: [&Orders; 3]) {
    let asked = three.iter().any(|one| one.asked.is_some());
    for (index, (one, orders)) in three.into_iter().zip(orders).enumerate() {
        let own = one.asked;
        let ended = one.end();
        flow.ended(orders.name, &ended);
        stage.log(orders.name, &ended);
        let expected = match (index, ended.status.code()) {
            // A filter whose reader is gone ends by a signal, or reports it.
            (1, _) => asked,
            // 74: what is confirmed could not be reported to a receiver that is gone.
            (2, Some(74)) => asked,
            (_, Some(0 | 75)) => asked,
            (_, Some(_)) => false,
            (_, None) => own.is_some(),
        };
        if !expected {
            let (status, stderr) = (ended.status, &ended.stderr);
            flow.problem(format!("pipeline {number}: {}: {status}: {stderr}", orders.name));
        }
        if let (2, Some(resent)) = (index, ended.try_tally("resent")) {
            flow.ledger().end_pipeline(number, resent);
        }
    }
}
