//! The processes of commands and, if we are process 1 of a container, the orphans they leave us.

use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use rmq_common::signals;
use rmq_common::thread;
use signal_hook::consts::SIGCHLD;
use signal_hook::flag;
use signal_hook::iterator::Signals;
use std::collections::HashSet;
use std::io;
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Starts processes and reaps them; never takes the status of any other code's process.
#[derive(Debug, Default)]
pub struct Children {
    is_ready: bool,
    own: Own,
}

/// Processes that were started here and are not reaped. Locked while one is started, so that one
/// that ends at once is not taken for an orphan.
#[derive(Clone, Debug, Default)]
struct Own(Arc<Mutex<HashSet<u32>>>);

impl Children {
    /// Starts a process.
    pub fn spawn(&mut self, command: &mut Command) -> io::Result<Child> {
        if !self.is_ready {
            self.prepare()?;
            self.is_ready = true;
        }
        let mut own = self.own.lock();
        let child = command.spawn().map_err(thread::why)?;
        own.insert(child.id());
        Ok(child)
    }

    /// Takes the status of a process that has ended, or waits for it.
    pub fn reap(&mut self, child: &mut Child) -> io::Result<ExitStatus> {
        let status = child.wait();
        self.own.lock().remove(&child.id());
        if signals::is_process_1() {
            // An orphan may have been first in the queue of ended processes.
            self.own.reap_others();
        }
        status
    }

    fn prepare(&self) -> io::Result<()> {
        // If the parent left SIGCHLD ignored, the kernel would discard every status. A handler
        // prevents that, here and (unlike the setting itself) in the commands.
        flag::register(SIGCHLD, Arc::new(AtomicBool::new(false)))?;
        if signals::is_process_1() {
            let mut ended = Signals::new([SIGCHLD])?;
            let own = self.own.clone();
            thread::start("orphans", move || ended.forever().for_each(|_| own.reap_others()))?;
        }
        Ok(())
    }
}

impl Own {
    fn lock(&self) -> MutexGuard<'_, HashSet<u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reaps ended processes that were not started here.
    fn reap_others(&self) {
        let own = self.lock();
        let ended = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        loop {
            let process = match waitid(Id::All, ended) {
                Ok(WaitStatus::Exited(process, _) | WaitStatus::Signaled(process, ..)) => process,
                Err(Errno::EINTR) => continue,
                Ok(_) | Err(_) => return,
            };
            // Ours is reaped when its status is wanted, and then the search for others continues.
            if u32::try_from(process.as_raw()).is_ok_and(|process| own.contains(&process))
                || waitpid(process, Some(WaitPidFlag::WNOHANG)).is_err()
            {
                return;
            }
        }
    }
}
