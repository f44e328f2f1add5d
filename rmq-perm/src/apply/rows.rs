//! What a row of the file asks for.

use super::columns::{Column, Columns};
use crate::administration::{
    LimitsChange, Patterns, Permission, Rule, TopicPatterns, TopicPermission, VhostChange,
};
use crate::names;
use crate::password_hash::PasswordHash;
use csv::StringRecord;
use rmq_common::failure::Failure;
use rmq_common::secret::Secret;

/// What a row asks for; the cells with values decide which of these.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// Of a row with `vhost` only.
    Vhost(Vhost),
    /// Of a row with `user` only.
    User(User),
    /// Of a row with `vhost` and `user`, for topic permissions also `exchange`.
    Rule(Rule<String>),
}

/// A virtual host that is required.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vhost {
    pub name: String,
    pub change: VhostChange,
    pub limits: LimitsChange,
}

/// A user that is required.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    pub name: String,
    /// Sorted; `None` if the file has no such column.
    pub tags: Option<Vec<String>>,
    /// `None`: the password is not changed.
    pub hash: Option<PasswordHash>,
    pub limits: LimitsChange,
}

/// An invalid cell, and why.
#[derive(Debug)]
pub struct Wrong {
    /// The column, if one cell is at fault.
    pub column: Option<Column>,
    pub failure: Failure,
}

/// Reads a row; with `anchor`, patterns are changed to match whole names.
///
/// # Errors
/// What is wrong with it.
pub fn read(columns: &Columns, cells: &StringRecord, anchor: bool) -> Result<Item, Wrong> {
    if cells.len() != columns.count() {
        let (has, wanted) = (cells.len(), columns.count());
        let why = format!("this row has {has} cells, but the header row has {wanted}");
        return Err(Wrong { column: None, failure: Failure::data(why) });
    }
    let row = Row { columns, cells, anchor };
    match (row.cell(Column::Vhost), row.cell(Column::User)) {
        ("", "") => {
            let why = Failure::data("the row names no vhost and no user");
            Err(Wrong { column: None, failure: why })
        }
        (_, "") => row.vhost(),
        ("", _) => row.user().map(Item::User),
        (vhost, user) => row.permission(vhost, user),
    }
}

struct Row<'a> {
    columns: &'a Columns,
    cells: &'a StringRecord,
    anchor: bool,
}

