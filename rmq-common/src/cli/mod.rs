//! A command-line tool: its arguments, its diagnostics, its exit status.

pub mod aliases;
pub mod argument_bytes;
pub mod arguments;
pub mod completions;
pub mod count;
pub mod diagnostics;
pub mod duration;
pub mod escape;
pub mod exit;
pub mod failure;
pub mod help;
pub mod nearest;
pub mod options;
pub mod password;
pub mod process_limits;
pub mod profiles;
pub mod program;
pub mod progress;
mod rates;
pub mod redact;
pub mod secret;
pub mod service_manager;
pub mod shown;
pub mod signals;
pub mod size;
pub mod standard_streams;
mod synonyms;
