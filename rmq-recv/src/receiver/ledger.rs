//! What a channel has delivered and we have not acknowledged, in the order of its delivery tags.

use std::collections::VecDeque;

/// A message that was taken.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    pub tag: u64,
    /// Where it ends in the output: bytes since the start of the run.
    pub end: u64,
    /// The same in records, as the reader counts them.
    pub records: u64,
    /// Whether a newline in its body makes it more than one line.
    pub newline: bool,
    /// Its offset in a stream.
    pub offset: Option<u64>,
    /// The length of its body.
    pub bytes: u64,
    /// It may be acknowledged.
    pub done: bool,
    /// It is rejected instead, which sends it to the dead-letter exchange.
    pub rejected: bool,
}

/// Messages taken and not acknowledged.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: VecDeque<Entry>,
    done: usize,
    /// The last tag that came.
    last: u64,
    /// Whether a tag was skipped: the channel was given a message that we were not.
    skipped: bool,
    /// The highest offset in a stream that was acknowledged.
    offset: Option<u64>,
}

/// One acknowledgement to send, and its purpose.
#[derive(Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    pub tag: u64,
    /// Whether it includes all before it.
    pub multiple: bool,
    /// Whether it is a rejection, of this message alone.
    pub reject: bool,
}

/// What was done and leaves the ledger.
#[derive(Debug, Default)]
pub struct Done {
    /// The acknowledgements to send.
    pub acknowledgements: Vec<Acknowledgement>,
    /// How many messages they cover.
    pub count: u64,
    /// How many of those were rejected.
    pub rejected: u64,
    /// How many of those contained a newline.
    pub newlines: u64,
    /// The bytes of the bodies of those that were not rejected.
    pub bytes: u64,
    /// Where in a stream to continue: at the first message that is not acknowledged.
    pub offset: Option<u64>,
}

impl Ledger {
    /// Adds a message; its tag is higher than those before it.
    pub fn push(&mut self, entry: Entry) {
        // RabbitMQ counts tags from 1. Seen with 4.3: deliveries to a consumer that it had
        // cancelled, which the lane drops. "All up to this one" would acknowledge them unseen.
        self.skipped |= entry.tag.checked_sub(1) != Some(self.last);
        self.last = entry.tag;
        self.entries.push_back(entry);
    }

    /// How many messages are taken and not acknowledged.
    pub fn len(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Whether everything taken is acknowledged.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many messages are done and not acknowledged yet.
    pub fn done(&self) -> u64 {
        self.done as u64
    }

    /// Marks messages as done, from the first on, while `reached` is true.
    pub fn reached(&mut self, reached: impl Fn(&Entry) -> bool) {
        // If messages are done in order, the done ones are at the front, and `done` counts them.
        for entry in self.entries.iter_mut().skip(self.done).take_while(|entry| reached(entry)) {
            entry.done = true;
            self.done += 1;
        }
    }

    /// Marks one message as done, in any order. Returns whether it was there and not done before.
    pub fn mark(&mut self, tag: u64) -> bool {
        let found = self.entries.binary_search_by_key(&tag, |entry| entry.tag).ok();
        match found.and_then(|index| self.entries.get_mut(index)) {
            Some(entry) if !entry.done => {
                entry.done = true;
                self.done += 1;
                true
            }
            _ => false,
        }
    }

    /// Removes one message that is settled in another way than by an acknowledgement. Returns
    /// whether it was there and not done.
    pub fn remove(&mut self, tag: u64) -> bool {
        match self.entries.binary_search_by_key(&tag, |entry| entry.tag) {
            Ok(index) if !self.entries[index].done => {
                self.entries.remove(index);
                true
            }
            _ => false,
        }
    }

    /// Forgets everything: its channel is gone, or nothing shows what is done.
    pub fn clear(&mut self) {
        *self = Ledger::default();
    }

    /// How many of the messages up to this tag are not done.
    pub fn open_up_to(&self, tag: u64) -> u64 {
        let count = self.entries.partition_point(|entry| entry.tag <= tag);
        self.entries.iter().take(count).filter(|entry| !entry.done).count() as u64
    }

    /// How many messages came after this tag.
    pub fn since(&self, tag: u64) -> u64 {
        (self.entries.len() - self.entries.partition_point(|entry| entry.tag <= tag)) as u64
    }

    /// The last tag that came.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Marks one message as done by a rejection. Returns whether it was there and not done before.
    pub fn reject(&mut self, tag: u64) -> bool {
        let marked = self.mark(tag);
        if marked
            && let Ok(index) = self.entries.binary_search_by_key(&tag, |entry| entry.tag)
            && let Some(entry) = self.entries.get_mut(index)
        {
            entry.rejected = true;
        }
        marked
    }

    /// Removes what is done, at most `at_most`, the oldest first: as many as possible with one
    /// acknowledgement for all before it; the others, which come after one that is not done or did
    /// not reach us, one by one.
    pub fn take_done(&mut self, at_most: u64) -> Done {
        let mut done = Done::default();
        while !self.skipped
            && done.count < at_most
            && self.entries.front().is_some_and(|entry| entry.done)
            && let Some(entry) = self.entries.pop_front()
        {
            if entry.rejected {
                done.settle(&entry, false);
            } else {
                // One with `multiple` makes those just before it superfluous, but not a rejection.
                if done.acknowledgements.last().is_some_and(|last| last.multiple) {
                    done.acknowledgements.pop();
                }
                done.settle(&entry, true);
            }
        }
        if done.count < at_most.min(self.done as u64) {
            self.entries.retain(|entry| {
                let settled = entry.done && done.count < at_most;
                if settled {
                    done.settle(entry, false);
                }
                !settled
            });
        }
        let count = usize::try_from(done.count).unwrap_or(usize::MAX);
        self.done = self.done.saturating_sub(count);
        self.offset = self.offset.max(done.offset);
        let first = self.entries.front().and_then(|entry| entry.offset);
        done.offset = first.or(self.offset.map(|offset| offset + 1));
        done
    }
}

impl Done {
    fn settle(&mut self, entry: &Entry, multiple: bool) {
        let Entry { tag, rejected: reject, .. } = *entry;
        self.acknowledgements.push(Acknowledgement { tag, multiple, reject });
        self.count += 1;
        self.rejected += u64::from(reject);
        self.newlines += u64::from(entry.newline);
        self.bytes += if reject { 0 } else { entry.bytes };
        self.offset = self.offset.max(entry.offset);
    }
}

#[cfg(test)]
mod tests;
