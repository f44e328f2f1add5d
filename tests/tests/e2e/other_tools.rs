//! The README's table for users of other tools: each of our commands in it is run.

use crate::examples::Place;
use rmq_tests::brokers;
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::wait_until;
use std::time::Duration;

/// Our commands in the table, from top to bottom.
fn commands() -> Vec<String> {
    let text = include_str!("../../../README.md");
    let table = text.split("\n## ").find(|part| part.starts_with("If you know another tool"));
    let rows = table.unwrap().lines().filter_map(|line| line.strip_suffix(" |"));
    let cells = rows.filter_map(|row| row.rsplit(" | ").next());
    let quoted = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    quoted.filter(|text| text.starts_with("rmq-")).map(str::to_owned).collect()
}

#[test]
fn each_command_of_the_readme_for_those_who_know_another_tool_works() {
    let vhost = Vhost::new(brokers::one());
    let place = Place::new(&vhost);
    place.run(
        "rmq-declare --quiet --exchange events:topic jobs; rmq-declare --quiet --type stream log",
    );
    place.run("rmq-send -b 1 log; rmq-send -b first jobs");
    let commands = commands();
    assert!(commands.len() > 10, "{commands:?}");
    for command in &commands {
        let here = command.replace("COMMAND", "cat").replace("/v", &vhost.name);
        let here = here.replace("subro", &vhost.name);
        let tool = place.operator(&format!("exec {here}"));
        match command.as_str() {
            // It gets a file with the other cluster's dump.
            "rmq-perm apply" => {}
            "rmq-recv jobs" | "rmq-recv jobs -- COMMAND" => {
                place.run("rmq-send -b hello jobs");
                tool.start().wait_stdout(1);
                // Otherwise the next message may still be delivered to it.
                vhost.wait_no_connections();
            }
            _ if command.starts_with("rmq-recv -n 1 --drain") => {
                place.run("rmq-send -b hello jobs");
                tool.run().expect(0);
            }
            _ if command.starts_with("rmq-recv -e") => {
                let tap = tool.start();
                wait_until(Duration::from_secs(20), "the tap", || {
                    place.run("rmq-send --allow-unroutable -e events -r order.1 -b x");
                    !tap.stdout().is_empty()
                });
            }
            "rmq-send jobs" => {
                tool.input("one\ntwo\n").run().expect(0);
            }
            _ => {
                tool.run().expect(0);
            }
        }
    }
}
