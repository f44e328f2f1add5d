//! Other names of subcommands.

/// Other names of subcommands: `(alias, name)`, where the name may be followed by a switch; or what
/// other tools call a thing that this one does not do, and the command that does it.
pub type Aliases = &'static [(&'static str, &'static str)];
