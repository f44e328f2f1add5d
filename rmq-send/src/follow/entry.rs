//! The positions file's content: one JSON document.

use crate::follow::fingerprint::Fingerprint;
use crate::follow::identity::Identity;
use serde_json::{Map, Value, json};

/// The document version that is written.
const VERSION: u64 = 1;

/// How far one file is confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The absolute path under which it is followed.
    pub path: String,
    /// Which file it is.
    pub identity: Identity,
    /// The first byte that is not confirmed.
    pub offset: u64,
    /// What the file held up to there.
    pub fingerprint: Fingerprint,
    /// The file's size at the last check.
    pub size: u64,
    /// When it was last changed, in nanoseconds since 1970, or earlier: no later file is known.
    pub modified: i64,
    /// It is rotated and was read to its end.
    pub is_done: bool,
}

/// The document with these entries.
pub fn encode(entries: &[Entry]) -> String {
    let mut text = format!("{{\"rmq-send positions\": {VERSION}, \"files\": [");
    for (index, entry) in entries.iter().enumerate() {
        let Entry { path, identity, offset, fingerprint, size, modified, is_done } = entry;
        let entry = json!({
            "path": path,
            "device": identity.device,
            "inode": identity.inode,
            "offset": offset,
            "head_crc32": fingerprint.head,
            "before_crc32": fingerprint.before,
            "size": size,
            "modified_ns": modified,
            "done": is_done,
        });
        let separator = if index == 0 { "\n  " } else { ",\n  " };
        text.push_str(&format!("{separator}{entry}"));
    }
    text.push_str("\n]}\n");
    text
}

/// The entries of a document.
///
/// # Errors
/// What is wrong with it.
pub fn decode(text: &[u8]) -> Result<Vec<Entry>, String> {
    let document: Value = serde_json::from_slice(text).map_err(|error| {
        format!("not a positions file, or damaged: line {}, {}", error.line(), reason(&error))
    })?;
    match document.get("rmq-send positions").map(Value::as_u64) {
        Some(Some(VERSION)) => {}
        Some(Some(version)) => {
            return Err(format!(
                "a positions file of version {version}, and this rmq-send knows version {VERSION}"
            ));
        }
        _ => return Err("not a positions file of rmq-send".to_owned()),
    }
    let files = document.get("files").and_then(Value::as_array);
    let files = files.ok_or_else(|| "damaged: \"files\" is missing".to_owned())?;
    let entries = files.iter().enumerate();
    entries
        .map(|(index, value)| {
            let entry = value.as_object().ok_or_else(|| "not an object".to_owned());
            entry.and_then(entry_of).map_err(|why| format!("damaged: file {}: {why}", index + 1))
        })
        .collect()
}

fn reason(error: &serde_json::Error) -> &'static str {
    if error.is_eof() { "it breaks off" } else { "not JSON" }
}

fn entry_of(members: &Map<String, Value>) -> Result<Entry, String> {
    let member = |name: &str| members.get(name).ok_or_else(|| format!("\"{name}\" is missing"));
    let wrong = |name: &str| format!("\"{name}\" has a wrong value");
    let number = |name: &str| member(name)?.as_u64().ok_or_else(|| wrong(name));
    let checksum = |name: &str| u32::try_from(number(name)?).map_err(|_| wrong(name));
    let path = member("path")?.as_str().ok_or_else(|| wrong("path"))?.to_owned();
    Ok(Entry {
        path,
        identity: Identity { device: number("device")?, inode: number("inode")? },
        offset: number("offset")?,
        fingerprint: Fingerprint {
            head: checksum("head_crc32")?,
            before: checksum("before_crc32")?,
        },
        size: number("size")?,
        modified: member("modified_ns")?.as_i64().ok_or_else(|| wrong("modified_ns"))?,
        is_done: member("done")?.as_bool().ok_or_else(|| wrong("done"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entries() -> impl Strategy<Value = Vec<Entry>> {
        let numbers = (any::<[u64; 4]>(), any::<[u32; 2]>(), any::<i64>(), any::<bool>());
        let entry =
            ("\\PC{0,20}", numbers).prop_map(|(path, (numbers, sums, modified, is_done))| {
                let ([device, inode, offset, size], [head, before]) = (numbers, sums);
                let (identity, fingerprint) =
                    (Identity { device, inode }, Fingerprint { head, before });
                Entry { path, identity, offset, fingerprint, size, modified, is_done }
            });
        prop::collection::vec(entry, 0..4)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(entries in entries()) {
            prop_assert_eq!(decode(encode(&entries).as_bytes()), Ok(entries));
        }

        #[test]
        fn a_document_that_breaks_off_is_never_taken_for_a_whole_one(
            entries in entries(),
            cut in any::<prop::sample::Index>(),
        ) {
            let text = encode(&entries);
            let kept = cut.index(text.trim_end().len());
            prop_assert!(decode(&text.as_bytes()[..kept]).is_err());
        }

        #[test]
        fn no_bytes_are_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let refusal = |text: &str| decode(text.as_bytes()).unwrap_err();
        assert_eq!(refusal("{}"), "not a positions file of rmq-send");
        let newer = r#"{"rmq-send positions": 2, "files": []}"#;
        let wanted = "a positions file of version 2, and this rmq-send knows version 1";
        assert_eq!(refusal(newer), wanted);
        let text = r#"{"rmq-send positions": 1, "files": [{"path": "a"}]}"#;
        assert_eq!(refusal(text), "damaged: file 1: \"device\" is missing");
        let wanted = "not a positions file, or damaged: line 1, it breaks off";
        assert_eq!(refusal(&text[..30]), wanted);
    }
}