impl Row<'_> {
    fn cell(&self, column: Column) -> &str {
        self.columns.of_row(self.cells, column)
    }

    fn vhost(&self) -> Result<Item, Wrong> {
        use Column::{
            Configure, DefaultQueueType, Description, Exchange, MaxChannels, MaxConnections,
            MaxQueues, PasswordHash, Read, Tags, User, Write,
        };
        self.nothing_in(
            [Configure, Write, Read, Exchange, PasswordHash, MaxChannels],
            "a row with a vhost only",
        )?;
        let name = self.name(Column::Vhost, self.cell(Column::Vhost), names::vhost)?;
        let kind = match self.cell(DefaultQueueType) {
            "" => None,
            kind => Some(self.name(DefaultQueueType, kind, names::queue_type)?),
        };
        // If the file has users, too, the column may be only for them.
        let is_tagged =
            !self.cell(Tags).is_empty() || self.columns.have(Tags) && !self.columns.have(User);
        let tags = if is_tagged { Some(self.tags()?) } else { None };
        let has_description = self.columns.have(Description);
        let description = has_description.then(|| self.cell(Description).to_owned());
        let change = VhostChange { default_queue_type: kind, description, tags };
        let limits = self.limits([MaxConnections, MaxQueues])?;
        Ok(Item::Vhost(Vhost { name, change, limits }))
    }

    /// The limits for which the file has columns; an empty cell means no limit.
    fn limits(&self, columns: [Column; 2]) -> Result<LimitsChange, Wrong> {
        let mut change = LimitsChange::default();
        for (column, limit) in columns.into_iter().zip(&mut change.0) {
            *limit = match self.cell(column) {
                "" => self.columns.have(column).then_some(None),
                "none" => Some(None),
                text => Some(Some(
                    names::limit(text)
                        .map_err(|failure| Wrong { column: Some(column), failure })?,
                )),
            };
        }
        Ok(change)
    }

    fn tags(&self) -> Result<Vec<String>, Wrong> {
        names::tags(self.cell(Column::Tags))
            .map_err(|failure| Wrong { column: Some(Column::Tags), failure })
    }

    fn user(&self) -> Result<User, Wrong> {
        use Column::{
            Configure, DefaultQueueType, Description, Exchange, MaxChannels, MaxConnections,
            MaxQueues, Read, Write,
        };
        self.nothing_in(
            [Configure, Write, Read, Exchange, DefaultQueueType, Description, MaxQueues],
            "a row with a user only",
        )?;
        let name = self.name(Column::User, self.cell(Column::User), names::user)?;
        let tags = self.columns.have(Column::Tags).then(|| self.tags()).transpose()?;
        let hash = match self.cell(Column::PasswordHash) {
            "" => None,
            hash => Some(
                PasswordHash::read(Secret::new(hash))
                    .map_err(|failure| Wrong { column: Some(Column::PasswordHash), failure })?,
            ),
        };
        let limits = self.limits([MaxConnections, MaxChannels])?;
        Ok(User { name, tags, hash, limits })
    }

    fn permission(&self, vhost: &str, user: &str) -> Result<Item, Wrong> {
        use Column::{
            Configure, DefaultQueueType, Description, Exchange, MaxChannels, MaxConnections,
            MaxQueues, PasswordHash, Read, Tags, User, Vhost, Write,
        };
        self.nothing_in(
            [
                Tags,
                PasswordHash,
                DefaultQueueType,
                Description,
                MaxConnections,
                MaxQueues,
                MaxChannels,
            ],
            "a permission (give this in a row with the user or the vhost only)",
        )?;
        let vhost = self.name(Vhost, vhost, names::vhost)?;
        let user = self.name(User, user, names::user)?;
        let exchange = self.cell(Exchange);
        if !exchange.is_empty() {
            self.all_of([Write, Read], "a topic permission")?;
            self.nothing_in([Configure], "a topic permission")?;
            let exchange = self.name(Exchange, exchange, names::exchange)?;
            let patterns = TopicPatterns { write: self.pattern(Write), read: self.pattern(Read) };
            let topic = TopicPermission { vhost, user, exchange, patterns };
            return Ok(Item::Rule(Rule::Topic(topic)));
        }
        self.all_of([Configure, Write, Read], "a permission")?;
        let (configure, write, read) =
            (self.pattern(Configure), self.pattern(Write), self.pattern(Read));
        let patterns = Patterns { configure, write, read };
        Ok(Item::Rule(Rule::Vhost(Permission { vhost, user, patterns })))
    }

    fn pattern(&self, column: Column) -> String {
        let pattern = self.cell(column);
        if self.anchor { crate::pattern::anchored(pattern) } else { pattern.to_owned() }
    }

    fn name(
        &self,
        column: Column,
        name: &str,
        check: fn(&str) -> Result<&str, Failure>,
    ) -> Result<String, Wrong> {
        let name = check(name).map_err(|failure| Wrong { column: Some(column), failure })?;
        Ok(name.to_owned())
    }

    fn nothing_in<const N: usize>(&self, columns: [Column; N], row: &str) -> Result<(), Wrong> {
        let filled = columns.into_iter().find(|column| !self.cell(*column).is_empty());
        filled.map_or(Ok(()), |column| {
            let why = Failure::data(format!("this cell must be empty for {row}"));
            Err(Wrong { column: Some(column), failure: why })
        })
    }

    fn all_of<const N: usize>(&self, columns: [Column; N], row: &str) -> Result<(), Wrong> {
        let missing = columns.into_iter().find(|column| !self.columns.have(*column));
        missing.map_or(Ok(()), |column| {
            let name = column.name();
            let why = Failure::data(format!(
                "{row} requires a column {name}, which the file does not have"
            ));
            Err(Wrong { column: None, failure: why })
        })
    }
}

#[cfg(test)]
mod tests;
