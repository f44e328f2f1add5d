//! Limits of virtual hosts and users.

use super::broker::Http;
use super::json::{each, text};
use crate::administration::{Holder, Limited, Limits, Text};
use rmq_common::failure::Failure;
use serde_json::{Value, json};

impl Limits for Http {
    fn listed_limits(&mut self, holder: Holder) -> Result<Vec<(Text, Limited)>, Failure> {
        let answer = self.expect(&[kind(holder)], "")?;
        each(&answer, |row| {
            let name = text(row, holder.name())?;
            // Some releases write an empty object as an empty list.
            let pairs = row.get("value").and_then(Value::as_object).into_iter().flatten();
            let known =
                pairs.map(|(key, value)| Some((key.clone().into(), value.as_i64()?.into())));
            Some((name, holder.among(known.collect::<Option<Vec<_>>>()?)))
        })
    }

    fn put_limit(
        &mut self,
        holder: Holder,
        name: &str,
        limit: &'static str,
        value: Option<u32>,
    ) -> Result<(), Failure> {
        let path = [kind(holder), name, limit];
        match value {
            Some(value) => self.put(&path, &json!({ "value": value })).map(drop),
            None => self.delete(&path).map(drop),
        }
    }
}

fn kind(holder: Holder) -> &'static str {
    match holder {
        Holder::Vhost => "vhost-limits",
        Holder::User => "user-limits",
    }
}
