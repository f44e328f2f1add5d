//! A run with `--follow` or `--positions`: what differs from one without.

use crate::arguments::{Arguments, From};
use crate::follow::entry::Entry;
use crate::follow::follower::Follower;
use crate::follow::identity::Identity;
use crate::follow::log::Log;
use crate::follow::register::Register;
use crate::follow::saver::Saver;
use crate::follow::store::{Found, Store};
use crate::follow::tools::Tools;
use crate::input::marks::Marks;
use crate::input::numbering::Numbering;
use crate::input::reader::{Plan, Reader};
use crate::input::sources::Source;
use rmq_common::failure::Failure;
use rmq_common::thread;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// The followed files, as the sender sees them.
#[derive(Debug)]
pub struct Followed {
    register: Register,
    saver: Option<Saver>,
    /// The positions file.
    name: Option<String>,
    /// Existing content is read, and then the run ends.
    once: bool,
}

/// Files to be followed, which have been found but not started.
pub struct Following {
    logs: Vec<Log>,
    tools: Tools,
    store: Option<Store>,
}

impl Following {
    /// Finds the files of `plan` and how far they are confirmed.
    ///
    /// # Errors
    /// The positions are in use (75) or damaged (65), or a file cannot be read (74).
    pub fn new(arguments: &Arguments, plan: &Plan) -> Result<Self, Failure> {
        let names: Vec<&str> = plan.sources.iter().filter_map(Source::path).collect();
        raise_limit(names.len());
        let diagnostics = plan.diagnostics;
        let opened = arguments.positions.as_deref().map(Store::open).transpose()?;
        if let Some((store, _)) = &opened {
            diagnostics.trace(&format!("keeping positions in {}", store.name()));
        }
        let mut from = arguments.from.unwrap_or_default();
        let (store, entries) = match opened {
            None => (None, Vec::new()),
            Some((store, Found::Nothing)) => (Some(store), Vec::new()),
            Some((store, Found::Entries(entries))) => (Some(store), entries),
            Some((store, Found::Empty)) => {
                from = From::Start;
                let name = store.name();
                let text = "empty; the files are sent from their beginning";
                diagnostics.notice(&format!("positions {name}: {text}"));
                (Some(store), Vec::new())
            }
        };
        let mut paths = BTreeSet::new();
        if let Some(twice) = names.iter().find(|name| !paths.insert(*name)) {
            return Err(Failure::usage(format!("{twice} is given twice")));
        }
        let logs = names.iter().enumerate().map(|(index, name)| Log::new(index, name));
        let mut logs = logs.collect::<Result<Vec<Log>, Failure>>()?;
        let keys: BTreeSet<String> = logs.iter().map(Log::key).collect();
        let is_ours = |entry: &Entry| keys.contains(&entry.path);
        let (ours, others): (Vec<Entry>, Vec<Entry>) =
            furthest(entries).into_iter().partition(is_ours);
        let register = Register::new(others.clone(), !arguments.dry_run && store.is_some());
        let framing = (plan.format, plan.max_size);
        let mut tools = Tools::new(register, diagnostics, framing, !arguments.follow);
        for log in &mut logs {
            let key = log.key();
            let own = ours.iter().filter(|entry| entry.path == key);
            let mut known: Vec<Entry> = own.cloned().collect();
            // A file that was followed under another name.
            let identity = rustix::fs::stat(log.path()).ok().map(|status| Identity::of(&status));
            let is_it = |entry: &&Entry| Some(entry.identity) == identity;
            if !known.iter().any(|entry| is_it(&entry)) {
                known.extend(ours.iter().chain(&others).find(is_it).cloned());
            }
            log.resume(&known, from, &mut tools)?;
        }
        apart(&logs, store.as_ref())?;
        Ok(Following { logs, tools, store })
    }

    /// Where records are in the files.
    pub fn marks(&self) -> Marks {
        self.tools.register.marks()
    }

