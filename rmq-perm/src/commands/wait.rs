//! `wait`.

use super::cluster_status::health;
use crate::administration::NodeState;
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;

/// Wait until the node asked runs and accepts clients, for as long as --retry allows; then exit 0,
/// else 75. A node that has never started may not have its cookie yet.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "wait", help_triggers("-h", "--help"))]
pub struct Wait {}

impl Wait {
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let waited = session.wait_until(|broker| {
            broker.require_started()?;
            // First, because this reports which right the user lacks.
            let members = broker.cluster_status()?;
            let asked = broker.node_asked()?;
            let member = members.iter().find(|member| member.node == asked);
            let why = match member {
                None => "is not a member of its cluster yet",
                Some(member) if member.state != NodeState::Running => "is starting or stopping",
                Some(member) if member.draining == Some(true) => {
                    "is in maintenance mode, in which it accepts no clients"
                }
                Some(member) if !health::accepts_amqp(member) => "does not listen for clients yet",
                Some(_) => return Ok(()),
            };
            let node = String::from_utf8_lossy(&asked);
            Err(Failure::new(Exit::TempFail, format!("{node} {why}")))
        });
        waited.map_err(|failure| failure.context("wait"))
    }
}
