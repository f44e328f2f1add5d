//! The fixture of the end-to-end tests: real brokers, the real binaries, and a view of the broker
//! that does not depend on our own tools.
//!
//! * [`brokers`] are the clusters that tests share, each started when the first test wants it.
//! * [`cluster`] is a handle on `scripts/cluster`; [`vhost`] is a test's own corner of one; [`apart`]
//!   is a network in which its nodes can be separated.
//! * [`hostile`] is a broker that keeps to no rule, [`doubled_answers`] one that answers twice,
//!   [`garagemq`] one that is not RabbitMQ; [`closed_ports`] are addresses without a listener.
//! * [`managed`] is one with the management plugin, and the two ways to it; [`lost_answers`] loses
//!   answers on the way.
//! * [`secured`] is one behind TLS, with [`certificates`] made on the spot; [`proxy`] is a network
//!   that falls silent.
//! * [`observe`], [`queues`] and [`connections`] ask the broker itself what it holds, what it is
//!   like, and who is connected.
//! * [`limits`] is what a process takes of the machine, which [`machine`] describes; [`terminal`]
//!   is one without a screen.
//! * [`combinations`] are command lines put together at random, with a model of what each promises.
//! * [`tool`] runs our binaries, never without a deadline; [`running`] is one that runs.
//! * [`help`] is what a tool says of itself; [`imports`] is which module imports which.
//! * `file_sizes` tests that no file is too long.
//! * [`torture`] is faults of every kind at once, and the account of what became of each line.
//! * [`shell`] is a user's shell with them in its PATH; [`document`] takes the commands out of a
//!   page, and [`reader`] follows them; [`messages`] compares what pages and sources say.
//! * [`wire`] is a client that says any bytes; [`text`] makes input and tells whole lines from torn ones; [`scale`] says how much of it.
//!
//! A missing broker or binary fails a test loudly: nothing is ever skipped.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot have what it stands on has to fail, and to say why"
)]

pub mod apart;
pub mod brokers;
pub mod certificates;
pub mod closed_ports;
pub mod cluster;
pub mod combinations;
pub mod connections;
pub mod document;
pub mod doubled_answers;
#[cfg(test)]
mod file_sizes;
pub mod garagemq;
pub mod help;
pub mod hostile;
pub mod imports;
pub mod limits;
pub mod lost_answers;
pub mod machine;
pub mod managed;
pub mod messages;
pub mod observe;
pub mod pika;
pub mod proxy;
pub mod queues;
pub mod reader;
pub mod running;
pub mod scale;
pub mod secured;
pub mod shell;
pub mod terminal;
pub mod text;
pub mod tool;
pub mod torture;
pub mod vhost;
pub mod wait;
pub mod wire;
