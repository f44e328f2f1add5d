//! What standard output is, and what the operating system knows about its reader.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, fstat};
use rustix::io::ioctl_fionread;
use rustix::stdio::stdout;

/// Whether standard output is a pipe whose reader's progress can be seen. Only Linux is known to
/// report it at the writing end, and only for a FIFO: elsewhere FIONREAD counts something else.
pub fn is_fifo() -> bool {
    cfg!(target_os = "linux") && file_type() == Some(FileType::Fifo)
}

/// Whether standard output is a file or a disk, which can be synced.
pub fn can_sync() -> bool {
    matches!(file_type(), Some(FileType::RegularFile | FileType::BlockDevice))
}

fn file_type() -> Option<FileType> {
    fstat(stdout()).ok().map(|stat| FileType::from_raw_mode(stat.st_mode))
}

/// How many bytes in the pipe are written but not read; 0 if standard output is not a pipe. Bytes
/// from other writers of the same pipe count, too, so this is never too low.
pub fn unread() -> u64 {
    if is_fifo() { ioctl_fionread(stdout()).unwrap_or(u64::MAX) } else { 0 }
}

/// Whether any process still has the pipe open for reading.
pub fn has_reader() -> bool {
    let output = stdout();
    let mut descriptors = [PollFd::new(&output, PollFlags::empty())];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    // An interrupted check counts as no reader; the next one corrects that.
    poll(&mut descriptors, Some(&at_once)).is_ok()
        && !descriptors[0].revents().intersects(PollFlags::ERR | PollFlags::HUP)
}
