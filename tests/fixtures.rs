//! What the five vendors document about a key, as tables and example bodies, and clients that are fed with a body.

mod examples;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use keymux::{
    ApiKeyProvider, ClientOptions, Clock, Error, FactState, Field, KeyAddress, KeyRecord, ProviderInfo, RetryPolicy,
    Sleep,
};
use keymux_core::TimeForm::{self, UnitlessInteger, UnixSeconds};
use keymux_core::{Exchange, Request, Response, Transport, TransportError};
use serde_json::Value;

pub(crate) use examples::{Example, examples, full};

use Fills::{Nothing, Part, Whole};
use Form::{Count, Flag, List, Map, Text, Time};
use Null::{Never, Nullable};
use Presence::{Optional, Required};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vendor {
    Baseten,
    Braintrust,
    Mielto,
    Datkey,
    Oneloop,
}

/// One documented member of a key object.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Member {
    /// Dotted, from the key object.
    pub(crate) path: &'static str,
    pub(crate) presence: Presence,
    pub(crate) null: Null,
    pub(crate) form: Form,
    pub(crate) fills: Fills,
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Required,
    Optional,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Null {
    Never,
    Nullable,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Time(TimeForm),
    Count,
    Flag,
    /// A list of texts, or of scopes.
    List,
    /// An object of anything.
    Map,
}

/// What a member becomes in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fills {
    Nothing,
    Whole(Field),
    /// The field is made of several members.
    Part(Field),
}

impl Fills {
    pub(crate) fn field(self) -> Option<Field> {
        match self {
            Nothing => None,
            Whole(field) | Part(field) => Some(field),
        }
    }
}

const fn row(path: &'static str, presence: Presence, null: Null, form: Form, fills: Fills) -> Member {
    Member { path, presence, null, form, fills }
}

const WHEN: Form = Time(TimeForm::Text);

const BASETEN: &[Member] = &[
    row("prefix", Required, Never, Text, Whole(Field::Display)),
    row("name", Optional, Nullable, Text, Whole(Field::Name)),
];

const BRAINTRUST: &[Member] = &[
    row("id", Required, Never, Text, Nothing),
    row("name", Required, Never, Text, Whole(Field::Name)),
    row("preview_name", Required, Never, Text, Whole(Field::Display)),
    row("created", Optional, Nullable, WHEN, Whole(Field::CreatedAt)),
    row("user_id", Optional, Nullable, Text, Whole(Field::OwnerUser)),
    row("user_email", Optional, Nullable, Text, Whole(Field::OwnerUserEmail)),
    row("user_given_name", Optional, Nullable, Text, Part(Field::OwnerUserName)),
    row("user_family_name", Optional, Nullable, Text, Part(Field::OwnerUserName)),
    row("org_id", Optional, Nullable, Text, Whole(Field::OwnerOrganization)),
];

const MIELTO: &[Member] = &[
    row("id", Optional, Never, Text, Nothing),
    row("created_at", Optional, Nullable, WHEN, Whole(Field::CreatedAt)),
    row("updated_at", Optional, Nullable, WHEN, Whole(Field::UpdatedAt)),
    row("key", Required, Never, Text, Nothing),
    row("hashed_secret", Optional, Nullable, Text, Nothing),
    row("label", Required, Never, Text, Whole(Field::Name)),
    row("status", Optional, Never, Text, Nothing),
    row("last_used_at", Optional, Nullable, WHEN, Whole(Field::LastUsedAt)),
    row("expires_at", Optional, Nullable, WHEN, Whole(Field::ExpiresAt)),
    row("permissions", Optional, Nullable, List, Whole(Field::Permissions)),
    row("ip_whitelist", Optional, Nullable, List, Whole(Field::IpAllowlist)),
    row("collections", Optional, Nullable, List, Nothing),
    row("workspace_id", Required, Never, Text, Whole(Field::OwnerWorkspace)),
    row("created_by", Optional, Nullable, Text, Whole(Field::OwnerCreator)),
    row("secret", Optional, Nullable, Text, Nothing),
];

