//! What the server answers: keys of Mielto with every documented member, and pages of them.

use std::fmt::Write;

/// How many keys the list has.
pub const LIST_LENGTH: usize = 1_000_000;

/// The key `id`.
#[must_use]
pub fn key(id: &str) -> String {
    format!(
        concat!(
            r#"{{"id":"{id}","created_at":"2025-02-01T09:00:00Z","updated_at":"2025-03-01T09:30:00Z","#,
            r#""key":"mk_test_EXAMPLE0000000001","hashed_secret":"EXAMPLE-HASH-OF-NOTHING-0000000001","#,
            r#""label":"nightly import","status":"active","last_used_at":"2025-06-30T23:59:59Z","#,
            r#""expires_at":"2099-12-31T23:59:59Z","permissions":["read","write"],"#,
            r#""ip_whitelist":["192.0.2.10","198.51.100.0/24"],"collections":["col_000000001","col_000000002"],"#,
            r#""workspace_id":"wsp_000000001","created_by":"usr_000000001","secret":null}}"#
        ),
        id = id
    )
}

/// The page of at most `limit` keys behind the first `skip`.
#[must_use]
pub fn page(skip: usize, limit: usize) -> String {
    let end = (skip + limit).min(LIST_LENGTH);
    let mut body = r#"{"data":["#.to_owned();
    for number in skip..end {
        let comma = if number > skip { "," } else { "" };
        let _ = write!(body, "{comma}{}", key(&format!("key_{number:09}")));
    }
    let more = end < LIST_LENGTH;
    let _ = write!(
        body,
        r#"],"total_count":{LIST_LENGTH},"page":{},"limit":{limit},"next_page":null,"next_cursor":null,"has_more":{more}}}"#,
        skip / limit + 1
    );
    body
}
