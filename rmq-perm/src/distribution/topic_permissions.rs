//! Topic permissions.

use super::arguments::{acting_user, resource, text};
use super::broker::{Distribution, USERS};
use super::rows::rows;
use crate::administration::{
    Scope, Text, TopicGrant, TopicPatterns, TopicPermission, TopicPermissions,
};
use crate::term::Term;
use rmq_common::failure::Failure;

impl TopicPermissions for Distribution {
    fn put_topic_permissions(&mut self, grant: TopicGrant<'_>) -> Result<(), Failure> {
        let TopicGrant { vhost, user, exchange, patterns: TopicPatterns { write, read } } = grant;
        let arguments = [user, vhost, exchange, write, read].map(text);
        let arguments = arguments.into_iter().chain([acting_user()]).collect();
        self.change(USERS, "set_topic_permissions", arguments)
    }

    fn remove_topic_permissions(
        &mut self,
        user: &str,
        vhost: &str,
        exchange: Option<&str>,
    ) -> Result<(), Failure> {
        let names = [Some(user), Some(vhost), exchange];
        let arguments = names.into_iter().flatten().map(text).chain([acting_user()]).collect();
        self.change(USERS, "clear_topic_permissions", arguments)
    }

    fn list_topic_permissions(
        &mut self,
        scope: &Scope,
    ) -> Result<Vec<TopicPermission<Text>>, Failure> {
        let functions = [
            "list_topic_permissions",
            "list_vhost_topic_permissions",
            "list_user_topic_permissions",
        ];
        rows(self, scope, functions, |row| {
            let patterns = TopicPatterns { write: row.text("write")?, read: row.text("read")? };
            let (vhost, user, exchange) = (row.vhost()?, row.user()?, row.text("exchange")?);
            Some(TopicPermission { vhost, user, exchange, patterns })
        })
    }

    fn exchange_type(&mut self, vhost: &str, exchange: &str) -> Result<Option<Text>, Failure> {
        let name = vec![resource(vhost, "exchange", exchange)];
        let found = self.answer("rabbit_exchange", "lookup", name)?;
        // {ok, {exchange, Name, Type, ...}}
        let record = found.tagged("ok").and_then(<[Term]>::first);
        let fields = record.and_then(|record| record.tagged("exchange"));
        Ok(fields.and_then(|fields| fields.get(1)).and_then(Term::text))
    }
}
