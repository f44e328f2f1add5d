//! Listings of one virtual host, or of all with `--all`.

use crate::administration::Administration;
use crate::output::{Column, Value};
use crate::session::Session;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;

/// The list of one virtual host.
pub struct OnVhost<T> {
    pub vhost: String,
    pub rows: Vec<T>,
}

/// The result of `list` for the virtual host of `--vhost`, or for each one if `all`; `what` names
/// it.
///
/// # Errors
/// `--vhost` with `all` (64), or a list fails.
pub fn gather<T>(
    session: &Session,
    all: bool,
    what: &str,
    mut list: impl FnMut(&mut dyn Administration, &str) -> Result<Vec<T>, Failure>,
) -> Result<Vec<OnVhost<T>>, Failure> {
    if all && session.given_vhost().is_some() {
        return Err(Failure::usage("--all cannot be combined with --vhost"));
    }
    let vhost = session.vhost()?;
    let mut broker = session.broker()?;
    let broker = broker.as_mut();
    let context =
        |vhost: &str, failure: Failure| failure.context(format!("list {what} of {vhost}"));
    if !all {
        let rows = list(broker, vhost).map_err(|failure| context(vhost, failure))?;
        return Ok(vec![OnVhost { vhost: vhost.to_owned(), rows }]);
    }
    let (mut found, mut refused) = (Vec::new(), Vec::new());
    for vhost in sendable_vhosts(session, broker)? {
        match unless_deleted(broker, &vhost, &mut list) {
            Ok(rows) => found.extend(rows.map(|rows| OnVhost { vhost, rows })),
            // From the management API, which names all virtual hosts to a user who may monitor.
            Err(failure) if failure.exit() == Exit::NoPerm => refused.push((vhost, failure)),
            Err(failure) => return Err(context(&vhost, failure)),
        }
    }
    if let (true, Some((vhost, failure))) = (found.is_empty(), refused.first()) {
        return Err(context(vhost, failure.clone()));
    }
    for (vhost, failure) in refused {
        session.diagnostics().notice(&format!("{vhost} is left out: {failure}"));
    }
    Ok(found)
}

/// The virtual hosts, sorted. A notice names those about which this transport cannot ask.
pub fn sendable_vhosts(
    session: &Session,
    broker: &mut dyn Administration,
) -> Result<Vec<String>, Failure> {
    let mut vhosts = vhosts(broker)?;
    vhosts.retain(|vhost| {
        let sent = broker.can_send(vhost);
        if let Err(failure) = &sent {
            session.diagnostics().notice(&format!("{vhost} is left out: {failure}"));
        }
        sent.is_ok()
    });
    Ok(vhosts)
}

/// The virtual hosts, sorted.
fn vhosts(broker: &mut dyn Administration) -> Result<Vec<String>, Failure> {
    let vhosts = broker.list_vhosts().map_err(|failure| failure.context("list vhosts"))?;
    let mut vhosts: Vec<String> =
        vhosts.iter().map(|vhost| String::from_utf8_lossy(vhost).into_owned()).collect();
    vhosts.sort();
    Ok(vhosts)
}

/// The result of `list` for a virtual host; `None` if the virtual host was deleted meanwhile.
pub fn unless_deleted<T>(
    broker: &mut dyn Administration,
    vhost: &str,
    list: impl FnOnce(&mut dyn Administration, &str) -> Result<T, Failure>,
) -> Result<Option<T>, Failure> {
    match list(broker, vhost) {
        Ok(found) => Ok(Some(found)),
        Err(failure) => match broker.vhost_exists(vhost) {
            Ok(false) => Ok(None),
            // Not every user may ask for that.
            Ok(true) | Err(_) => Err(failure),
        },
    }
}

/// The columns of such a listing: the virtual host first if `all`.
pub fn columns(all: bool, columns: impl IntoIterator<Item = Column>) -> Vec<Column> {
    all.then(|| Column::text("vhost")).into_iter().chain(columns).collect()
}

/// A row of it.
pub fn row(all: bool, vhost: &str, values: impl IntoIterator<Item = Value>) -> Vec<Value> {
    all.then(|| Value::Text(vhost.into())).into_iter().chain(values).collect()
}
