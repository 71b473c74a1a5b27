//! The keys of an account: where each may stand and what it takes.

use std::path::PathBuf;
use std::time::Duration;

/// The vendors, by the id that `provider` takes; each is in a build only with its feature.
pub(super) const VENDORS: [&str; 5] = ["baseten", "braintrust", "mielto", "datkey", "oneloop"];

/// One key of an account's table.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) of: Of,
    pub(super) takes: ValueKind,
}

/// Where a key may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// In each account alone.
    Account,
    /// In each account, and in `[defaults]` for all of them.
    Shared,
    /// In the accounts of one vendor.
    Vendor(&'static str),
}

/// What a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueKind {
    Provider,
    Credential,
    /// A base URL.
    Url,
    /// Text that is not empty.
    Text,
    /// A product token, `name/version`.
    Product,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Text such as `1m 30s`.
    Duration,
    /// A whole number of 1 to [`MAX_COUNT`].
    Count,
    /// A whole number of mebibytes, of 1 to [`MAX_MEBIBYTES`].
    Mebibytes,
    /// A number above 0.
    Rate,
    Flag,
    /// A path; `~/` is the home folder, and a relative one starts at the configuration's folder.
    File,
}

/// The most attempts that a file may ask for.
pub(super) const MAX_COUNT: u32 = 100;

/// The largest answer that a file may allow, in mebibytes.
pub(super) const MAX_MEBIBYTES: u32 = 2048;

/// The longest time-out that a file may ask for.
pub(super) const MAX_DURATION: Duration = Duration::from_secs(24 * 60 * 60);

/// Every key of an account.
pub(super) const KEYS: [Key; 19] = [
    key("provider", Of::Account, ValueKind::Provider),
    key("credential", Of::Account, ValueKind::Credential),
    key("base_url", Of::Account, ValueKind::Url),
    key("attempt_timeout", Of::Shared, ValueKind::Duration),
    key("total_timeout", Of::Shared, ValueKind::Duration),
    key("connect_timeout", Of::Shared, ValueKind::Duration),
    key("max_attempts", Of::Shared, ValueKind::Count),
    key("max_list_mib", Of::Shared, ValueKind::Mebibytes),
    key("pace", Of::Shared, ValueKind::Rate),
    key("application", Of::Shared, ValueKind::Product),
    key("system_proxy", Of::Shared, ValueKind::Flag),
    key("root_certificates_file", Of::Shared, ValueKind::File),
    key("auth_scheme", Of::Vendor("baseten"), ValueKind::Choice(&["api-key", "bearer"])),
    key("signing_key_file", Of::Vendor("baseten"), ValueKind::File),
    key("region", Of::Vendor("braintrust"), ValueKind::Choice(&["us", "eu"])),
    key("impersonated_user", Of::Vendor("braintrust"), ValueKind::Text),
    key("auth_header", Of::Vendor("mielto"), ValueKind::Choice(&["bearer", "x-api-key"])),
    key("workspace_id", Of::Vendor("mielto"), ValueKind::Text),
    key("expiry_unit", Of::Vendor("oneloop"), ValueKind::Choice(&["seconds", "milliseconds"])),
];

/// The one key of `[trail]`.
pub(super) const TRAIL_PATH: Key = key("path", Of::Account, ValueKind::File);

const fn key(name: &'static str, of: Of, takes: ValueKind) -> Key {
    Key { name, of, takes }
}

/// A value of the right kind. [`ValueKind::Provider`] and [`ValueKind::Credential`] have none here.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Duration(Duration),
    Count(u32),
    Rate(f64),
    Flag(bool),
    File(PathBuf),
}

/// Below this a word is another word, and no misspelling.
const ALIKE: f64 = 0.8;

/// Whether `name` is what other tools call a secret.
pub(super) fn means_secret(name: &str) -> bool {
    const WORDS: [&str; 9] =
        ["key", "token", "secret", "password", "bearer", "auth_token", "access_token", "secret_key", "value"];
    let lower = lower(name);
    WORDS.contains(&lower.as_str()) || lower.contains("api_key") || lower.contains("apikey")
}

fn lower(name: &str) -> String {
    name.to_ascii_lowercase().replace('-', "_")
}

/// The one of `known` that is most like `unknown`, if any is like it.
pub(super) fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = lower(unknown);
    // What no measure of spelling finds.
    let is_credential = means_secret(unknown) || ["env", "file", "command"].contains(&lower.as_str());
    let of = match &*lower {
        _ if is_credential => "credential",
        lower if lower.contains("retr") => "max_attempts",
        lower => lower,
    };
    // A word of the key is nearer than any other spelling: `timeout`, `url`, `proxy`.
    let alike = |known: &&str| {
        let is_part = of.len() >= 3 && known.contains(of);
        // In a short word one slip is much.
        let is_slip = of.len() >= 3 && strsim::osa_distance(of, known) <= 1;
        let spelling = strsim::jaro_winkler(of, known).max(if is_slip { ALIKE } else { 0.0 });
        spelling + if is_part { 1.0 } else { 0.0 }
    };
    known.into_iter().max_by(|a, b| alike(a).total_cmp(&alike(b))).filter(|known| alike(known) >= ALIKE)
}
