//! Other names of subcommands.

/// Other names of subcommands: `(alias, name)`, where a switch may follow the name; or a name from
/// other tools for something that this one does not do, and the command that does it.
pub type Aliases = &'static [(&'static str, &'static str)];
