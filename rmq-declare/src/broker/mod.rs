//! The requests to the broker.

pub mod channels;
pub mod check;
pub mod connector;
pub mod declare;
pub mod delete;
pub mod delete_exchange;
pub mod exactly;
pub mod exchange_binding;
pub mod leader;
pub mod learn;
pub mod link;
pub mod purge;
pub mod take_back;
pub mod unbind;