/// The members of the schema and of the examples; no document requires one.
const DATKEY: &[Member] = &[
    row("id", Optional, Never, Text, Nothing),
    row("api_id", Optional, Never, Text, Nothing),
    row("name", Optional, Never, Text, Whole(Field::Name)),
    row("key", Optional, Never, Text, Whole(Field::Display)),
    row("prefix", Optional, Nullable, Text, Nothing),
    row("length", Optional, Never, Count, Nothing),
    row("meta", Optional, Nullable, Map, Whole(Field::Metadata)),
    row("expires_at", Optional, Nullable, Time(UnixSeconds), Whole(Field::ExpiresAt)),
    row("verification_limit", Optional, Nullable, Count, Whole(Field::LimitsMaxUses)),
    row("verifications", Optional, Never, Count, Whole(Field::LimitsUses)),
    row("created_at", Optional, Never, WHEN, Whole(Field::CreatedAt)),
    row("updated_at", Optional, Never, WHEN, Whole(Field::UpdatedAt)),
];

const ONELOOP: &[Member] = &[
    row("id", Required, Never, Text, Nothing),
    row("name", Required, Never, Text, Whole(Field::Name)),
    row("maskedKey", Required, Never, Text, Whole(Field::Display)),
    row("prefix", Required, Nullable, Text, Nothing),
    row("expiresAt", Required, Nullable, Time(UnitlessInteger), Whole(Field::ExpiresAt)),
    row("scopes", Required, Never, List, Whole(Field::Permissions)),
    row("scopes.0.id", Optional, Never, Text, Nothing),
    row("scopes.0.representation", Required, Never, Text, Part(Field::Permissions)),
    row("scopes.0.create", Required, Never, Flag, Part(Field::Permissions)),
    row("scopes.0.read", Required, Never, Flag, Part(Field::Permissions)),
    row("scopes.0.update", Required, Never, Flag, Part(Field::Permissions)),
    row("scopes.0.del", Required, Never, Flag, Part(Field::Permissions)),
    row("enabled", Required, Never, Flag, Nothing),
    row("customerId", Required, Nullable, Text, Whole(Field::OwnerCustomer)),
    row("deleted", Required, Never, Flag, Nothing),
    row("createdAt", Required, Never, WHEN, Whole(Field::CreatedAt)),
    row("updatedAt", Required, Never, WHEN, Whole(Field::UpdatedAt)),
    row("lastUsedAt", Required, Nullable, WHEN, Whole(Field::LastUsedAt)),
    row("billingId", Required, Nullable, Text, Nothing),
    row("totalUsageLeft", Optional, Nullable, Count, Nothing),
    row("limitUsage", Optional, Nullable, Flag, Nothing),
];

impl Vendor {
    pub(crate) const ALL: [Self; 5] = [Self::Baseten, Self::Braintrust, Self::Mielto, Self::Datkey, Self::Oneloop];

    pub(crate) fn info(self) -> &'static ProviderInfo {
        match self {
            Self::Baseten => keymux_baseten::provider_info(),
            Self::Braintrust => keymux_braintrust::provider_info(),
            Self::Mielto => keymux_mielto::provider_info(),
            Self::Datkey => keymux_datkey::provider_info(),
            Self::Oneloop => keymux_oneloop::provider_info(),
        }
    }

    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Baseten => "baseten",
            Self::Braintrust => "braintrust",
            Self::Mielto => "mielto",
            Self::Datkey => "datkey",
            Self::Oneloop => "oneloop",
        }
    }

    pub(crate) fn client(self, credential: &str, base_url: &str, options: ClientOptions) -> Arc<dyn ApiKeyProvider> {
        macro_rules! client {
            ($vendor:ident) => {
                Arc::new(
                    $vendor::Config::new(credential).with_base_url(base_url).with_options(options).build().unwrap(),
                )
            };
        }
        match self {
            Self::Baseten => client!(keymux_baseten),
            Self::Braintrust => client!(keymux_braintrust),
            Self::Mielto => client!(keymux_mielto),
            Self::Datkey => client!(keymux_datkey),
            Self::Oneloop => client!(keymux_oneloop),
        }
    }

    /// The path of a look-up.
    pub(crate) fn path(self, address: &KeyAddress) -> String {
        let parts: Vec<String> = address.to_string().split('/').map(str::to_owned).collect();
        match (self, parts.as_slice()) {
            (Self::Baseten, [group, prefix]) => format!("/v1/gateway/groups/{group}/api_keys/{prefix}"),
            (Self::Braintrust, [id]) => format!("/v1/api_key/{id}"),
            (Self::Mielto, [id]) => format!("/api/v1/api-keys/{id}"),
            (Self::Datkey, [id]) => format!("/keys/{id}"),
            (Self::Oneloop, [workspace, id]) => format!("/api/v1/workspace/{workspace}/api-key/{id}"),
            _ => panic!("{address} is no address of {self:?}"),
        }
    }

    pub(crate) fn members(self) -> &'static [Member] {
        match self {
            Self::Baseten => BASETEN,
            Self::Braintrust => BRAINTRUST,
            Self::Mielto => MIELTO,
            Self::Datkey => DATKEY,
            Self::Oneloop => ONELOOP,
        }
    }

    /// The members that the status follows from.
    pub(crate) fn status_members(self) -> &'static [&'static str] {
        match self {
            Self::Baseten | Self::Braintrust => &[],
            Self::Mielto => &["status", "expires_at"],
            Self::Datkey => &["expires_at", "verification_limit", "verifications"],
            Self::Oneloop => &["deleted", "enabled", "expiresAt"],
        }
    }

    /// The members that hold a key or a hash of one, in whatever answer.
    pub(crate) fn secrets(self) -> &'static [&'static str] {
        match self {
            Self::Baseten => &["api_key", "key"],
            Self::Braintrust | Self::Oneloop => &["key"],
            Self::Mielto => &["key", "secret", "hashed_secret"],
            Self::Datkey => &["key", "api_key"],
        }
    }

    /// The member that the key object is in, where a document shows it wrapped.
    pub(crate) fn wrapper(self) -> Option<&'static str> {
        match self {
            Self::Baseten | Self::Braintrust | Self::Mielto => None,
            Self::Datkey => Some("key"),
            Self::Oneloop => Some("apiKey"),
        }
    }
}

