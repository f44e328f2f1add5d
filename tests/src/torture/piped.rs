//! Keeps `tail -F | amqp-publish`, a common way to send a log, running as a service does.

use crate::tool::Tool;
use crate::torture::flow::Flow;
use crate::torture::life::Lives;
use crate::torture::log::Log;
use crate::torture::options::Options;
use crate::torture::stage::Stage;
use crate::torture::watched::{Orders, Watched};
use std::thread;
use std::time::{Duration, Instant};

/// The time between two checks.
const TICK: Duration = Duration::from_millis(5);

/// How long after its end systemd restarts a service.
const AGAIN: Duration = Duration::from_millis(100);

/// How long the last run has for the rest.
const REST: Duration = Duration::from_secs(10);

/// The script that is run.
const SCRIPT: &str = "tail -F \"$1\" | amqp-publish --url \"$2\" -r \"$3\" -p -l";

/// Writes a log, and keeps the script running, on the next node each time, until the flow is sent.
pub fn keep_publishing(stage: &Stage<'_>, flow: &Flow, orders: &Orders, options: &Options) {
    let mut log = Log::new(stage, flow, options.seed);
    let path = log.path();
    let path = path.to_str().expect("UTF-8");
    let mut lives = Lives::new(options);
    let mut hosts = stage.proxies.iter().map(|proxy| proxy.address()).cycle();
    let mut over: Option<Instant> = None;
    thread::scope(|scope| {
        let writing = scope.spawn(move || log.write_until_the_end());
        while over.is_none_or(|over| over.elapsed() < REST) {
            let url = stage.vhost.url_through(hosts.next().unwrap_or_default());
            let tool = Tool::program("sh").arguments(&["-c", SCRIPT, "sh", path, &url, flow.queue]);
            let running = tool.own_group().timeout(stage.limit).start();
            let mut watched = Watched::new(running, orders);
            let life = lives.next_life();
            while !watched.look() {
                if over.is_none() && writing.is_finished() {
                    over = Some(Instant::now());
                }
                let order = match over {
                    Some(over) if over.elapsed() < REST => None,
                    over => life.order(over.is_some()),
                };
                if watched.asked.is_none()
                    && let Some(order) = order
                {
                    watched.ask(order);
                }
                thread::sleep(TICK);
            }
            let ended = watched.end();
            flow.ended(orders.name, &ended);
            stage.log(orders.name, &ended);
            thread::sleep(AGAIN);
        }
    });
}
