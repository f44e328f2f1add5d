//! Values in the forms of the command line and of AMQP.

pub mod argument_value;
pub mod json_parts;
pub mod option_value;
pub mod shell;
pub mod spelling;
