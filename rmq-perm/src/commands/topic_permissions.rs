//! `set-topic`, `clear-topic` and `list-topic`.

use super::permissions::{list, set};
use crate::administration::{Kind, Rule, TopicPatterns, TopicPermission};
use crate::names;
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::failure::Failure;

/// Restrict a user's routing keys at a topic exchange (-p), for publishing and binding, in place of
/// earlier restrictions there. Without any, every key is allowed.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "set-topic", help_triggers("-h", "--help"))]
pub struct SetTopic {
    /// make each pattern match whole routing keys: ^(?:PATTERN)$
    #[argh(switch)]
    anchor: bool,

    /// name of the user
    #[argh(positional, arg_name = "USER")]
    user: String,

    /// name of the topic exchange
    #[argh(positional, arg_name = "EXCHANGE")]
    exchange: String,

    /// routing keys the user may publish with
    #[argh(positional, arg_name = "WRITE")]
    write: String,

    /// routing keys the user may bind with
    #[argh(positional, arg_name = "READ")]
    read: String,
}

impl SetTopic {
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let (vhost, user) = (session.vhost()?, names::user(&self.user)?);
        let exchange = names::exchange(&self.exchange)?;
        let patterns = [("write", &*self.write), ("read", &*self.read)];
        let [write, read] = session.patterns(self.anchor, patterns);
        let patterns = TopicPatterns { write: &*write, read: &*read };
        set(session, &Rule::Topic(TopicPermission { vhost, user, exchange, patterns }))
    }
}

/// Remove restrictions of a user's routing keys on a virtual host (-p): at one exchange, or at all.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "clear-topic", help_triggers("-h", "--help"))]
pub struct ClearTopic {
    /// name of the user
    #[argh(positional, arg_name = "USER")]
    user: String,

    /// name of the exchange (default: all)
    #[argh(positional, arg_name = "EXCHANGE")]
    exchange: Option<String>,
}

impl ClearTopic {
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let vhost = session.vhost()?;
        let context = |failure: Failure| {
            failure.context(format!("clear topic permissions of {} on {vhost}", self.user))
        };
        let user = names::user(&self.user)?;
        let exchange = self.exchange.as_deref().map(names::exchange).transpose()?;
        session.broker()?.clear_topic_permissions(user, vhost, exchange).map_err(context)?;
        session.diagnostics().detail(&format!(
            "cleared topic permissions of {user} at {} on {vhost}",
            exchange.unwrap_or("any exchange")
        ));
        Ok(())
    }
}

/// List topic permissions: of all users on a virtual host (-p), of one user, or all.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "list-topic", help_triggers("-h", "--help"))]
pub struct ListTopic {
    /// list topic permissions on all virtual hosts
    #[argh(switch)]
    all: bool,

    /// USER is required
    #[argh(switch, hidden_help)]
    of_user: bool,

    /// list only this user's, on all virtual hosts unless -p is given
    #[argh(positional, arg_name = "USER")]
    user: Option<String>,
}

impl ListTopic {
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let scope = session.scope(self.user.as_deref(), self.all, self.of_user)?;
        let columns = ["exchange", "write", "read"];
        list(session, &scope, Kind::TopicPermissions, columns, |broker| {
            Ok(broker.list_topic_permissions(&scope)?.into_iter().map(Rule::Topic).collect())
        })
    }
}
