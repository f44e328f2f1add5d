//! Reports of content that can no longer be read.

use super::Log;
use crate::follow::entry::Entry;
use crate::follow::scan::{self, Sibling};
use crate::follow::tools::Tools;
use rmq_common::count::counted;

impl Log {
    pub(super) fn gone(&self, entry: &Entry, siblings: &[Sibling], tools: &mut Tools) {
        // A file that was compressed after it was read is not a loss.
        let packed = siblings.iter().filter(|sibling| sibling.modified >= entry.modified);
        let mut packed = packed.filter(|sibling| sibling.is_compressed);
        if packed.any(|sibling| sibling.is_packed(entry.offset)) {
            return;
        }
        let (name, offset) = (&self.name, entry.offset);
        let unread = match entry.size.saturating_sub(offset) {
            0 => "how much is unknown".to_owned(),
            bytes => format!("at least {}", counted(bytes, "byte")),
        };
        tools.gap(format!(
            "{name}: the file that was read up to byte {offset} is gone; what was written to it \
             after that is not sent ({unread})"
        ));
    }

    pub(super) fn missed(&self, sibling: &Sibling, entries: &[Entry], tools: &mut Tools) {
        if entries.iter().any(|entry| sibling.is_packed(entry.offset)) {
            return;
        }
        let (name, shown) = (&self.name, sibling.path.display());
        let bytes = match scan::size_before_gzip(&sibling.path) {
            Some(bytes) => counted(bytes.into(), "byte"),
            None => format!("compressed {}", counted(sibling.size, "byte")),
        };
        let text = format!("{name}: {shown} was compressed before it was read: {bytes} not sent");
        tools.gap(text);
    }
}
