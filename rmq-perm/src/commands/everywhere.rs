//! Listings of one virtual host, or with `--all` of every one.

use crate::administration::Administration;
use crate::output::{Column, Value};
use crate::session::Session;
use rmq_common::failure::Failure;

/// What one virtual host has.
pub struct OnVhost<T> {
    pub vhost: String,
    pub rows: Vec<T>,
}

/// What `list` finds on the virtual host of `--vhost`, or on every one if `all`. `what` is what is
/// listed, in messages.
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
    let mut vhosts = broker.list_vhosts().map_err(|failure| failure.context("list vhosts"))?;
    vhosts.sort();
    let mut found = Vec::new();
    for vhost in vhosts.iter().map(|vhost| String::from_utf8_lossy(vhost)) {
        match list(broker, &vhost) {
            Ok(rows) => found.push(OnVhost { vhost: vhost.into_owned(), rows }),
            // Deleted meanwhile.
            Err(_) if !broker.vhost_exists(&vhost)? => {}
            Err(failure) => return Err(context(&vhost, failure)),
        }
    }
    Ok(found)
}

/// The columns of such a listing: the virtual host first if `all`.
pub fn columns(all: bool, columns: impl IntoIterator<Item = Column>) -> Vec<Column> {
    all.then(|| Column::text("vhost")).into_iter().chain(columns).collect()
}

/// A row of it.
pub fn row(all: bool, vhost: &str, values: impl IntoIterator<Item = Value>) -> Vec<Value> {
    all.then(|| Value::Text(vhost.into())).into_iter().chain(values).collect()
}
