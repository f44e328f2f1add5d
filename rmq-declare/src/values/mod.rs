//! Values as the command line and AMQP write them.

pub mod argument_value;
pub mod json_parts;
pub mod option_value;
pub mod shell;
pub mod spelling;
