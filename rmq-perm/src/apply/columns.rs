//! The columns of the file.

use csv::StringRecord;
use rmq_common::nearest::nearest;

/// A column that a file can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Vhost,
    User,
    /// What may be declared and deleted.
    Configure,
    /// What may be published to, or with.
    Write,
    /// What may be consumed from, or bound with.
    Read,
    Exchange,
    Tags,
    /// The hash of a new user's password.
    PasswordHash,
    /// Of a virtual host.
    DefaultQueueType,
    /// Of a virtual host.
    Description,
    /// Of a virtual host or a user.
    MaxConnections,
    /// Of a virtual host.
    MaxQueues,
    /// Of a user.
    MaxChannels,
}

const ALL: [Column; 13] = [
    Column::Vhost,
    Column::User,
    Column::Configure,
    Column::Write,
    Column::Read,
    Column::Exchange,
    Column::Tags,
    Column::PasswordHash,
    Column::DefaultQueueType,
    Column::Description,
    Column::MaxConnections,
    Column::MaxQueues,
    Column::MaxChannels,
];

impl Column {
    /// The column of this name.
    pub fn named(name: &str) -> Option<Column> {
        ALL.into_iter().find(|column| column.name() == name)
    }

    /// Its name in the header.
    pub fn name(self) -> &'static str {
        match self {
            Column::Vhost => "vhost",
            Column::User => "user",
            Column::Configure => "configure",
            Column::Write => "write",
            Column::Read => "read",
            Column::Exchange => "exchange",
            Column::Tags => "tags",
            Column::PasswordHash => "password_hash",
            Column::DefaultQueueType => "default_queue_type",
            Column::Description => "description",
            Column::MaxConnections => "max_connections",
            Column::MaxQueues => "max_queues",
            Column::MaxChannels => "max_channels",
        }
    }
}

/// What a row seems to be by its cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seems {
    Header,
    /// A header with a name that is not a column's.
    Misspelt,
    Row,
}

/// What a row seems to be; empty cells at its end do not count. A single cell is not a header: it
/// could be the name of a user.
pub fn seems<'a>(cells: impl IntoIterator<Item = &'a str>) -> Seems {
    let cells: Vec<&str> = cells.into_iter().collect();
    let filled = cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1);
    let cells = cells.get(..filled).unwrap_or_default();
    let right = cells.iter().filter(|cell| Column::named(cell).is_some()).count();
    let is_close = |cell: &&str| Column::named(cell).is_some() || meant(cell).is_some();
    let is_word = |cell: &&str| cell.chars().all(|it| it.is_alphanumeric() || "_- ".contains(it));
    match cells.len() {
        0 | 1 => Seems::Row,
        all if right == all => Seems::Header,
        _ if !cells.iter().all(is_word) => Seems::Row,
        // Two names, and fewer other words, are not there by chance.
        all if right > 1 && right * 2 > all => Seems::Misspelt,
        _ if cells.iter().all(is_close) => Seems::Misspelt,
        _ => Seems::Row,
    }
}

/// The column whose name is misspelt so.
fn meant(name: &str) -> Option<&'static str> {
    nearest(&name.to_lowercase(), ALL.map(Column::name))
}

/// What is reported about names that are not columns'.
fn no_columns(names: &[&str]) -> String {
    let each = names.iter().map(|name| {
        let hint = meant(name).map(|it| format!(" ({it} is one)")).unwrap_or_default();
        format!("no column '{name}'{hint}")
    });
    let each = each.collect::<Vec<_>>().join(", ");
    match names.iter().all(|name| meant(name).is_some()) {
        true => each,
        false => format!("{each}; there are {}", ALL.map(Column::name).join(", ")),
    }
}

/// Which columns a file has, in its order.
#[derive(Debug)]
pub struct Columns(Vec<Column>);

impl Columns {
    /// The columns that a header row names.
    ///
    /// # Errors
    /// Names that are unknown or appear twice, or neither `vhost` nor `user`.
    pub fn of(header: &StringRecord) -> Result<Columns, String> {
        let unknown: Vec<&str> = header.iter().filter(|it| Column::named(it).is_none()).collect();
        if !unknown.is_empty() {
            return Err(no_columns(&unknown));
        }
        let mut columns = Vec::new();
        for column in header.iter().filter_map(Column::named) {
            if columns.contains(&column) {
                return Err(format!("the column '{}' appears twice", column.name()));
            }
            columns.push(column);
        }
        let columns = Columns(columns);
        if !columns.have(Column::Vhost) && !columns.have(Column::User) {
            return Err("there is no column vhost and no column user".to_owned());
        }
        Ok(columns)
    }

