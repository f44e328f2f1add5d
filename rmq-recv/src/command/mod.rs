//! `-- COMMAND`: one run of a command for each message.

pub mod children;
pub mod commands;
pub mod environment;
pub mod finish;
mod pauses;
mod subject;
