//! A test's own part of a broker.

use crate::cluster::Cluster;
use crate::text::numbered;
use crate::tool::Tool;
use std::sync::atomic::{AtomicU32, Ordering};

/// A virtual host with a user who may do everything there. Both are deleted when this is dropped.
#[derive(Debug)]
pub struct Vhost<'a> {
    /// The cluster it is on.
    pub cluster: &'a Cluster,
    /// Its name, and its user's.
    pub name: String,
    temporary: bool,
}

/// The password of every test's user: long and unusual enough to be searched for in output.
pub const PASSWORD: &str = "s3cr3t-p4ssw0rd";

impl<'a> Vhost<'a> {
    /// A new one on `cluster`.
    pub fn new(cluster: &'a Cluster) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let name = format!("test{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let vhost = Vhost { cluster, name, temporary: true };
        let (name, user) = (&vhost.name, vhost.user(&vhost.name, [".*", ".*", ".*"]));
        cluster.erlang(&format!(
            "begin rabbit_vhost:add(<<\"{name}\">>, <<\"tests\">>), {user}, \"\" end"
        ));
        vhost
    }

    /// One that a test has created in another way, and deletes itself.
    pub fn named(cluster: &'a Cluster, name: &str) -> Self {
        Vhost { cluster, name: name.to_owned(), temporary: false }
    }

    /// Adds a user with [`PASSWORD`] and these permissions: configure, write and read.
    pub fn add_user(&self, user: &str, permissions: [&str; 3]) {
        let user = self.user(user, permissions);
        self.cluster.erlang(&format!("begin {user}, \"\" end"));
    }

    /// The command that adds that user.
    fn user(&self, user: &str, [configure, write, read]: [&str; 3]) -> String {
        let vhost = &self.name;
        format!(
            "ok = rabbit_auth_backend_internal:add_user(<<\"{user}\">>, <<\"{PASSWORD}\">>, \
             <<\"tests\">>), ok = rabbit_auth_backend_internal:set_permissions(<<\"{user}\">>, \
             <<\"{vhost}\">>, <<\"{configure}\">>, <<\"{write}\">>, <<\"{read}\">>, \
             <<\"tests\">>)"
        )
    }

    /// The URL of all nodes for this vhost and its user.
    pub fn url(&self) -> String {
        self.url_for(&self.name)
    }

    /// The same for another user.
    pub fn url_for(&self, user: &str) -> String {
        format!("amqp://{user}:{PASSWORD}@{}/{}", self.cluster.hosts(), self.name)
    }

    /// The URL for its own user through other hosts, such as proxies.
    pub fn url_through(&self, hosts: &str) -> String {
        format!("amqp://{}:{PASSWORD}@{hosts}/{}", self.name, self.name)
    }

    /// One of our tools, configured for this vhost by `$AMQP_URL`.
    pub fn tool(&self, name: &str) -> Tool {
        Tool::new(name).environment("AMQP_URL", &self.url())
    }

    /// `rmq-send` with these words on its command line.
    pub fn send(&self, words: &[&str]) -> Tool {
        self.tool("rmq-send").arguments(words)
    }

    /// `rmq-recv` with these words on its command line.
    pub fn receive(&self, words: &[&str]) -> Tool {
        self.tool("rmq-recv").arguments(words)
    }

    /// A new one whose quorum queue `q` holds this many numbered lines.
    ///
    /// # Panics
    /// When some were sent twice, which does not happen without a fault.
    pub fn filled(cluster: &'a Cluster, count: usize) -> Self {
        let vhost = Vhost::new(cluster);
        vhost.declare(&[], "q");
        if count > 0 {
            let sent = vhost.send(&["-v", "q"]).input(numbered(count)).run().expect(0);
            assert_eq!(sent.tally("resent"), 0, "{}", sent.stderr);
        }
        vhost
    }

    /// Declares a queue with rmq-declare, with these words before its name.
    pub fn declare(&self, words: &[&str], queue: &str) {
        self.tool("rmq-declare").arguments(words).arguments(&[queue]).run().expect(0);
    }

    /// Declares an exchange of this type, as another client might.
    pub fn add_exchange(&self, exchange: &str, kind: &str) {
        let resource = self.resource("exchange", exchange);
        self.cluster.erlang(&format!(
            "begin rabbit_exchange:declare({resource}, {kind}, true, false, false, [], \
             <<\"tests\">>), \"\" end"
        ));
    }

    /// Binds a queue to an exchange.
    pub fn bind(&self, exchange: &str, key: &str, queue: &str) {
        let source = self.resource("exchange", exchange);
        let destination = self.resource("queue", queue);
        self.cluster.erlang(&format!(
            "begin ok = rabbit_binding:add({{binding, {source}, <<\"{key}\">>, {destination}, \
             []}}, <<\"tests\">>), \"\" end"
        ));
    }

    /// The broker's name for an object of this vhost.
    pub(crate) fn resource(&self, kind: &str, name: &str) -> String {
        format!("rabbit_misc:r(<<\"{}\">>, {kind}, <<\"{name}\">>)", self.name)
    }

    /// Everything in a queue, read by rmq-recv.
    pub fn drain(&self, queue: &str) -> Vec<u8> {
        self.receive(&["--drain", queue]).run().expect(0).stdout
    }
}

impl Drop for Vhost<'_> {
    fn drop(&mut self) {
        if !self.temporary {
            return;
        }
        let name = &self.name;
        // It may be called while a test fails with its nodes down: they are removed with the
        // cluster.
        let expression = format!(
            "begin catch rabbit_vhost:delete(<<\"{name}\">>, <<\"tests\">>), \
             catch rabbit_auth_backend_internal:delete_user(<<\"{name}\">>, <<\"tests\">>), \
             \"\" end"
        );
        let _ = self.cluster.try_erlang(1, &expression);
    }
}
