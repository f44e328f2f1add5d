//! Brokers over the network: addresses, TLS, connections, and what AMQP answers.

pub mod amqp_error;
pub mod authority;
pub mod broker_url;
pub mod connection;
pub mod declaration;
pub mod executor;
pub mod greeting;
pub mod identity;
pub mod lane;
pub mod login;
pub mod losses;
mod outage;
pub mod pem_file;
pub mod retry;
pub mod runtime;
pub mod server;
pub mod session;
pub mod socket;
pub mod tls;
pub mod tls_error;
pub mod tls_files;
mod tls_seen;
pub mod tls_verify;
pub mod token;
