use super::*;

const HEADER: &[&str] =
    &["vhost", "user", "configure", "write", "read", "exchange", "tags", "password_hash"];

fn of(header: &[&str], cells: &[&str]) -> Result<Item, Wrong> {
    let columns = Columns::of(&StringRecord::from(header)).unwrap();
    read(&columns, &StringRecord::from(cells), false)
}

fn user(tags: Option<&[&str]>) -> Item {
    let tags = tags.map(|tags| tags.iter().map(|tag| (*tag).to_owned()).collect());
    Item::User(User { name: "u".to_owned(), tags, hash: None, limits: LimitsChange::default() })
}

#[test]
fn the_cells_that_are_filled_say_what_a_row_is_for() {
    let (vhost, name) = ("v".to_owned(), "u".to_owned());
    let bare = of(HEADER, &["v", "", "", "", "", "", "", ""]).unwrap();
    assert_eq!(bare, Item::Vhost(Vhost { name: vhost, ..Vhost::default() }));
    let tagged = of(HEADER, &["", "u", "", "", "", "", "b,a,b", ""]).unwrap();
    assert_eq!(tagged, user(Some(&["a", "b"])));
    assert_eq!(of(&["user"], &["u"]).unwrap(), user(None));
    assert_eq!(of(&["user", "tags"], &["u", ""]).unwrap(), user(Some(&[])));
    let patterns = TopicPatterns { write: "w".to_owned(), read: "r".to_owned() };
    let topic =
        TopicPermission { vhost: "v".to_owned(), user: name, exchange: "e".to_owned(), patterns };
    let topic = Item::Rule(Rule::Topic(topic));
    let header = &["vhost", "user", "exchange", "write", "read"];
    assert_eq!(of(header, &["v", "u", "e", "w", "r"]).unwrap(), topic);
}

#[test]
fn a_vhost_is_like_its_row_but_in_the_column_of_users_alone() {
    let change = |header: &[&str], cells: &[&str]| match of(header, cells).unwrap() {
        Item::Vhost(vhost) => vhost.change,
        other => panic!("{other:?}"),
    };
    let text = |text: &str| Some(text.to_owned());
    let header = &["vhost", "default_queue_type", "description", "tags"];
    let full = change(header, &["v", "quorum", "mine", "b,a"]);
    let tags = Some(vec!["a".to_owned(), "b".to_owned()]);
    let (default_queue_type, description) = (text("quorum"), text("mine"));
    assert_eq!(full, VhostChange { default_queue_type, description, tags });
    let bare = change(header, &["v", "", "", ""]);
    let (description, tags) = (text(""), Some(vec![]));
    assert_eq!(bare, VhostChange { default_queue_type: None, description, tags });
    assert_eq!(change(&["vhost", "user", "tags"], &["v", "", ""]), VhostChange::default());
    assert!(change(&["vhost", "user", "tags"], &["v", "", "a"]).tags.is_some());
    let wrong = of(header, &["v", "lazy", "", ""]).unwrap_err();
    assert_eq!(wrong.column, Some(Column::DefaultQueueType));
}

#[test]
fn limits_are_those_of_the_columns_and_an_empty_cell_is_none() {
    let header = &["vhost", "user", "max_connections", "max_queues", "max_channels"];
    let limits = |header: &[&str], cells: &[&str]| match of(header, cells).unwrap() {
        Item::Vhost(vhost) => vhost.limits.0,
        Item::User(user) => user.limits.0,
        Item::Rule(rule) => panic!("{rule}"),
    };
    assert_eq!(limits(header, &["v", "", "5", "0", ""]), [Some(Some(5)), Some(Some(0))]);
    assert_eq!(limits(header, &["", "u", "", "", "none"]), [Some(None), Some(None)]);
    assert_eq!(limits(&["vhost", "max_queues"], &["v", "7"]), [None, Some(Some(7))]);
    let wrong = [
        (["v", "", "", "", "5"], Column::MaxChannels),
        (["", "u", "", "5", ""], Column::MaxQueues),
        (["", "u", "many", "", ""], Column::MaxConnections),
        (["v", "u", "1", "", ""], Column::MaxConnections),
    ];
    for (cells, column) in wrong {
        assert_eq!(of(header, &cells).unwrap_err().column, Some(column));
    }
}

#[test]
fn a_row_that_cannot_be_meant_says_in_which_column() {
    let table = [
        (&["", "", "", "", "", "", "", ""][..], None),
        (&["v", "u", ".*", "", "", "e", "", ""], Some(Column::Configure)),
        (&["v", "u", "", "", "", "", "t", ""], Some(Column::Tags)),
        (&["v", "", "x", "", "", "", "", ""], Some(Column::Configure)),
        (&["", "u", "", "x", "", "", "", ""], Some(Column::Write)),
        (&["", "u", "", "", "", "", "a b", ""], Some(Column::Tags)),
        (&["", "u", "", "", "", "", "", "x"], Some(Column::PasswordHash)),
        (&["v", "u"], None),
    ];
    for (cells, column) in table {
        let wrong = of(HEADER, cells).unwrap_err();
        assert_eq!(wrong.column, column, "{cells:?}: {}", wrong.failure);
        assert_eq!(wrong.failure.exit().status(), 65);
    }
    let lacks = of(&["vhost", "user", "write", "read"], &["v", "u", "", ""]).unwrap_err();
    assert!(lacks.failure.to_string().contains("requires a column configure"));
    let long = "x".repeat(256);
    assert_eq!(of(&["user"], &[&long]).unwrap_err().column, Some(Column::User));
}

#[test]
fn patterns_are_anchored_when_asked() {
    let columns = Columns::of(&StringRecord::from(&HEADER[..5])).unwrap();
    let cells = StringRecord::from(&["v", "u", "a|b", "", ".*"][..]);
    let Ok(Item::Rule(Rule::Vhost(Permission { patterns, .. }))) = read(&columns, &cells, true)
    else {
        panic!("no permission")
    };
    assert_eq!(patterns.configure, "^(?:a|b)$");
    assert_eq!((&*patterns.write, &*patterns.read), ("", ".*"));
}
