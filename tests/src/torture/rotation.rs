//! How a log is rotated.

/// A kind of rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// Renamed, and a new file is created.
    Create,
    /// The same, but its program continues to write to the old file for a while.
    Late,
    /// Renamed and created a few times in a row.
    Several,
    /// Copied, and truncated.
    CopyTruncate,
    /// Truncated, so that its content is lost.
    Truncate,
    /// Removed while its program continues to write to it; after a while there is a new one.
    Remove,
    /// Moved to another directory while its program continues to write to it, and back.
    Away,
    /// Its directory is moved away, and back.
    Directory,
}

impl Rotation {
    /// Every kind.
    pub const ALL: [Rotation; 8] = [
        Rotation::Create,
        Rotation::Late,
        Rotation::Several,
        Rotation::CopyTruncate,
        Rotation::Truncate,
        Rotation::Remove,
        Rotation::Away,
        Rotation::Directory,
    ];

    /// Its name in the report.
    pub fn name(self) -> &'static str {
        match self {
            Rotation::Create => "rename and create",
            Rotation::Late => "the same, written to meanwhile",
            Rotation::Several => "several renames",
            Rotation::CopyTruncate => "copytruncate",
            Rotation::Truncate => "truncation",
            Rotation::Remove => "removal and return",
            Rotation::Away => "moved away and back",
            Rotation::Directory => "directory away and back",
        }
    }
}
