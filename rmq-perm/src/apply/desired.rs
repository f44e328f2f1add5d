//! The desired state that the file describes, and everything that is wrong with it.

use super::columns::Column;
use super::rows::{self, Item, User, Vhost, Wrong};
use super::sections::{Line, Sections};
use crate::administration::{Kind, Rule, Subject};
use crate::names;
use crate::pattern;
use rmq_common::failure::Failure;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What the file asks for, with line numbers.
#[derive(Debug, Default)]
pub struct Desired {
    pub vhosts: BTreeMap<String, (u64, Vhost)>,
    pub users: BTreeMap<String, (u64, User)>,
    pub rules: BTreeMap<Subject, (u64, Rule<String>)>,
    /// Whether the file lists permissions, so that others can be pruned: not if it only has columns
    /// for topic permissions, or for traits of virtual hosts.
    lists_permissions: bool,
    /// The same for topic permissions.
    pub lists_topics: bool,
    /// The same for users.
    pub lists_users: bool,
}

/// Something wrong with a line.
#[derive(Debug)]
pub struct Problem {
    /// The line, from 1.
    pub line: u64,
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

impl Desired {
    /// Reads the rows. With `only`, rows about another virtual host are errors.
    pub fn of(sections: &Sections, anchor: bool, only: Option<&str>) -> (Desired, Vec<Problem>) {
        let mut desired = Desired {
            lists_permissions: sections.have(Column::Configure)
                || !sections.have(Column::Exchange) && !sections.describe(),
            lists_topics: sections.have(Column::Exchange),
            lists_users: sections.are_of_users(),
            ..Desired::default()
        };
        let mut problems = Vec::new();
        let each = sections.iter().flat_map(|it| it.rows.iter().map(|row| (&it.columns, row)));
        for (columns, Line { number, cells }) in each {
            let cells = cells
                .as_ref()
                .map_err(|why| Wrong { column: None, failure: Failure::data(why.clone()) });
            let item = cells.and_then(|cells| rows::read(columns, cells, anchor));
            let added = item.and_then(|item| desired.add(item, *number, only));
            if let Err(wrong) = added {
                problems.push(Problem { line: *number, wrong });
            }
        }
        (desired, problems)
    }

    fn add(&mut self, item: Item, line: u64, only: Option<&str>) -> Result<(), Wrong> {
        let vhost = match &item {
            Item::Vhost(vhost) => Some(Cow::from(&vhost.name)),
            Item::Rule(rule) => Some(rule.vhost()),
            Item::User(_) => None,
        };
        if let (Some(vhost), Some(only)) = (vhost, only)
            && vhost != only
        {
            let why = format!("'{vhost}' is not the virtual host of --vhost");
            return Err(Wrong { column: Some(Column::Vhost), failure: Failure::data(why) });
        }
        let before = match item {
            Item::Vhost(vhost) => {
                self.vhosts.insert(vhost.name.clone(), (line, vhost)).map(|(line, _)| line)
            }
            Item::User(user) => {
                self.users.insert(user.name.clone(), (line, user)).map(|(line, _)| line)
            }
            Item::Rule(rule) => {
                self.rules.insert(rule.subject(), (line, rule)).map(|(line, _)| line)
            }
        };
        before.map_or(Ok(()), |before| {
            let failure = Failure::data(format!("line {before} already sets this"));
            Err(Wrong { column: None, failure })
        })
    }

    /// Whether the file lists rules of this kind, so that others can be pruned.
    pub fn lists(&self, kind: Kind) -> bool {
        match kind {
            Kind::Permissions => self.lists_permissions,
            Kind::TopicPermissions => self.lists_topics,
        }
    }

    fn each_rule(&self) -> impl Iterator<Item = &Rule<String>> {
        self.rules.values().map(|(_, rule)| rule)
    }

    /// The virtual hosts that any row names.
    pub fn named_vhosts(&self) -> BTreeSet<Cow<'_, str>> {
        let vhosts = self.vhosts.keys().map(Cow::from);
        vhosts.chain(self.each_rule().map(Rule::vhost)).collect()
    }

