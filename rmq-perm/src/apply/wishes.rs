//! What the file asks for as a whole, and everything that is wrong with it.

use super::columns::{Column, Columns};
use super::exchanges;
use super::rows::{self, User, Wish, Wrong};
use super::state::State;
use crate::administration::{Administration, Patterns, TopicPatterns};
use crate::names;
use crate::pattern;
use crate::refused;
use rmq_common::failure::Failure;
use rmq_common::sheet::Sheet;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What the file asks for, and on which line.
#[derive(Debug, Default)]
pub struct Wishes {
    /// Virtual hosts that are to be there.
    pub vhosts: BTreeMap<String, u64>,
    /// Users who are to be there.
    pub users: BTreeMap<String, (u64, User)>,
    /// By virtual host and user.
    pub permissions: BTreeMap<(String, String), (u64, Patterns<String>)>,
    /// By virtual host, user and exchange.
    pub topics: BTreeMap<(String, String, String), (u64, TopicPatterns<String>)>,
    /// Whether those permissions that the file lacks are lacking: not where all it has columns for
    /// is topic permissions.
    pub tells_permissions: bool,
    /// Whether the file has a column for topic permissions, so that those it lacks are lacking.
    pub tells_topics: bool,
    /// Whether the file has a column for users, so that those it lacks are lacking.
    pub tells_users: bool,
}

/// Something wrong with a line.
#[derive(Debug)]
pub struct Problem {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub wrong: Wrong,
}

impl Problem {
    /// As a failure of the file called `name`.
    pub fn failure(self, name: &str) -> Failure {
        let Problem { line, wrong: Wrong { column, failure } } = self;
        let column = column.map(|column| format!(", column {}", column.name()));
        failure.context(format!("{name}: line {line}{}", column.unwrap_or_default()))
    }
}

impl Wishes {
    /// Reads the rows. With `only`, rows about another virtual host are wrong.
    pub fn of(
        sheet: &Sheet,
        columns: &Columns,
        anchor: bool,
        only: Option<&str>,
    ) -> (Wishes, Vec<Problem>) {
        let mut wishes = Wishes {
            tells_permissions: columns.have(Column::Configure) || !columns.have(Column::Exchange),
            tells_topics: columns.have(Column::Exchange),
            tells_users: columns.tell_users(),
            ..Wishes::default()
        };
        let mut problems = Vec::new();
        for row in &sheet.rows {
            let cells = row
                .cells
                .as_ref()
                .map_err(|why| Wrong { column: None, failure: Failure::data(why.clone()) });
            let wish = cells.and_then(|cells| rows::read(columns, cells, anchor));
            let taken = wish.and_then(|wish| wishes.take(wish, row.line, only));
            if let Err(wrong) = taken {
                problems.push(Problem { line: row.line, wrong });
            }
        }
        (wishes, problems)
    }

    fn take(&mut self, wish: Wish, line: u64, only: Option<&str>) -> Result<(), Wrong> {
        if let Wish::Vhost(vhost) | Wish::Permission { vhost, .. } | Wish::Topic { vhost, .. } =
            &wish
            && only.is_some_and(|only| only != vhost)
        {
            let why = format!("'{vhost}' is not the virtual host of --vhost");
            return Err(Wrong { column: Some(Column::Vhost), failure: Failure::data(why) });
        }
        let before = match wish {
            Wish::Vhost(vhost) => self.vhosts.insert(vhost, line),
            Wish::User(user) => {
                self.users.insert(user.name.clone(), (line, user)).map(|(line, _)| line)
            }
            Wish::Permission { vhost, user, patterns } => {
                self.permissions.insert((vhost, user), (line, patterns)).map(|(line, _)| line)
            }
            Wish::Topic { vhost, user, exchange, patterns } => {
                let key = (vhost, user, exchange);
                self.topics.insert(key, (line, patterns)).map(|(line, _)| line)
            }
        };
        before.map_or(Ok(()), |before| {
            let failure = Failure::data(format!("line {before} is about the same"));
            Err(Wrong { column: None, failure })
        })
    }

