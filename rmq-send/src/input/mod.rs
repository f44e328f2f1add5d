//! Reading the input and cutting it into records.

pub mod cut;
pub mod framing;
pub mod intake;
pub mod marks;
pub mod numbering;
pub mod positions;
pub mod reader;
pub mod sources;
pub mod utf16;
