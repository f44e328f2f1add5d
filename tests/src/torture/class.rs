//! The classes of faults.

/// A class of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// SIGKILL to a node.
    KillNode,
    /// SIGTERM to a node.
    StopNode,
    /// SIGSTOP to a node.
    PauseNode,
    /// A node that the others cannot reach, and its clients can.
    Partition,
    /// SIGKILL to two nodes of three.
    KillMajority,
    /// SIGSTOP to two nodes of three.
    PauseMajority,
    /// A node short of memory.
    MemoryAlarm,
    /// A node short of disk.
    DiskAlarm,
    /// No room on the disk that the spool is on.
    FullDisk,
    /// Connections to a node closed in the middle of a frame.
    CutConnection,
    /// A network between tools and nodes on which nothing passes.
    SilentNetwork,
    /// SIGKILL to one of the tools or a filter between them.
    KillTool,
    /// SIGTERM to one of them.
    StopTool,
    /// SIGSTOP to one of them.
    PauseTool,
}

impl Class {
    /// Every class.
    pub const ALL: [Class; 14] = [
        Class::KillNode,
        Class::StopNode,
        Class::PauseNode,
        Class::Partition,
        Class::KillMajority,
        Class::PauseMajority,
        Class::MemoryAlarm,
        Class::DiskAlarm,
        Class::FullDisk,
        Class::CutConnection,
        Class::SilentNetwork,
        Class::KillTool,
        Class::StopTool,
        Class::PauseTool,
    ];

    /// The name that `FAULTS` knows it by.
    pub fn name(self) -> &'static str {
        match self {
            Class::KillNode => "kill-node",
            Class::StopNode => "stop-node",
            Class::PauseNode => "pause-node",
            Class::Partition => "partition",
            Class::KillMajority => "kill-majority",
            Class::PauseMajority => "pause-majority",
            Class::MemoryAlarm => "memory-alarm",
            Class::DiskAlarm => "disk-alarm",
            Class::FullDisk => "full-disk",
            Class::CutConnection => "cut-connection",
            Class::SilentNetwork => "silent-network",
            Class::KillTool => "kill-tool",
            Class::StopTool => "stop-tool",
            Class::PauseTool => "pause-tool",
        }
    }

    /// The class of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// To what it is done.
    pub fn lane(self) -> Lane {
        match self {
            Class::FullDisk | Class::CutConnection | Class::SilentNetwork => Lane::Surroundings,
            Class::KillTool | Class::StopTool | Class::PauseTool => Lane::Programs,
            _ => Lane::Nodes,
        }
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