    /// The virtual hosts that any row names.
    pub fn named_vhosts(&self) -> BTreeSet<&str> {
        let of_permissions = self.permissions.keys().map(|(vhost, _)| vhost);
        let of_topics = self.topics.keys().map(|(vhost, _, _)| vhost);
        self.vhosts.keys().chain(of_permissions).chain(of_topics).map(String::as_str).collect()
    }

    /// The users that any row names.
    pub fn named_users(&self) -> BTreeSet<&str> {
        let of_permissions = self.permissions.keys().map(|(_, user)| user);
        let of_topics = self.topics.keys().map(|(_, user, _)| user);
        self.users.keys().chain(of_permissions).chain(of_topics).map(String::as_str).collect()
    }

    /// What is wrong with it for this broker: virtual hosts and users that neither it nor the file
    /// has, exchanges where topic permissions restrict nothing, and patterns that it refuses.
    ///
    /// # Errors
    /// When the broker does not say.
    pub fn problems_with(
        &self,
        state: &State,
        broker: &mut dyn Administration,
    ) -> Result<Vec<Problem>, Failure> {
        let mut problems = Vec::new();
        let of_permissions = self.permissions.iter().map(|((v, u), (line, _))| (v, u, *line));
        let of_topics = self.topics.iter().map(|((v, u, _), (line, _))| (v, u, *line));
        for (vhost, user, line) in of_permissions.chain(of_topics) {
            let mut tell = |column, failure: Failure, name: &str| {
                let wrong = Wrong { column: Some(column), failure: failure.context(name) };
                problems.push(Problem { line, wrong });
            };
            if !state.vhosts.contains(vhost.as_bytes()) && !self.vhosts.contains_key(vhost) {
                tell(Column::Vhost, refused::no_such_vhost(), vhost);
            }
            if !state.users.contains_key(user.as_bytes()) && !self.users.contains_key(user) {
                tell(Column::User, refused::no_such_user(), user);
            }
        }
        problems.extend(exchanges::problems(self, state, broker)?);
        let asked = self.patterns().map(|(_, _, pattern)| pattern);
        let asked: BTreeSet<&str> = asked.filter(|it| !pattern::is_plain(it)).collect();
        let asked: Vec<&str> = asked.into_iter().collect();
        let objections = broker.objections_to(&asked).map_err(|(place, failure)| {
            failure.context(format!("ask about '{}'", asked.get(place).unwrap_or(&"")))
        })?;
        let known: HashMap<_, _> = asked.into_iter().zip(objections).collect();
        for (line, column, pattern) in self.patterns() {
            let objection = known.get(pattern).and_then(Option::as_ref);
            if let Some(why) = objection {
                let failure = refused::invalid_pattern(pattern, why);
                problems.push(Problem { line, wrong: Wrong { column: Some(column), failure } });
            }
        }
        problems.sort_by_key(|problem| problem.line);
        Ok(problems)
    }

    /// The tags that RabbitMQ gives no meaning to, each once, by line.
    pub fn doubtful_tags(&self, name: &str) -> Vec<String> {
        let mut doubts: BTreeMap<&str, (u64, String)> = BTreeMap::new();
        for (line, user) in self.users.values() {
            for tag in user.tags.iter().flatten() {
                let Some(doubt) = names::doubt_of_tag(tag) else { continue };
                let told = doubts.entry(tag).or_insert_with(|| (*line, doubt.clone()));
                if *line < told.0 {
                    *told = (*line, doubt);
                }
            }
        }
        let mut doubts: Vec<(u64, String)> = doubts.into_values().collect();
        doubts.sort();
        let told = doubts.into_iter();
        told.map(|(line, doubt)| format!("{name}: line {line}, column tags: {doubt}")).collect()
    }

