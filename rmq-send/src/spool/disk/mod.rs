//! The queue on disk for `--spool`: records go in at one end, come out at the other in the same
//! order, and stay until they are reported as done.
//!
//! A spool is a directory of segments, files that are only ever appended to ([`format`] has their
//! layout), and a cursor: the sequence number up to which everything is done. Sequence numbers
//! begin at 1 and continue from run to run. [`Writer`] appends, [`Replay`] reads the same files
//! from the front, [`Done`] moves the cursor; the three belong to three threads and share
//! [`state::Shared`]. Two more threads maintain the spool: `keeper` writes the cursor and deletes
//! what is done, `syncer` syncs what was written, so that none of the three waits for the disk.
//!
//! The guarantees: an appended record survives `kill -9` at once, and a power cut after
//! [`syncer::SYNC_INTERVAL`]. It comes out once, except after a kill, a power cut or an unreadable
//! cursor, when some that were done come out again. With a full disk or a damaged segment, all that
//! can be kept or read survives.

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
