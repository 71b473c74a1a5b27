//! What is there from the start.

use serde_json::{Value, json};

use super::{API, MASK};
use crate::clock::Instant;
use crate::entry::{Address, Entry};
use crate::generated::{Draw, Recipe};

pub(super) fn keys() -> Vec<Entry> {
    let limited = "00000000-0000-4000-8000-000000000001";
    let expired = "00000000-0000-4000-8000-000000000002";
    let exhausted = "00000000-0000-4000-8000-000000000003";
    let unlimited = "00000000-0000-4000-8000-000000000004";
    vec![
        Entry::new(
            [limited],
            json!({
                "id": limited,
                "name": "acme importer",
                "key": "demo_ab12*********",
                "prefix": "demo",
                "length": 16,
                "verifications": 3,
                "verification_limit": 100,
                "expires_at": 4_102_444_800_i64,
                "meta": {"plan": "pro", "seats": 5},
                "created_at": "2025-01-01T00:00:00.000000Z",
                "updated_at": "2025-01-02T00:00:00.000000Z",
            }),
        )
        .plaintext("demo_ab12EXAMPLEnoSec")
        .aside("api_id", API),
        Entry::new(
            [expired],
            json!({
                "id": expired,
                "name": "acme trial",
                "key": "demo_sk_cd34e5f*******",
                "prefix": "demo_sk",
                "length": 24,
                "verifications": 12,
                "verification_limit": null,
                "expires_at": 1_704_067_200,
                "meta": null,
                "created_at": "2023-12-01T08:30:00.123456Z",
                "updated_at": "2023-12-01T08:30:00.123456Z",
            }),
        )
        .plaintext("demo_sk_cd34e5fEXAMPLEnotASecret")
        .aside("api_id", API),
        Entry::new(
            [exhausted],
            json!({
                "id": exhausted,
                "name": "acme batch",
                "key": "demo_ef56*********",
                "prefix": "demo",
                "length": 16,
                "verifications": 50,
                "verification_limit": 50,
                "expires_at": null,
                "meta": {},
                "created_at": "2025-01-03T00:00:00.000000Z",
                "updated_at": "2025-01-04T00:00:00.000000Z",
            }),
        )
        .plaintext("demo_ef56EXAMPLEnoSec")
        .aside("api_id", API),
        Entry::new(
            [unlimited],
            json!({
                "id": unlimited,
                "name": "acme internal",
                "key": "gh78*********",
                "prefix": null,
                "length": 255,
                "verifications": 0,
                "verification_limit": null,
                "expires_at": null,
                "meta": null,
                "created_at": "2025-01-05T00:00:00.000000Z",
                "updated_at": "2025-01-05T00:00:00.000000Z",
            }),
        )
        .plaintext(format!("gh78EXAMPLEnotASecretDatkey{:0>228}", ""))
        .aside("api_id", API),
    ]
}

pub(super) const RECIPE: Recipe =
    Recipe { owner: |_| String::new(), address: |draw, _| vec![draw.uuid()], key: generated };

fn generated(draw: &Draw, _: &str, address: Address) -> Entry {
    let or_null = |member: &str, many: u64, known: Value| if draw.one_in(member, many) { Value::Null } else { known };
    let prefix = if draw.one_in("no prefix", 4) { None } else { draw.pick("prefix", &["demo", "live_sk", "test"]) };
    let head = prefix.map(|prefix| format!("{prefix}_")).unwrap_or_default();
    let shown = format!("{:04x}", draw.below("shown", 1 << 16));
    let length = draw.pick("length", &[24_usize, 32, 64]).unwrap_or(24);
    let rest = format!("{shown}EXAMPLE{:0>width$}", draw.token(), width = length - 11);
    let limit = 100 * (1 + draw.below("limit", 10));
    let used = if draw.one_in("used up", 10) { limit } else { draw.below("used", limit) };
    let created = draw.created();
    let value = json!({
        "id": address.last(),
        "name": draw.name(),
        "key": format!("{head}{shown}{MASK}"),
        "prefix": prefix,
        "length": length,
        "verifications": used,
        "verification_limit": or_null("no limit", 3, json!(limit)),
        "expires_at": draw.expiry().map(Instant::seconds),
        "meta": or_null("no meta", 3, json!({"plan": draw.pick("plan", &["pro", "free"]), "seats": draw.below("seats", 50)})),
        "created_at": created.with_micros(),
        "updated_at": created.with_micros(),
    });
    Entry::new(address, value).plaintext(format!("{head}{rest}")).aside("api_id", API)
}
