//! What is there from the start.

use serde_json::json;

use super::API;
use crate::store::Entry;

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