    /// The users that any row names.
    pub fn named_users(&self) -> BTreeSet<Cow<'_, str>> {
        self.users.keys().map(Cow::from).chain(self.each_rule().map(Rule::user)).collect()
    }

    /// Warnings about tags that RabbitMQ does not know, each once, by line.
    pub fn tag_warnings(&self, name: &str) -> Vec<String> {
        let mut warnings: BTreeMap<&str, (u64, String)> = BTreeMap::new();
        for (line, user) in self.users.values() {
            for tag in user.tags.iter().flatten() {
                let Some(warning) = names::unknown_tag_warning(tag) else { continue };
                let first = warnings.entry(tag).or_insert_with(|| (*line, warning.clone()));
                if *line < first.0 {
                    *first = (*line, warning);
                }
            }
        }
        let mut warnings: Vec<(u64, String)> = warnings.into_values().collect();
        warnings.sort();
        let warnings = warnings.into_iter();
        warnings
            .map(|(line, warning)| format!("{name}: line {line}, column tags: {warning}"))
            .collect()
    }

    /// Warnings about patterns, by line; only one for a pattern on several lines.
    pub fn warnings(&self, name: &str) -> Vec<String> {
        let mut places: HashMap<&str, (u64, Column, u64)> = HashMap::new();
        for (line, column, pattern) in self.patterns() {
            let place = places.entry(pattern).or_insert((line, column, 0));
            place.2 += 1;
            if line < place.0 {
                (place.0, place.1) = (line, column);
            }
        }
        let mut warnings: Vec<(u64, String)> = Vec::new();
        for (pattern, (line, column, count)) in places {
            let more = match count - 1 {
                0 => String::new(),
                1 => " (and in one more place)".to_owned(),
                more => format!(" (and in {more} more places)"),
            };
            let place = format!("{name}: line {line}, column {}", column.name());
            let of_this = pattern::warnings(pattern).into_iter();
            warnings.extend(of_this.map(|warning| (line, format!("{place}: {warning}{more}"))));
        }
        warnings.sort();
        warnings.into_iter().map(|(_, warning)| warning).collect()
    }

    pub fn patterns(&self) -> impl Iterator<Item = (u64, Column, &str)> {
        self.rules.values().flat_map(|(line, rule)| {
            let patterns = rule.patterns().into_iter();
            patterns.filter_map(|(name, it)| Some((*line, Column::named(name)?, &**it)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rmq_common::sheet::Sheet;

    fn read(text: &str, only: Option<&str>) -> (Desired, Vec<String>) {
        let sheet = Sheet::read("f.csv", text.as_bytes()).unwrap();
        let sections = Sections::of(&sheet).unwrap();
        let (desired, problems) = Desired::of(&sections, false, only);
        (desired, problems.into_iter().map(|it| it.failure("f.csv").to_string()).collect())
    }

    #[test]
    fn every_wrong_row_is_reported_with_its_line_and_column() {
        let text = "vhost,user,configure,write,read,tags\n\
                    /,a,.*,.*,.*,\n\
                    /,a,x,.*,.*,\n\
                    ,,.*,,,\n\
                    ,b,,,,x y\n\
                    /b,b,.*,.*,.*,\n\
                    /,b\n";
        let (_, problems) = read(text, Some("/"));
        let wanted = [
            "f.csv: line 3: line 2 already sets this",
            "f.csv: line 4: the row names no vhost and no user",
            "f.csv: line 5, column tags: 'x y': a tag cannot contain a comma or a space; give \
             several tags as separate words",
            "f.csv: line 6, column vhost: '/b' is not the virtual host of --vhost",
            "f.csv: line 7: this row has 2 cells, but the header row has 6",
        ];
        assert_eq!(problems, wanted);
    }

    #[test]
    fn warnings_are_in_the_order_of_the_lines() {
        let text = "vhost,user,configure,write,read\n/,b,foo,,\n/,a,^x$,foo,foo bar\n";
        let (desired, problems) = read(text, None);
        assert_eq!(problems, [""; 0]);
        let warnings = desired.warnings("f.csv");
        assert_eq!(warnings.len(), 3, "{warnings:?}");
        assert!(
            warnings[0].starts_with("f.csv: line 2, column configure: 'foo' also matches xfoox")
        );
        assert!(warnings[0].ends_with(" (and in one more place)"), "{warnings:?}");
        assert!(warnings[1].starts_with("f.csv: line 3, column read: "));
    }

    #[test]
    fn the_vhosts_of_all_rows_are_named() {
        let (desired, _) = read("vhost,user,configure,write,read\n/a,,,,\n/b,x,,,\n,y,,,\n", None);
        assert_eq!(desired.named_vhosts().into_iter().collect::<Vec<_>>(), ["/a", "/b"]);
    }
}
