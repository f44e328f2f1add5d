//! What standard output is, and what the operating system knows of its reader.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, fstat};
use rustix::io::ioctl_fionread;
use rustix::stdio::stdout;

/// Whether standard output is a pipe whose reader's progress can be seen. Only Linux is known to
/// answer at the writing end, and only for a FIFO: for sockets and terminals FIONREAD counts
/// something else.
pub fn is_fifo() -> bool {
    cfg!(target_os = "linux") && file_type() == Some(FileType::Fifo)
}

/// Whether standard output is a file or a disk, which can be told to be safe.
pub fn can_sync() -> bool {
    matches!(file_type(), Some(FileType::RegularFile | FileType::BlockDevice))
}

fn file_type() -> Option<FileType> {
    fstat(stdout()).ok().map(|stat| FileType::from_raw_mode(stat.st_mode))
}

/// How many bytes are in the pipe, written and not read; 0 where standard output is none. Bytes
/// that others wrote into the same pipe count too, so that this is never too little.
pub fn unread() -> u64 {
    if is_fifo() { ioctl_fionread(stdout()).unwrap_or(u64::MAX) } else { 0 }
}

/// Whether somebody still has the pipe open to read.
pub fn has_reader() -> bool {
    let output = stdout();
    let mut descriptors = [PollFd::new(&output, PollFlags::empty())];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    // An interrupted look counts as none: the next one tells.
    poll(&mut descriptors, Some(&at_once)).is_ok()
        && !descriptors[0].revents().intersects(PollFlags::ERR | PollFlags::HUP)
}
