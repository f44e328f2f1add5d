use super::*;
use crate::term::samples::atom;
use crate::unanswered::Effect;
use serde_json::json;

fn failure(refusal: &Refusal) -> (String, u8) {
    let failure = refusal.failure_of("jo");
    (failure.to_string(), failure.exit().status())
}

fn answered(status: u16, reason: impl Into<Value>) -> (String, u8) {
    failure(&of_answer(status, &json!({"error": "e", "reason": reason.into()})))
}

fn error(reason: Vec<Term>) -> Option<(String, u8)> {
    let answer = Term::Tuple(vec![atom("error"), Term::Tuple(reason)]);
    of_term(&answer).as_ref().map(failure)
}

/// `{badrpc, {'EXIT', {Reason, [{Module, Function, [], []}]}}}`
fn crashed(reason: &str, module: &str, function: &str) -> Term {
    let top = vec![atom(module), atom(function), Term::List(vec![]), Term::List(vec![])];
    let exit = vec![atom(reason), Term::List(vec![Term::Tuple(top)])];
    Term::Tuple(vec![atom("badrpc"), Term::Tuple(vec![atom("EXIT"), Term::Tuple(exit)])])
}

#[test]
fn a_pattern_may_come_back_from_the_api_as_text_or_as_its_bytes() {
    let wanted =
        "the broker does not accept the regular expression 'ü*': nothing to repeat at offset 2";
    let why = json!([b"nothing to repeat", 2]);
    for pattern in [json!("ü*"), json!([195, 188, 42])] {
        let reason = json!(["invalid_regexp", pattern, why]);
        assert_eq!(answered(400, reason), (wanted.to_owned(), 65));
    }
}

#[test]
fn an_objection_without_an_offset_is_in_words() {
    let wanted = "the broker does not accept the regular expression 'a': pattern too long";
    let reason = json!(["invalid_regexp", "a", "pattern_too_long"]);
    assert_eq!(answered(400, reason), (wanted.to_owned(), 65));
    let pattern = Term::Binary(b"a".to_vec());
    let refused = error(vec![atom("invalid_regexp"), pattern, atom("pattern_too_long")]);
    assert_eq!(refused, Some((wanted.to_owned(), 65)));
}

#[test]
fn a_user_without_the_tag_for_connections_is_refused_in_one_of_two_ways() {
    let said = json!({"error": "not_authorised", "reason": "User not authorised to access object"});
    assert!(is_lack_of_tag(401, &said) && is_lack_of_tag(500, &Value::Null));
    let other = json!({"error": "not_authorised", "reason": "Not_Authorized"});
    assert!(!is_lack_of_tag(401, &other) && !is_lack_of_tag(500, &other));
    assert!(!is_lack_of_tag(503, &Value::Null));
}

#[test]
fn a_missing_tag_is_named() {
    for (reason, lacks) in [
        ("Not administrator user", "jo lacks the tag administrator"),
        ("Not monitor user", "jo lacks the tag monitoring (or administrator)"),
    ] {
        assert_eq!(answered(401, reason), (lacks.to_owned(), 77));
    }
    let (text, status) = answered(401, "Login failed");
    assert!(text.contains("a wrong password") && status == 77, "{text}");
}

#[test]
fn a_missing_vhost_of_a_list_may_be_one_without_permissions() {
    let access = of_missing_vhost(&json!({"error": "not_found", "reason": "x"}));
    assert_eq!(failure(&access), ("jo has no permissions on the virtual host".to_owned(), 77));
    let missing = of_missing_vhost(&json!({"error": "Object Not Found"}));
    assert_eq!(missing, Refusal::NoSuchVhost);
    let either = of_answer(400, &json!({"reason": "vhost_or_user_not_found"}));
    assert_eq!(either, Refusal::NoSuchUserOrVhost);
}

#[test]
fn another_refusal_is_reported_in_the_brokers_own_words() {
    let why = "minimum required password length: 8";
    assert_eq!(answered(400, why), (why.to_owned(), 65));
    let protected = "the broker refused it: protected".to_owned();
    assert_eq!(answered(412, "protected"), (protected, 65));
    let wanted = "the broker refused it with status 405".to_owned();
    assert_eq!(answered(405, Value::Null), (wanted, 65));
}

#[test]
fn a_broker_that_fails_may_have_done_it() {
    let failed = |status, reason: Option<&str>, effect| {
        let reason = reason.map(str::to_owned);
        failure(&Refusal::Failed { status, reason, effect })
    };
    let down = "the broker failed with status 503: x";
    assert_eq!(failed(503, Some("x"), Effect::Reads), (down.to_owned(), 69));
    let unknown = format!("{down}; whether it was done is unknown");
    assert_eq!(failed(503, Some("x"), Effect::Changes), (unknown, 75));
    let starting =
        "the broker failed with status 500 (try again if a node is starting or stopping)";
    assert_eq!(failed(500, None, Effect::Reads), (starting.to_owned(), 75));
}

