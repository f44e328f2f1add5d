//! `set-topic`, `clear-topic` and `list-topic`.

use super::dry_run;
use super::permissions::{list, set};
use crate::administration::{Kind, Rule, Scope, Text, TopicPatterns, TopicPermission};
use crate::names;
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::exit::{Ending, Exit};
use rmq_common::failure::Failure;

/// Restrict a user's routing keys at a topic exchange (-p), for publishing and binding, in place of
/// earlier restrictions there. Without any, every key is allowed.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "set-topic", help_triggers("-h", "--help"))]
pub struct SetTopic {
    /// make each pattern match whole routing keys: ^(?:PATTERN)$
    #[argh(switch)]
    anchor: bool,

    /// show what would change, and change nothing; exit status 1 if anything would
    #[argh(switch)]
    pub dry_run: bool,

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
    pub fn run(&self, session: &Session) -> Result<Ending, Failure> {
        let (vhost, user) = (session.vhost()?, names::user(&self.user)?);
        let exchange = names::exchange(&self.exchange)?;
        let patterns = [("write", &*self.write), ("read", &*self.read)];
        let [write, read] = session.patterns(self.anchor, patterns);
        let patterns = TopicPatterns { write: &*write, read: &*read };
        let rule = Rule::Topic(TopicPermission { vhost, user, exchange, patterns });
        set(session, &rule, self.dry_run)
    }
}

/// Remove restrictions of a user's routing keys on a virtual host (-p): at one exchange, or at all.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "clear-topic", help_triggers("-h", "--help"))]
pub struct ClearTopic {
    /// show what would change, and change nothing; exit status 1 if anything would
    #[argh(switch)]
    pub dry_run: bool,

    /// name of the user
    #[argh(positional, arg_name = "USER")]
    user: String,

    /// name of the exchange (default: all)
    #[argh(positional, arg_name = "EXCHANGE")]
    exchange: Option<String>,
}

impl ClearTopic {
    pub fn run(&self, session: &Session) -> Result<Ending, Failure> {
        let vhost = session.vhost()?;
        let context = |failure: Failure| {
            failure.context(format!("clear topic permissions of {} on {vhost}", self.user))
        };
        let user = names::user(&self.user)?;
        let exchange = self.exchange.as_deref().map(names::exchange).transpose()?;
        let mut broker = session.broker()?;
        if self.dry_run {
            let scope = Scope { vhost: Some(vhost.to_owned()), user: Some(user.to_owned()) };
            let is_meant = |rule: &Rule<Text>| {
                rule.exchange().is_some_and(|it| exchange.is_none_or(|meant| it == meant))
            };
            let diff = dry_run::clear(broker.as_mut(), &scope, is_meant).map_err(context)?;
            return dry_run::show(&diff);
        }
        broker.clear_topic_permissions(user, vhost, exchange).map_err(context)?;
        session.diagnostics().detail(&format!(
            "cleared topic permissions of {user} at {} on {vhost}",
            exchange.unwrap_or("any exchange")
        ));
        Ok(Exit::Ok.into())
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