    /// Begins to read.
    ///
    /// # Errors
    /// The positions cannot be saved (74).
    pub fn start(self, plan: &Plan) -> Result<(Followed, Reader), Failure> {
        let Following { logs, tools, store } = self;
        let (register, once) = (tools.register.clone(), tools.once);
        let name = store.as_ref().map(|store| store.name().to_owned());
        let diagnostics = tools.diagnostics;
        let saver = match store {
            Some(store) if register.is_saved() => {
                Some(Saver::start(&register, store, diagnostics)?)
            }
            _ => None,
        };
        let problem = |error| Failure::io("start to read", &error);
        let (stopped, stop) = io::pipe().map_err(problem)?;
        let (sender, receiver) = flume::bounded(1);
        let names = logs.iter().map(|log| plan.composer.of_source(Some(log.name())));
        let composers = names.collect();
        let numbering = Numbering::new(plan.max_size, plan.beyond_bad);
        let follower = Follower::new(logs, composers, tools, numbering, sender, stopped);
        thread::start("input", move || follower.run()).map_err(problem)?;
        Ok((Followed { register, saver, name, once }, Reader::new(receiver, stop)))
    }
}

impl Followed {
    /// The records up to `number` are confirmed, or in the rejects.
    pub fn confirm(&self, number: u64) {
        self.register.confirm(number);
    }

    /// Bytes that are not confirmed.
    pub fn behind(&self) -> u64 {
        self.register.behind()
    }

    /// The same, for another thread.
    pub fn gauge(&self) -> impl Fn() -> u64 + Send + use<> {
        let register = self.register.clone();
        move || register.behind()
    }

    /// The positions file.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether the run ends by itself.
    pub fn once(&self) -> bool {
        self.once
    }

    /// Saves the last positions.
    ///
    /// # Errors
    /// They cannot be saved (74).
    pub fn close(self) -> Result<(), Failure> {
        self.saver.map_or(Ok(()), Saver::close)
    }
}

/// If several entries, under different names, are for one file, the furthest is right.
fn furthest(mut entries: Vec<Entry>) -> Vec<Entry> {
    let mut furthest: BTreeMap<Identity, Entry> = BTreeMap::new();
    for entry in &entries {
        let known = furthest.entry(entry.identity).or_insert_with(|| entry.clone());
        if known.offset < entry.offset && known.path != entry.path {
            *known = entry.clone();
        }
    }
    for entry in &mut entries {
        if let Some(far) = furthest.get(&entry.identity)
            && far.path != entry.path
        {
            entry.offset = far.offset;
            entry.fingerprint = far.fingerprint;
        }
    }
    entries
}

/// Checks that every file is followed under one name and is not the positions file.
fn apart(logs: &[Log], store: Option<&Store>) -> Result<(), Failure> {
    let mut names = BTreeMap::new();
    for log in logs {
        for generation in log.generations() {
            let name = log.name();
            if let Some(other) = names.insert(generation.identity(), name)
                && other != name
            {
                return Err(Failure::usage(format!("{other} and {name} are the same file")));
            }
        }
    }
    let Some(store) = store else { return Ok(()) };
    let status = rustix::fs::fstat(store.file());
    match status.ok().and_then(|status| names.get(&Identity::of(&status)).copied()) {
        Some(name) => Err(Failure::usage(format!("--positions {name}: it is read"))),
        None => Ok(()),
    }
}

/// Raises the limit of open files: a followed file takes a descriptor, and one more in a rotation.
fn raise_limit(files: usize) {
    let limit = getrlimit(Resource::Nofile);
    let wanted = 256 + 4 * files as u64;
    if limit.current.is_some_and(|current| current < wanted) {
        let current = limit.maximum.map_or(Some(wanted), |most| Some(most.min(wanted)));
        // If that fails, opening a file reports it.
        let _ = setrlimit(Resource::Nofile, Rlimit { current, maximum: limit.maximum });
    }
}