/// What the vendor's client makes of `body`, with the raw JSON, in June 2025.
pub(crate) fn read(vendor: Vendor, address: &KeyAddress, body: impl Into<Bytes>) -> Result<KeyRecord, Error> {
    let reply = Reply { status: 200, headers: Vec::new(), body: body.into() };
    let client = vendor.client("credential", "https://vendor.example", reply.options().with_raw(true));
    now(client.get(address))
}

/// The output of a future that waits for nothing.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("nothing to wait for")
}

/// A vendor that always answers the same. It does not print its body: what holds a transport prints it.
#[derive(Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Reply {
    pub(crate) fn options(self) -> ClientOptions {
        crate::support::regardless()
            .with_transport(Arc::new(self))
            .with_clock(Arc::new(June))
            .with_retry(RetryPolicy::never())
    }
}

#[async_trait]
impl Transport for Reply {
    async fn execute(&self, _request: Request, exchange: &Exchange) -> Result<Response, TransportError> {
        let mut response = Response::new(self.body.clone());
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap();
        *response.headers_mut() = self
            .headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::try_from(value).unwrap()))
            .collect::<HeaderMap>();
        exchange.head_received(response.status(), response.headers());
        Ok(response)
    }
}

/// A clock that stands still on 1 June 2025, before the expiry in the examples; its waits are over at once.
#[derive(Debug)]
pub(crate) struct June;

impl Clock for June {
    fn instant(&self) -> Instant {
        Instant::now()
    }

    fn timestamp(&self) -> jiff::Timestamp {
        "2025-06-01T00:00:00Z".parse().unwrap()
    }

    fn sleep(&self, _duration: Duration) -> Sleep {
        Box::pin(std::future::ready(()))
    }

    fn time_limit(&self, duration: Duration) -> Sleep {
        // The timer is made where it is waited for: there need not be a runtime otherwise.
        Box::pin(async move { tokio::time::sleep(duration).await })
    }
}

/// Every field of a record with its state and its JSON.
pub(crate) fn facts(record: &KeyRecord) -> BTreeMap<Field, (FactState, Value)> {
    let json = serde_json::to_value(record).unwrap();
    let value = |field: Field| json.pointer(&format!("/{}", field.as_str().replace('.', "/"))).unwrap().clone();
    Field::ALL.iter().map(|&field| (field, (record.coverage(field), value(field)))).collect()
}

/// Collects what is wrong in a table, so that a failing test shows more than its first row.
#[derive(Debug, Default)]
pub(crate) struct Wrong(Vec<String>);

impl Wrong {
    pub(crate) fn unless(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.0.push(what());
        }
    }

    #[track_caller]
    pub(crate) fn assert_none(self) {
        let shown: Vec<String> = self.0.iter().take(24).map(|line| line.chars().take(320).collect()).collect();
        assert!(self.0.is_empty(), "{} wrong, such as:\n{}", self.0.len(), shown.join("\n"));
    }
}
