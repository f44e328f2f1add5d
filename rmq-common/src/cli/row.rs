//! Rows of a terminal for the tools of a pipeline that show progress on it, as `pv -c` has them.
//!
//! Each tool draws on a row of its own: the first one on the line on which the cursor stands, the
//! others on the lines below, from where they go back to it. So whatever is drawn begins and ends on
//! the same line, in one write, and the tools need not know of one another. A row is a byte of the
//! terminal that its tool has locked; such a lock belongs to a process, and ends with it.

use indicatif::TermLike;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Tools beyond so many share the last row.
const MOST: u16 = 8;
/// Columns, if the terminal does not say.
const WIDTH: u16 = 80;

/// A row of the terminal that is standard error. Clones are the same row.
#[derive(Clone, Debug)]
pub(super) struct Row(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// Rows above it.
    number: u16,
    /// What is to be drawn.
    text: String,
}

impl Row {
    /// The first that no other tool has.
    pub(super) fn claim() -> Self {
        let number = (0..MOST).find(|number| lock(*number)).unwrap_or(MOST - 1);
        Row(Arc::new(Mutex::new(State { number, text: String::new() })))
    }

    /// Moves up if a tool above has ended.
    pub(super) fn rise(&self) {
        let mut state = self.state();
        if let Some(number) = (0..state.number).find(|number| lock(*number)) {
            let _ = write(&clear(state.number));
            unlock(state.number);
            state.number = number;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No holder of the lock can leave the state inconsistent.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, text: &str) -> io::Result<()> {
        self.state().text.push_str(text);
        Ok(())
    }
}

impl Drop for State {
    fn drop(&mut self) {
        unlock(self.number);
    }
}

/// Moves are left out: there is one line, and [`flush`](TermLike::flush) knows where it is.
impl TermLike for Row {
    fn width(&self) -> u16 {
        width()
    }

    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.add(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.add(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.state().text.clear();
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let mut state = self.state();
        let text = std::mem::take(&mut state.text);
        write(&match text.as_str() {
            "" => clear(state.number),
            text => draw(state.number, text, width()),
        })
    }
}

/// `text`, which takes the whole width, on a row. The cursor stays at the end of the first row, so that
/// what another program writes begins on the next line.
fn draw(row: u16, text: &str, width: u16) -> String {
    match row {
        0 => format!("\r{text}"),
        row => format!("{}{text}\x1b[{row}A\x1b[{width}G ", below(row)),
    }
}

fn clear(row: u16) -> String {
    match row {
        0 => "\r\x1b[K".to_owned(),
        row => format!("{}\x1b[K\x1b[{row}A", below(row)),
    }
}

/// To the beginning of a row, for which the terminal may have to scroll.
fn below(row: u16) -> String {
    "\r\n".repeat(usize::from(row))
}

/// What stands before a line that stays: it takes the place of all rows, which are drawn again below it.
pub(super) const INSTEAD: &str = "\r\x1b[J";

fn write(text: &str) -> io::Result<()> {
    io::stderr().write_all(text.as_bytes())
}

fn width() -> u16 {
    let size = rustix::termios::tcgetwinsize(rustix::stdio::stderr());
    size.ok().map(|size| size.ws_col).filter(|width| *width > 0).unwrap_or(WIDTH)
}

/// Whether the row is ours now. A system that locks no terminals has one row for all.
fn lock(row: u16) -> bool {
    !matches!(set(row, libc::F_WRLCK as libc::c_short), Err(Errno::EAGAIN | Errno::EACCES))
}

fn unlock(row: u16) {
    let _ = set(row, libc::F_UNLCK as libc::c_short);
}

fn set(row: u16, kind: libc::c_short) -> nix::Result<()> {
    let lock = libc::flock {
        l_type: kind,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: row.into(),
        l_len: 1,
        l_pid: 0,
        #[cfg(target_os = "freebsd")]
        l_sysid: 0,
    };
    fcntl(rustix::stdio::stderr(), FcntlArg::F_SETLK(&lock)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_ends_on_the_line_on_which_it_began() {
        for row in [1, 3] {
            for drawn in [draw(row, "text", 4), clear(row)] {
                assert_eq!(drawn.matches('\n').count(), usize::from(row));
                assert!(drawn.contains(&format!("\x1b[{row}A")));
            }
        }
        assert!(!(draw(0, "text", 4) + &clear(0) + INSTEAD).contains('\n'));
    }
}
