//! Where messages go, and what shows that one of them is done.

use crate::command::commands::Commands;
use crate::delivery::framing::Framing;
use crate::delivery::ids::{Delivery, Ids};
use crate::downstream::lines::Report;
use crate::downstream::sender::Downstream;
use crate::output::pipe;
use crate::output::taken::Taken;
use crate::output::writer::Output;
use crate::settings::{Settings, SinkKind};
use crate::stops::Stop;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::failure::Failure;
use rmq_common::runtime::{self, first};
use std::io;
use std::time::Duration;

/// How often a pipe that has to be empty is checked.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// Where messages go.
#[derive(Debug)]
pub enum Sink {
    /// Standard output; the pipe or the file shows what is done.
    Output(Output, Taken),
    /// Standard output; a sender at the end of the pipeline reports what is done.
    Downstream(Output, Downstream),
    /// A command for each message; its exit status shows whether it is done.
    Commands(Commands),
}

/// What happens at the sink.
#[derive(Debug)]
pub enum SinkEvent {
    /// The batch was written, or could not be.
    Written(io::Result<()>),
    /// The sender has reported something.
    Reported(Report),
    /// The command with this number has ended.
    Ended(u64),
}

impl Sink {
    /// Opens what the settings ask for.
    ///
    /// # Errors
    /// The FIFO does not exist or is not one (64); the operating system refuses something (74).
    pub fn start(settings: &Settings, diagnostics: Diagnostics) -> Result<Self, Failure> {
        let output = || Output::start(settings.sync);
        Ok(match &settings.sink {
            SinkKind::Output(when) => Sink::Output(output()?, Taken::new(*when)),
            SinkKind::Downstream(path) => {
                let by_name = matches!(settings.framing, Framing::Json(_));
                let downstream = Downstream::new(path, by_name.then(Ids::default), diagnostics)?;
                diagnostics.trace(&format!("reading acknowledgements from {path}"));
                Sink::Downstream(output()?, downstream)
            }
            SinkKind::Command(command) => Sink::Commands(Commands::new(command.clone())),
        })
    }

    /// Waits for what happens next. Safe to drop at any point.
    pub async fn next(&mut self) -> SinkEvent {
        match self {
            Sink::Output(output, _) => SinkEvent::Written(output.result().await),
            Sink::Downstream(output, downstream) => {
                let written = async { SinkEvent::Written(output.result().await) };
                let reported = async { SinkEvent::Reported(downstream.next().await) };
                first(reported, written).await
            }
            Sink::Commands(commands) => SinkEvent::Ended(commands.next().await),
        }
    }

    /// Whether one more message may be taken: one batch is written at a time.
    pub fn has_room(&self) -> bool {
        match self {
            Sink::Output(output, _) | Sink::Downstream(output, _) => !output.is_busy(),
            Sink::Commands(commands) => commands.has_room(),
        }
    }

    /// Whether a batch is being written.
    pub fn is_busy(&self) -> bool {
        match self {
            Sink::Output(output, _) | Sink::Downstream(output, _) => output.is_busy(),
            Sink::Commands(_) => false,
        }
    }

    /// The sender at the end of the pipeline.
    pub fn downstream(&self) -> Option<&Downstream> {
        match self {
            Sink::Downstream(_, downstream) => Some(downstream),
            Sink::Output(..) | Sink::Commands(_) => None,
        }
    }

    /// The sender at the end of the pipeline.
    pub fn downstream_mut(&mut self) -> Option<&mut Downstream> {
        match self {
            Sink::Downstream(_, downstream) => Some(downstream),
            Sink::Output(..) | Sink::Commands(_) => None,
        }
    }

    /// The commands that run.
    pub fn commands(&self) -> Option<&Commands> {
        match self {
            Sink::Commands(commands) => Some(commands),
            Sink::Output(..) | Sink::Downstream(..) => None,
        }
    }

    /// The commands that run.
    pub fn commands_mut(&mut self) -> Option<&mut Commands> {
        match self {
            Sink::Commands(commands) => Some(commands),
            Sink::Output(..) | Sink::Downstream(..) => None,
        }
    }

    /// The output, if there is one.
    pub fn output_mut(&mut self) -> Option<&mut Output> {
        match self {
            Sink::Output(output, _) | Sink::Downstream(output, _) => Some(output),
            Sink::Commands(_) => None,
        }
    }

    /// How many bytes were handed to the output.
    pub fn handed(&self) -> u64 {
        match self {
            Sink::Output(output, _) | Sink::Downstream(output, _) => output.handed(),
            Sink::Commands(_) => 0,
        }
    }

    /// The name of a delivery in an envelope, if a sender reports deliveries by name.
    pub fn name(&self, delivery: Delivery) -> Option<String> {
        self.downstream().and_then(|downstream| downstream.name(delivery))
    }

    /// Checks how much of the output is taken, in bytes; `None` if the output does not show that.
    pub fn check_taken(&mut self) -> Option<u64> {
        let Sink::Output(output, taken) = self else { return None };
        taken.check(output.written());
        Some(taken.bytes())
    }

    /// Closes standard output, if it is still open, so that its reader sees the end.
    pub fn close_output(&mut self) -> Result<(), Failure> {
        match self {
            Sink::Downstream(output, _) if output.is_open() => output.close(),
            _ => Ok(()),
        }
    }

    /// Whether standard output was closed.
    pub fn is_closed(&self) -> bool {
        matches!(self, Sink::Downstream(output, _) if !output.is_open())
    }

    /// Waits until everything that was handed over is written, and out of the pipe if there is one,
    /// and until no command runs.
    pub async fn emptied(&mut self) -> Result<(), Stop> {
        if let Sink::Commands(commands) = self {
            // Their messages are delivered again, whatever becomes of them.
            while !commands.is_idle() {
                let number = commands.next().await;
                commands.verdict(number);
            }
            commands.go_on();
            return Ok(());
        }
        let mut pause = SHORTEST_PAUSE;
        loop {
            if let Some(output) = self.output_mut() {
                while output.is_busy() {
                    Stop::of_write(output.result().await)?;
                }
            }
            let is_taken = self.is_taken();
            if pipe::unread() == 0 && is_taken {
                return Ok(());
            }
            runtime::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn is_taken(&mut self) -> bool {
        let Sink::Output(output, taken) = self else { return true };
        let written = output.written();
        taken.check(written);
        taken.bytes() >= written
    }
}