    /// Whether the file has this column.
    pub fn have(&self, column: Column) -> bool {
        self.0.contains(&column)
    }

    /// Whether the file lists all users: it has a column that applies to each user, or only the
    /// users' names. A file with only their limits may list just those that have any.
    pub fn are_of_users(&self) -> bool {
        let of_users = self.have(Column::Tags) || self.have(Column::PasswordHash);
        self.have(Column::User) && of_users || !self.have(Column::Vhost) && !self.describe()
    }

    /// Whether the file describes virtual hosts or users, and does not only name them.
    pub fn describe(&self) -> bool {
        use Column::{DefaultQueueType, Description, MaxChannels, MaxConnections, MaxQueues};
        let describing = [DefaultQueueType, Description, MaxConnections, MaxQueues, MaxChannels];
        describing.into_iter().any(|column| self.have(column))
    }

    /// The cell of a row in a column; empty if the file does not have the column.
    pub fn of_row<'a>(&self, cells: &'a StringRecord, column: Column) -> &'a str {
        let index = self.0.iter().position(|it| *it == column);
        index.and_then(|index| cells.get(index)).unwrap_or_default()
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(header: &[&str]) -> Result<Columns, String> {
        Columns::of(&StringRecord::from(header))
    }

    #[test]
    fn columns_come_in_any_order_and_a_row_is_read_by_them() {
        let columns = of(&["read", "user", "vhost"]).unwrap();
        let cells = StringRecord::from(&["r", "u", "v"][..]);
        let cell = |column| columns.of_row(&cells, column);
        assert_eq!((cell(Column::Vhost), cell(Column::Read), cell(Column::Tags)), ("v", "r", ""));
        assert!(columns.have(Column::User) && !columns.have(Column::Exchange));
    }

    #[test]
    fn a_row_of_names_is_a_header_and_one_of_nearly_only_names_a_misspelt_one() {
        let table = [
            (&["user", "tags", ""][..], Seems::Header),
            (&["user", "tgas"], Seems::Misspelt),
            (&["usr", "Tgas"], Seems::Misspelt),
            (&["vhost", "user", "configure", "write", "x"], Seems::Misspelt),
            (&["user", "monitoring"], Seems::Row),
            (&["vhost", "user", "", "", ".*"], Seems::Row),
            (&["/", "user", "read"], Seems::Row),
            (&["tags", "user", "reads"], Seems::Misspelt),
            (&["/", "user", ".*", ".*", ".*"], Seems::Row),
            (&["user", "", "", "5"], Seems::Row),
            (&["usr"], Seems::Row),
            (&["", ""], Seems::Row),
        ];
        for (cells, wanted) in table {
            assert_eq!(seems(cells.iter().copied()), wanted, "{cells:?}");
        }
    }

    #[test]
    fn users_are_listed_by_what_each_of_them_has() {
        let table = [
            (&["user"][..], true),
            (&["user", "tags", "max_channels"], true),
            (&["vhost", "user", "password_hash"], true),
            (&["user", "max_channels"], false),
            (&["vhost", "user", "configure"], false),
            (&["vhost", "tags"], false),
        ];
        for (header, wanted) in table {
            assert_eq!(of(header).unwrap().are_of_users(), wanted, "{header:?}");
        }
    }

    #[test]
    fn a_header_that_cannot_be_meant_is_refused() {
        assert!(of(&["vhost", "usr"]).unwrap_err().ends_with("'usr' (user is one)"));
        assert!(of(&["vhost", "something"]).unwrap_err().contains("there are vhost, user,"));
        let why = of(&["Usr", "tags", "tgas"]).unwrap_err();
        assert_eq!(why, "no column 'Usr' (user is one), no column 'tgas' (tags is one)");
        let why = of(&["usr", "wirte", "x"]).unwrap_err();
        assert!(
            why.contains("'usr' (user is one), no column 'wirte' (write is one), no column 'x'; ")
        );
        assert!(of(&["vhost", "vhost"]).unwrap_err().contains("twice"));
        assert!(of(&["configure", "write", "read"]).unwrap_err().contains("no column user"));
    }
}
