//! The rmq tools against real brokers: what a user does, what comes out, and what the broker then
//! holds. `RMQ_SOAK=1` runs the long form, `RMQ_RELEASE=4.0` runs on that release, `RMQ_SEED=N`
//! repeats the random choices of a run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "this is a test, split into modules"
)]

mod acknowledgements;
mod administration;
mod alarms;
mod another_broker;
mod apply;
mod arguments;
mod channel_limits;
mod classic_queues;
mod closed_streams;
mod combinations;
mod commands;
mod completions;
mod consumers;
mod crashes;
mod csv_files;
mod culprits;
mod dead_letters;
mod deletions;
mod documents;
mod down;
mod down_queues;
mod downstream;
mod empty_values;
mod endurance;
mod examples;
mod exchanges;
mod failover;
mod failures;
mod floods;
mod follow;
mod follow_hostile;
mod forgotten;
mod framings;
mod heartbeats;
mod help;
mod hostile;
mod hostile_headers;
mod hosts;
mod identity;
mod idle_cuts;
mod input;
mod installing;
mod limits;
mod logins;
mod looking;
mod manual;
mod memory;
mod mistakes;
mod moving;
mod other_tools;
mod outages;
mod output;
mod output_files;
mod own_certificates;
mod passing;
mod passwords;
mod pausing;
mod permissions;
mod pipelines;
mod process_limits;
mod progress;
mod raw_names;
mod recipes;
mod records;
mod refusals;
mod rejects;
mod replies;
mod routes;
mod sameness;
mod secrets;
mod service_manager;
mod showing;
mod signals;
mod silence;
mod smoke;
mod spool;
mod spool_sharing;
mod standing;
mod stop_conditions;
mod stopping;
mod taken;
mod tee;
mod through;
mod tls;
mod tokens;
mod torture;
mod undoing;
mod user_limits;
mod users;
mod waits;
