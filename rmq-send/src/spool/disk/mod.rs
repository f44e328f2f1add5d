//! The queue on disk behind `--spool`: records go in at one end, come out at the other in the same
//! order, and stay until they are said to be done.
//!
//! A spool is a directory of segments, files that are only ever appended to ([`format`] has their
//! layout), and a cursor that says up to which sequence number everything is done. Sequence numbers
//! begin at 1 and go on from run to run. [`Writer`] appends, [`Replay`] reads the same files from
//! the front, [`Done`] moves the cursor; the three belong to three threads and meet in
//! [`state::Shared`]. Two threads more keep the spool: `keeper` writes the cursor and deletes what
//! is done, `syncer` puts on the disk what was written, so that none of the three waits for it.
//!
//! What is promised: an appended record survives `kill -9` at once, and a power cut after
//! [`syncer::SYNC_INTERVAL`]. It comes out once, except after a kill, a power cut or an unreadable cursor,
//! when some that were done come out again. A full disk and a damaged segment lose nothing that
//! can still be kept or read.

mod active;
mod batch;
mod cursor;
mod damage;
mod directory;
mod done;
mod fit;
mod format;
mod keeper;
mod open;
mod private;
mod reader;
mod recovery;
mod replay;
mod segment;
mod state;
mod syncer;
#[cfg(test)]
mod tests;
mod writer;

#[cfg(test)]
pub use batch::Batch;
#[cfg(test)]
pub use damage::Damage;
pub use directory::Directory;
pub use done::{Done, Gauge, Left};
pub use open::Spool;
pub use private::sync_parent;
#[cfg(test)]
pub use recovery::Found;
pub use replay::Replay;
pub use writer::{Appended, Room, Writer};
