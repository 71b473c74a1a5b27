//! What is there from the start.

use serde_json::json;

use super::GROUP;
use crate::entry::{Address, Entry};
use crate::generated::{Draw, Recipe};

pub(super) fn keys() -> Vec<Entry> {
    // The prefix of a registered key is its first 16 characters, whatever they are.
    let registered = "partner/eu+1 key";
    vec![
        Entry::new([GROUP, "sky_Qm4tZp0Lw8Rk"], json!({"prefix": "sky_Qm4tZp0Lw8Rk", "name": "ci-runner"}))
            .plaintext("sky_Qm4tZp0Lw8Rk.EXAMPLEnotASecretBaseten"),
        Entry::new([GROUP, "hJkLmNp"], json!({"prefix": "hJkLmNp", "name": null}))
            .plaintext("hJkLmNp.EXAMPLEnotASecretBaseten"),
        Entry::new([GROUP, registered], json!({"prefix": registered, "name": "brought-along"}))
            .plaintext("partner/eu+1 key EXAMPLEnotASecretBaseten"),
    ]
}

/// A group with all that is required, and a model.
pub(super) fn group(id: &str) -> Entry {
    let rate_limits = json!([{"type": "REQUEST", "unit": "MINUTE", "threshold": 60}]);
    let usage_limits = json!([{"type": "TOKEN", "unit": "DAY", "threshold": 1_000_000}]);
    let models = json!([{"slug": "acme/small", "rate_limits": rate_limits, "usage_limits": usage_limits}]);
    Entry::new(
        [id],
        json!({
            "id": id,
            "metadata": {"name": "Acme", "external_entity_id": format!("entity-of-{id}")},
            "models": models,
            "effective_models": super::groups::effective(&models, id),
            "hierarchy": {"limit_enforcement": "INDEPENDENT", "parent_group_id": null},
            "created_at": "2026-01-15T09:00:00Z",
        }),
    )
}

pub(super) fn workspace_keys() -> Vec<Entry> {
    let owner = json!({"user_id": "usr_EXAMPLE1", "email": "dev@example.com", "name": "Dev Example"});
    [
        ("emuWsKey", "WORKSPACE_MANAGE_ALL", json!("emulator"), json!(null), json!(null)),
        ("emuInvok", "WORKSPACE_INVOKE", json!("gateway-smoke"), json!(["model_EXAMPLE1"]), json!(null)),
        ("emuPersn", "PERSONAL", json!(null), json!(null), owner),
    ]
    .map(|(prefix, kind, name, model_ids, owner)| {
        Entry::new(
            [prefix],
            json!({
                "prefix": prefix,
                "type": kind,
                "name": name,
                "model_ids": model_ids,
                "team_name": null,
                "owner": owner,
            }),
        )
    })
    .into()
}

pub(super) const RECIPE: Recipe = Recipe {
    owner: |draw| format!("g{:07x}", draw.below("group", 1 << 28)),
    // Some keys were registered, and have their first 16 characters for a prefix.
    address: |draw, group| {
        let kind = if draw.one_in("registered", 8) { "own/" } else { "sky_" };
        vec![group.to_owned(), format!("{kind}{}", draw.token())]
    },
    key: generated,
};

fn generated(draw: &Draw, _: &str, address: Address) -> Entry {
    let prefix = address.last().map_or("", String::as_str);
    let mut value = json!({"prefix": prefix, "name": draw.name()});
    if let Some(members) = value.as_object_mut() {
        if draw.one_in("no name", 6) {
            members.insert("name".to_owned(), json!(null));
        } else if draw.one_in("absent name", 12) {
            members.remove("name");
        }
    }
    let middle = if prefix.starts_with("sky_") { "." } else { " " };
    let plaintext = format!("{prefix}{middle}EXAMPLEnotASecretBaseten");
    Entry::new(address, value).plaintext(plaintext)
}