#[test]
fn the_brokers_words_are_reported_without_erlangs_signs() {
    for (said, wanted) in [
        (r#"user <<"al">> is protected"#, "user 'al' is protected"),
        (r#"{error,{no_such_user,<<"al">>}}"#, "error: no_such_user: 'al'"),
        ("the password is too short", "the password is too short"),
        ("<<>> is no name", "'' is no name"),
    ] {
        assert_eq!(plain(said), wanted);
    }
}

#[test]
fn each_known_error_of_a_function_has_its_sentence_and_its_status() {
    let name = || Term::Binary(b"x".to_vec());
    let said = |text: &str, status| Some((text.to_owned(), status));
    assert_eq!(error(vec![atom("no_such_user"), name()]), said("no such user", 67));
    assert_eq!(error(vec![atom("no_such_vhost"), name()]), said("no such vhost", 65));
    let exists = "the user already exists; nothing was changed (change-password sets a new \
                  password, add-user --replace also these tags)";
    assert_eq!(error(vec![atom("user_already_exists"), name()]), said(exists, 65));
    let why = vec![Term::Charlist(b"nothing to repeat".to_vec()), Term::Integer(0)];
    let pattern = Term::Binary(b"*".to_vec());
    let text =
        "the broker does not accept the regular expression '*': nothing to repeat at offset 0";
    let refused = |pattern| vec![atom("invalid_regexp"), pattern, Term::Tuple(why.clone())];
    assert_eq!(error(refused(pattern)), said(text, 65));
    let bytes = error(refused(Term::Charlist("ü*".into()))).unwrap().0;
    assert!(bytes.contains("expression 'ü*': nothing"), "{bytes}");
    let timeout = of_term(&Term::Tuple(vec![atom("error"), atom("timeout")])).unwrap();
    let (text, status) = failure(&timeout);
    assert!(text.ends_with("; whether it was done is unknown") && status == 75, "{text}");
}

#[test]
fn what_is_not_a_known_error_is_left_to_the_caller() {
    assert_eq!(of_term(&atom("ok")), None);
    assert_eq!(error(vec![]), None);
    assert_eq!(error(vec![atom("something_new")]), None);
    assert_eq!(of_term(&crashed("noproc", "gen_server", "call")), None);
}

#[test]
fn what_a_node_without_tables_and_processes_says_is_not_taken_for_a_bug() {
    assert!(is_of_a_start(&crashed("noproc", "gen_server", "call")));
    assert!(is_of_a_start(&crashed("badarg", "ets", "lookup")));
    assert!(!is_of_a_start(&crashed("function_clause", "lists", "map")));
    assert!(!is_of_a_start(&atom("badarg")));
}

#[test]
fn a_function_that_a_release_lacks_is_distinguished_from_one_that_crashes() {
    let undefined = |result: &Term| is_undefined(result, "rabbit_node_monitor", "partitions");
    assert!(undefined(&crashed("undef", "rabbit_node_monitor", "partitions")));
    // Something that the function calls is missing, which is a crash of its own.
    assert!(!undefined(&crashed("undef", "mnesia", "dirty_read")));
    assert!(!undefined(&crashed("noproc", "rabbit_node_monitor", "partitions")));
}

#[test]
fn a_crash_is_reported_with_its_reason_and_without_the_stack() {
    let crash = crashed("noproc", "gen_server", "call");
    assert_eq!(reason_of_crash(&crash), &atom("noproc"));
    let down = Term::Tuple(vec![atom("badrpc"), atom("nodedown")]);
    assert_eq!(reason_of_crash(&down), &atom("nodedown"));
    assert_eq!(reason_of_crash(&atom("odd")), &atom("odd"));
}

#[test]
fn a_node_that_dies_while_it_is_asked_went_away() {
    let lost = |reason: Term| of_term(&Term::Tuple(vec![atom("badrpc"), reason]));
    assert_eq!(lost(atom("noconnection")), Some(Refusal::NodeWentAway));
    let down = Term::Tuple(vec![atom("nodedown"), atom("r@h")]);
    assert_eq!(lost(down), Some(Refusal::NodeWentAway));
    assert_eq!(lost(atom("other")), None);
}

#[test]
fn a_node_that_has_no_tables_yet_is_not_ready() {
    // {badrpc,{'EXIT',{aborted,{no_exists,[rabbit_queue,...]}}}}
    let missing = Term::Tuple(vec![atom("no_exists"), atom("rabbit_queue")]);
    let aborted = Term::Tuple(vec![atom("aborted"), missing]);
    let exit = Term::Tuple(vec![atom("EXIT"), aborted]);
    let crash = Term::Tuple(vec![atom("badrpc"), exit]);
    assert_eq!(of_term(&crash), Some(Refusal::NodeNotReady));
}