    /// What the patterns may not be meant to say, by line; of a pattern that stands on many, once.
    pub fn doubts(&self, name: &str) -> Vec<String> {
        let mut places: HashMap<&str, (u64, Column, u64)> = HashMap::new();
        for (line, column, pattern) in self.patterns() {
            let place = places.entry(pattern).or_insert((line, column, 0));
            place.2 += 1;
            if line < place.0 {
                (place.0, place.1) = (line, column);
            }
        }
        let mut doubts: Vec<(u64, String)> = Vec::new();
        for (pattern, (line, column, count)) in places {
            let more = match count - 1 {
                0 => String::new(),
                1 => " (and in one more place)".to_owned(),
                more => format!(" (and in {more} more places)"),
            };
            let place = format!("{name}: line {line}, column {}", column.name());
            let told = pattern::doubts(pattern).into_iter();
            doubts.extend(told.map(|doubt| (line, format!("{place}: {doubt}{more}"))));
        }
        doubts.sort();
        doubts.into_iter().map(|(_, doubt)| doubt).collect()
    }

    fn patterns(&self) -> impl Iterator<Item = (u64, Column, &str)> {
        use Column::{Configure, Read, Write};
        let of_permissions = self.permissions.values().flat_map(|(line, patterns)| {
            let Patterns { configure, write, read } = patterns;
            [(Configure, configure), (Write, write), (Read, read)].map(|(c, it)| (*line, c, &**it))
        });
        let of_topics = self.topics.values().flat_map(|(line, TopicPatterns { write, read })| {
            [(*line, Write, &**write), (*line, Read, &**read)]
        });
        of_permissions.chain(of_topics)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, only: Option<&str>) -> (Wishes, Vec<String>) {
        let sheet = Sheet::read("f.csv", text.as_bytes()).unwrap();
        let columns = Columns::of(&sheet.header).unwrap();
        let (wishes, problems) = Wishes::of(&sheet, &columns, false, only);
        (wishes, problems.into_iter().map(|it| it.failure("f.csv").to_string()).collect())
    }

    #[test]
    fn every_wrong_row_is_told_with_its_line_and_column() {
        let text = "vhost,user,configure,write,read,tags\n\
                    /,a,.*,.*,.*,\n\
                    /,a,x,.*,.*,\n\
                    ,,.*,,,\n\
                    ,b,,,,x y\n\
                    /b,b,.*,.*,.*,\n\
                    /,b\n";
        let (_, problems) = read(text, Some("/"));
        let wanted = [
            "f.csv: line 3: line 2 is about the same",
            "f.csv: line 4: neither a vhost nor a user is named",
            "f.csv: line 5, column tags: 'x y': a tag holds neither comma nor space; give several \
             as words of their own",
            "f.csv: line 6, column vhost: '/b' is not the virtual host of --vhost",
            "f.csv: line 7: it has 2 cells, the header row 6",
        ];
        assert_eq!(problems, wanted);
    }

    #[test]
    fn doubts_are_told_in_the_order_of_the_lines() {
        let text = "vhost,user,configure,write,read\n/,b,foo,,\n/,a,^x$,foo,foo bar\n";
        let (wishes, problems) = read(text, None);
        assert_eq!(problems, [""; 0]);
        let doubts = wishes.doubts("f.csv");
        assert_eq!(doubts.len(), 3, "{doubts:?}");
        assert!(doubts[0].starts_with("f.csv: line 2, column configure: 'foo' also matches xfoox"));
        assert!(doubts[0].ends_with(" (and in one more place)"), "{doubts:?}");
        assert!(doubts[1].starts_with("f.csv: line 3, column read: "));
    }

    #[test]
    fn the_vhosts_of_all_rows_are_named() {
        let (wishes, _) = read("vhost,user,configure,write,read\n/a,,,,\n/b,x,,,\n,y,,,\n", None);
        assert_eq!(wishes.named_vhosts().into_iter().collect::<Vec<_>>(), ["/a", "/b"]);
    }
}
