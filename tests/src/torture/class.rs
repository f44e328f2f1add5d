//! The classes of faults: the one table of their names, what they are done to, and for how long.

use std::ops::Range;

/// A class of faults, as the schedule draws it.
#[derive(Clone, Debug)]
pub struct Row {
    /// The name that `FAULTS` knows it by.
    pub name: &'static str,
    /// To what it is done.
    pub lane: Lane,
    /// How long all is left alone before it, in milliseconds.
    pub pause: Range<u64>,
    /// How long it lasts, in milliseconds.
    pub hold: Range<u64>,
}

macro_rules! classes {
    ($($(#[$doc:meta])* $class:ident $name:literal $lane:ident $pause:expr, $hold:expr;)*) => {
        /// A class of faults.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Class {
            $($(#[$doc])* $class,)*
        }

        impl Class {
            /// Every class.
            pub const ALL: &'static [Class] = &[$(Class::$class,)*];

            /// What is known of it.
            pub fn row(self) -> Row {
                match self {
                    $(Class::$class => {
                        Row { name: $name, lane: Lane::$lane, pause: $pause, hold: $hold }
                    })*
                }
            }
        }
    };
}

classes! {
    /// SIGKILL to a node.
    KillNode "kill-node" Nodes 1000..5000, 500..8000;
    /// SIGTERM to a node.
    StopNode "stop-node" Nodes 1000..5000, 500..8000;
    // Nodes give one another up after 5 to 6 s: some of the next two are shorter.
    /// SIGSTOP to a node.
    PauseNode "pause-node" Nodes 1000..5000, 2000..14_000;
    /// A node that the others cannot reach, and its clients can.
    Partition "partition" Nodes 1000..5000, 2000..14_000;
    /// SIGKILL to two nodes of three.
    KillMajority "kill-majority" Nodes 1000..5000, 4000..12_000;
    /// SIGSTOP to two nodes of three.
    PauseMajority "pause-majority" Nodes 1000..5000, 4000..12_000;
    /// A node short of memory.
    MemoryAlarm "memory-alarm" Nodes 1000..3000, 1000..6000;
    /// A node short of disk.
    DiskAlarm "disk-alarm" Nodes 1000..3000, 1000..6000;
    /// No room on the disk that the spool is on.
    FullDisk "full-disk" Surroundings 2000..10_000, 500..5000;
    /// Connections to a node closed in the middle of a frame.
    CutConnection "cut-connection" Surroundings 500..5000, 0..1;
    /// A network between tools and nodes on which nothing passes: for less than what makes a tool
    /// give up its connection, and for more.
    SilentNetwork "silent-network" Surroundings 2000..10_000, 500..14_000;
    /// SIGKILL to one of the tools or a filter between them.
    KillTool "kill-tool" Programs 500..5000, 0..1;
    /// SIGTERM to one of them.
    StopTool "stop-tool" Programs 500..5000, 0..1;
    /// SIGSTOP to one of them.
    PauseTool "pause-tool" Programs 500..5000, 100..6000;
}

impl Class {
    /// The name that `FAULTS` knows it by.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The class of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|class| class.name() == name)
    }
}

/// What faults are done to. In each lane they come one after another, in all three at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Nodes, each only once the cluster is whole again after the one before.
    Nodes,
    /// The network and the disk.
    Surroundings,
    /// The tools, and the filter between them.
    Programs,
}
