//! What Braintrust sends and takes, as documented.

use keymux_core::{Envelope, Fact, Id, IdKind, KeyKind, SecretString, Shape, VendorTime, is_uuid};
use serde::{Deserialize, Serialize};

const NOT_A_UUID: &str = "is not a UUID (hexadecimal digits in groups of 8-4-4-4-12)";

/// What an [`ApiKeyId`] is.
#[derive(Debug)]
pub enum ApiKeyIdKind {}

impl IdKind for ApiKeyIdKind {
    const NAME: &'static str = "api_key_id";

    fn check(text: &str) -> Result<(), &'static str> {
        if is_uuid(text) { Ok(()) } else { Err(NOT_A_UUID) }
    }
}

/// The id of a key: a UUID. One that a caller gives is checked before anything is sent.
pub type ApiKeyId = Id<ApiKeyIdKind>;

/// What a [`ServiceTokenId`] is.
#[derive(Debug)]
pub enum ServiceTokenIdKind {}

impl IdKind for ServiceTokenIdKind {
    const NAME: &'static str = "service_token_id";

    fn check(text: &str) -> Result<(), &'static str> {
        if is_uuid(text) { Ok(()) } else { Err(NOT_A_UUID) }
    }
}

/// The id of a service token: a UUID. One that a caller gives is checked before anything is sent.
pub type ServiceTokenId = Id<ServiceTokenIdKind>;

/// A key, as Braintrust tells of it. Only `id`, `name` and `preview_name` are documented as always present.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct ApiKey {
    /// The key's id.
    pub id: ApiKeyId,
    /// The key's name; names need not be unique.
    #[serde(default)]
    pub name: Fact<String>,
    /// The key, masked; the form of the mask is not documented.
    #[serde(default)]
    pub preview_name: Fact<String>,
    /// When the key was made.
    #[serde(default)]
    pub created: Fact<VendorTime>,
    /// The id of the user to whom the key belongs.
    #[serde(default)]
    pub user_id: Fact<String>,
    /// The user's e-mail address.
    #[serde(default)]
    pub user_email: Fact<String>,
    /// The user's given name.
    #[serde(default)]
    pub user_given_name: Fact<String>,
    /// The user's family name.
    #[serde(default)]
    pub user_family_name: Fact<String>,
    /// The id of the organization.
    #[serde(default)]
    pub org_id: Fact<String>,
}

/// A service token, as Braintrust tells of it: the key of a service account. Only `id`, `name` and `preview_name` are
/// documented as always present.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct ServiceToken {
    /// The token's id.
    pub id: ServiceTokenId,
    /// The token's name.
    #[serde(default)]
    pub name: Fact<String>,
    /// The token, masked; the form of the mask is not documented.
    #[serde(default)]
    pub preview_name: Fact<String>,
    /// When the token was made.
    #[serde(default)]
    pub created: Fact<VendorTime>,
    /// The id of the service account to which the token belongs.
    #[serde(default)]
    pub service_account_id: Fact<String>,
    /// The service account's e-mail address.
    #[serde(default)]
    pub service_account_email: Fact<String>,
    /// The service account's name.
    #[serde(default)]
    pub service_account_name: Fact<String>,
    /// The id of the organization.
    #[serde(default)]
    pub org_id: Fact<String>,
    /// The plaintext: only in the answers to making and replacing a token, and taken out everywhere.
    #[serde(default)]
    pub(crate) key: Fact<SecretString>,
}

/// The plaintext in the answers to making and replacing a token, which must survive it if the rest is odd.
#[derive(Deserialize)]
pub(crate) struct Plaintext {
    #[serde(default)]
    pub(crate) key: Fact<SecretString>,
}

impl ServiceToken {
    /// What sort of key a service token is. The unified way in deals with the keys of users alone.
    pub const KIND: KeyKind = KeyKind::new("service_token");
}

/// Where a page of a list begins. Lists go from the newest to the oldest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PageStart<I> {
    /// At the newest.
    #[default]
    First,
    /// Behind this one, which was the last of the page before: `starting_after`.
    StartingAfter(I),
    /// So that it ends before this one, which was the first of the page after: `ending_before`.
    EndingBefore(I),
}

/// Which keys to list, and how many.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListApiKeys {
    /// How many at most. Neither default nor maximum is documented, nor what 0 does.
    pub limit: Option<u32>,
    /// Where the page begins.
    pub from: PageStart<ApiKeyId>,
    /// These keys alone; empty: all.
    pub ids: Vec<ApiKeyId>,
    /// The keys of this name alone; names need not be unique.
    pub api_key_name: Option<String>,
    /// The keys of this organization alone.
    pub org_name: Option<String>,
}

/// Which service tokens to list, and how many.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListServiceTokens {
    /// How many at most. Neither default nor maximum is documented, nor what 0 does.
    pub limit: Option<u32>,
    /// Where the page begins.
    pub from: PageStart<ServiceTokenId>,
    /// These tokens alone; empty: all.
    pub ids: Vec<ServiceTokenId>,
    /// The tokens of this name alone.
    pub service_token_name: Option<String>,
    /// The tokens of this organization alone.
    pub org_name: Option<String>,
}

/// The parameters of a query, as they are.
pub(crate) type Query = Vec<(&'static str, String)>;

impl ListApiKeys {
    pub(crate) fn query(&self) -> Query {
        let names = [("api_key_name", &self.api_key_name), ("org_name", &self.org_name)];
        query(self.limit, &self.from, &self.ids, names)
    }
}

impl ListServiceTokens {
    pub(crate) fn query(&self) -> Query {
        let names = [("service_token_name", &self.service_token_name), ("org_name", &self.org_name)];
        query(self.limit, &self.from, &self.ids, names)
    }
}

fn query<K>(
    limit: Option<u32>,
    from: &PageStart<Id<K>>,
    ids: &[Id<K>],
    names: [(&'static str, &Option<String>); 2],
) -> Query {
    let mut query = Query::new();
    query.extend(limit.map(|limit| ("limit", limit.to_string())));
    match from {
        PageStart::First => {}
        PageStart::StartingAfter(id) => query.push(("starting_after", id.as_str().to_owned())),
        PageStart::EndingBefore(id) => query.push(("ending_before", id.as_str().to_owned())),
    }
    // Braintrust's own clients join the ids by commas; its specification repeats the parameter.
    query.extend(ids.iter().map(|id| ("ids", id.as_str().to_owned())));
    query.extend(names.into_iter().filter_map(|(parameter, name)| Some((parameter, name.clone()?))));
    query
}

/// A service token to be made, or to be put in place of the one of the same name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewServiceToken {
    /// The token's name.
    pub name: String,
    /// The id of the service account to which it will belong.
    pub service_account_id: String,
    /// The organization, for a caller that belongs to more than one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org_name: Option<String>,
}

/// What a list holds beside its rows: nothing.
#[derive(Deserialize)]
pub(crate) struct Empty {}

/// The body is the key or the token. `key` is the plaintext.
pub(crate) const SHAPE: Shape = Shape { envelope: Envelope::Bare, secrets: &["key"] };
