//! serde_json as the referee of what is JSON.

use super::*;
use proptest::prelude::*;

proptest! {
    /// It is not our decision which texts are JSON.
    #[test]
    fn json_is_what_serde_json_takes_for_it(text in "[\\[\\]{}\",:\\\\ \\-+.0-9eEutrufalsn\u{9}ä]{0,12}") {
        agrees_with_serde_json(&text)?;
    }

    #[test]
    fn numbers_are_what_serde_json_takes_for_them(text in "-?[0-9]{0,21}(\\.[0-9]{0,3})?([eE][-+]?[0-9]{0,3})?") {
        agrees_with_serde_json(&text)?;
    }

    #[test]
    fn strings_are_what_serde_json_takes_for_them(text in "\"([a-zä\u{0}-\u{20}]|\\\\[\"\\\\/bfnrtuU]|\\\\u[dD][89abcf][0-9a-f]{2}|\\\\u00[0-9a-fA-F]{2}){0,6}\"") {
        agrees_with_serde_json(&text)?;
    }
}

/// Both accept it as JSON, or both refuse it; they may differ only about what AMQP cannot hold.
fn agrees_with_serde_json(text: &str) -> Result<(), TestCaseError> {
    let ours = header_value(text);
    let theirs = serde_json::from_str::<serde_json::Value>(text);
    match (ours.as_ref().map(Encoded::value), &theirs) {
        (Ok(Value::String(ours)), Ok(serde_json::Value::String(theirs))) => {
            prop_assert_eq!(ours, theirs.as_bytes());
        }
        (Ok(Value::Int64(ours)), Ok(theirs)) => {
            prop_assert_eq!(theirs.as_i64(), Some(ours));
        }
        (Ok(Value::Double(bits)), Ok(theirs)) => {
            let ours = f64::from_bits(bits);
            // serde_json rounds the last bit differently unless configured for accuracy.
            let theirs = theirs.as_f64().unwrap();
            prop_assert!(ours == theirs || ((ours - theirs) / ours).abs() < 1e-15);
        }
        (Ok(ours), Ok(theirs)) => {
            prop_assert!(!theirs.is_number() && !theirs.is_string(), "{ours:?}")
        }
        (Err(ours), Ok(_)) => {
            let ours = ours.to_string();
            let beyond = ours.contains("beyond the range") || ours.contains("a second");
            prop_assert!(beyond, "{text}: {ours}");
        }
        (Err(_), Err(_)) => (),
        (Ok(_), Err(theirs)) => prop_assert!(false, "{text}: {theirs}"),
    }
    Ok(())
}
