//! Mielto as one of many: its model turned into the record that all vendors share.

use std::fmt;
use std::sync::LazyLock;

use async_trait::async_trait;
use jiff::Timestamp;
use keymux_core::{
    About, ApiKeyProvider, Basis, Capabilities, Change, Cursor, Decoded, DriftKind, DriftNotes, Error, ErrorKind, Fact,
    Field, Grade, IssuedKey, KeyAddress, KeyKind, KeyPatch, KeyRecord, KeyState, Likeness, NewKey, Operation, Page,
    Parameter, ParameterSupport, Permission, ProviderInfo, RateLimiterState, Revoked, Scope, Status, TimeForm, Untold,
    resolve_time,
};
use serde_json::Value;

use crate::client::{Client, FIND_OUT, ID, without_plaintext};
use crate::wire::{ApiKey, ApiKeyId, ApiKeyUpdate, KeyStatus, ListApiKeys, NewApiKey, PageInfo};

static INFO: LazyLock<ProviderInfo> = LazyLock::new(|| {
    ProviderInfo::new(ID, "Mielto", ["api_key_id"])
        .with_fields([
            Field::Name,
            Field::CreatedAt,
            Field::UpdatedAt,
            Field::LastUsedAt,
            Field::ExpiresAt,
            Field::OwnerWorkspace,
            Field::OwnerCreator,
            Field::Permissions,
            Field::IpAllowlist,
        ])
        .with_capabilities(capabilities())
});

/// The setting that only Mielto has: the collections that a key may use.
const COLLECTIONS: &str = "collections";

/// How many keys a page is asked for: the documented maximum.
const PAGE_SIZE: u32 = 1000;

fn capabilities() -> Capabilities {
    use Operation::{Create, Get, ListPage, Register, Revoke, Rotate, ScopesPage, Update, Verify};
    use ParameterSupport::{Optional, Required, SetOnly};
    let limits =
        [(Parameter::ExpiresAt, Optional), (Parameter::Permissions, Optional), (Parameter::IpAllowlist, Optional)];
    Capabilities::default()
        .with_native([Get, ListPage, Create])
        .with_native_from(Grade::ClientCode, [Update, Revoke])
        .with_not_listed(
            "the keys of other workspaces, where the credential reaches several; give each an account of its own with \
             `workspace_id`",
        )
        .with_see(About::NotListed, "keymux_mielto::Config::with_workspace_id")
        .with_unsupported(
            ScopesPage,
            "the workspace is the credential's, or that of the account's `workspace_id`; list its keys",
        )
        .with_see(About::Operation(ScopesPage), "keymux_mielto::Config::with_workspace_id")
        .with_unsupported(Register, "Mielto makes every plaintext itself; create a key")
        .with_emulated(Rotate, "create a key with the same settings, then revoke this one; both work in between")
        .with_unsupported(Verify, "look the key up by its id: the record's status tells whether it is switched on")
        .with_parameters(Create, [(Parameter::Name, Required), (Parameter::Enabled, Optional)])
        .with_parameters(Create, limits)
        .with_settings(Create, [COLLECTIONS])
        .with_parameters(Update, [(Parameter::Name, SetOnly), (Parameter::Enabled, SetOnly)])
        .with_parameters(Update, limits)
}

/// What Mielto is and can say; no client is needed to ask.
#[must_use]
pub fn provider_info() -> &'static ProviderInfo {
    &INFO
}

#[async_trait]
impl ApiKeyProvider for Client {
    fn info(&self) -> &ProviderInfo {
        &INFO
    }

    async fn get(&self, address: &KeyAddress) -> Result<KeyRecord, Error> {
        let id: ApiKeyId = address.one(&ID)?;
        let decoded = self.fetch_api_key(&id).await?;
        Ok(record(address.clone(), Some(&id), decoded, self.now()))
    }

    /// The cursor is how many keys come before the page, with what is needed to see that the list moved or that the
    /// server does not look at it.
    ///
    /// - If there are fewer keys in all than on the page before, keys have gone, and those behind them have moved up: the
    ///   page begins as many rows sooner, so that none is passed over.
    /// - A page that begins as the one before is [cut short](Page::cut_short): the server gives the same for ever.
    /// - An empty page that says there is more is [`ErrorKind::Decode`].
    async fn list_page(&self, scope: &Scope, cursor: Option<&Cursor>) -> Result<Page<KeyRecord>, Error> {
        scope.none(&INFO)?;
        let place = cursor.map_or(Some(Place::default()), |cursor| Place::read(cursor.as_str()));
        let place = place.ok_or_else(|| invalid("list_page", "the cursor is not one of Mielto's: a number of keys"))?;
        let part = |skip| ListApiKeys { skip: Some(skip), limit: Some(PAGE_SIZE) };
        let (mut answer, mut page) = self.fetch_api_keys(part(place.skip)).await?;
        let mut begin = place.skip;
        let gone = place.gone(&page.rest);
        if gone > 0 {
            begin = place.skip.saturating_sub(gone);
            (answer, page) = self.fetch_api_keys(part(begin)).await?;
        }
        let received = page.rows.len() + page.unread.len();
        if received == 0 && says_more(begin, &page.rest) {
            return Err(answer.undecodable("the page says that there is more, and has no rows"));
        }
        let first = page.rows.first().and_then(|row| row.value.id.known()).map(|id| hash(id.as_str()));
        let same = gone == 0 && place.skip > 0 && first.is_some() && first == place.first;
        let mut notes = DriftNotes::of(page.drift.clone());
        notes.required("total_count", &page.rest.total_count);
        let next = next_skip(begin, received, &page.rest).map(|skip| {
            let total = page.rest.total_count.known().copied();
            // Rows that were read already are not where the list goes on.
            Place { skip: skip.max(place.skip), total, first }
        });
        let page = page.without(|row| row.value.id.known().is_none().then(|| without_id(row)));
        let unreadable = answer.unread_rows("data", &page.unread);
        let cut_short = same.then(|| {
            answer.undecodable(
                "the page begins as the one before it did: the server does not look at where a page is to begin, and \
                 what comes behind cannot be reached",
            )
        });
        let next = next.filter(|_| !same).map(|place| Cursor::new(place.to_string()));
        let listed = Page::new(page.rows, next, notes.into_drift());
        Ok(listed.with_unreadable(unreadable).with_cut_short(cut_short).try_map(|row| {
            let Fact::Known(id) = row.value.id.clone() else { return Err(answer.undecodable(&without_id(&row))) };
            Ok(record(KeyAddress::new([id.as_str()])?, Some(&id), row, self.now()))
        }))
    }

    /// Asks for one key.
    async fn check(&self) -> Result<(), Error> {
        self.fetch_api_keys(ListApiKeys { skip: None, limit: Some(1) }).await?;
        Ok(())
    }

    /// The issued plaintext is Mielto's `secret` if it gives one, else its `key`: [`IssuedKey::member`] says which.
    async fn create(&self, key: &NewKey) -> Result<IssuedKey, Error> {
        key.check(&INFO, Operation::Create)?;
        let new = NewApiKey {
            label: key.name.clone().unwrap_or_default(),
            status: key.enabled.map(switched),
            expires_at: key.expires_at,
            permissions: key.permissions.as_deref().map(|names| permissions("create", names)).transpose()?,
            ip_whitelist: key.ip_allowlist.clone(),
            collections: key.settings.get(COLLECTIONS).map(collections).transpose()?,
        };
        let (answer, decoded) = self.issue_api_key(&new).await?;
        let mut model = decoded.value.clone();
        let (plaintext, member) = model.take_plaintext().ok_or_else(|| without_plaintext(&answer))?;
        let confirmed = new.collections.is_none() || new.collections.as_ref() == model.collections.known();
        // Made of the whole answer: a plaintext that was taken out would be noted as absent.
        let draft = |address, decoded| record(address, model.id.known(), decoded, self.now());
        let issued = match model.id.known() {
            Some(id) => {
                let record = draft(KeyAddress::new([id.as_str()])?, decoded);
                IssuedKey::new(record.with_native(model), plaintext).asked(key)
            }
            None => IssuedKey::without_address(plaintext, FIND_OUT, key, |address| draft(address, decoded)),
        };
        let issued = issued.with_member(member);
        Ok(if confirmed { issued } else { issued.with_unconfirmed_setting(COLLECTIONS) })
    }

    /// The collections are those of Mielto's own model.
    fn new_key_like(&self, record: &KeyRecord) -> Result<Likeness, Error> {
        let mut like = Likeness::of(record, &INFO)?;
        match record.native::<ApiKey>().map(|key| &key.collections) {
            Some(Fact::Known(ids)) => like.key = like.key.with_setting(COLLECTIONS, ids.clone()),
            Some(Fact::Empty) => {}
            _ => {
                let reason = "without them a key may use every collection, and they are not told";
                like = like.with_untold(Untold::widening(COLLECTIONS, reason));
            }
        }
        Ok(like)
    }

    async fn update(&self, address: &KeyAddress, patch: &KeyPatch) -> Result<KeyRecord, Error> {
        patch.check(&INFO)?;
        let id: ApiKeyId = address.one(&ID)?;
        let update = ApiKeyUpdate {
            label: patch.name.clone(),
            status: patch.enabled.map(switched),
            expires_at: patch.expires_at,
            permissions: match &patch.permissions {
                Change::Leave => Change::Leave,
                Change::Clear => Change::Clear,
                Change::Set(names) => Change::Set(permissions("update", names)?),
            },
            ip_whitelist: patch.ip_allowlist.clone(),
            collections: Change::Leave,
        };
        let decoded = self.put_api_key(&id, &update).await?;
        Ok(record(address.clone(), Some(&id), decoded, self.now()))
    }

    async fn revoke(&self, address: &KeyAddress) -> Result<Revoked, Error> {
        let id: ApiKeyId = address.one(&ID)?;
        let by_this_attempt = self.remove_api_key(&id).await?;
        Ok(if by_this_attempt { Revoked::new(None) } else { Revoked::by_earlier_attempt() })
    }

    fn rate_limiter_state(&self, operation: Operation) -> RateLimiterState {
        self.pipeline.rate_limiter_state(match operation {
            Operation::Get => "get_api_key",
            Operation::ListPage => "list_api_keys",
            Operation::Create => "create_api_key",
            Operation::Update => "update_api_key",
            Operation::Revoke => "delete_api_key",
            other => other.as_str(),
        })
    }
}

/// Where a page begins, and what was seen on the page before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Place {
    /// How many keys come before it.
    skip: u64,
    /// How many keys there were in all.
    total: Option<u64>,
    /// Which key the page before began with, as a hash of its id.
    first: Option<u64>,
}

impl Place {
    /// Reads what [`fmt::Display`] writes; a number alone is a place, too.
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let skip = parts.next()?.parse().ok()?;
        let mut part = |radix| match parts.next() {
            None | Some("") => Some(None),
            Some(number) => u64::from_str_radix(number, radix).ok().map(Some),
        };
        let (total, first) = (part(10)?, part(16)?);
        parts.next().is_none().then_some(Self { skip, total, first })
    }

    /// How many keys fewer there are in all than on the page before.
    fn gone(&self, info: &PageInfo) -> u64 {
        match (self.total, info.total_count.known()) {
            (Some(before), Some(now)) => before.saturating_sub(*now),
            _ => 0,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.skip)?;
        if self.total.is_some() || self.first.is_some() {
            let total = self.total.map(|total| total.to_string()).unwrap_or_default();
            let first = self.first.map(|first| format!("{first:x}")).unwrap_or_default();
            write!(f, ":{total}:{first}")?;
        }
        Ok(())
    }
}

/// A hash of an id, the same in every build and on every machine (FNV-1a).
fn hash(id: &str) -> u64 {
    id.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Why a row has no address.
fn without_id(row: &Decoded<ApiKey>) -> String {
    let note = row.drift.iter().find(|note| note.path == "id").map(|note| &note.kind);
    let what = match (note, &row.value.id) {
        (Some(DriftKind::UnknownValue(value)), _) if value.is_empty() => "is empty",
        (Some(DriftKind::UnknownValue(_)), _) => "has a value that is not documented",
        (Some(DriftKind::Repeated), _) => "stands twice, with different values",
        (Some(_), _) => "has another type than documented",
        (None, Fact::Empty) => "is null",
        (None, _) => "is not there",
    };
    format!("its `id`, by which the key is found again, {what}")
}

/// Where a list goes on behind `received` rows. Mielto has several signs that there is more, and promises `total_count`
/// alone; where they contradict each other, the one that says so is followed.
fn next_skip(skip: u64, received: usize, info: &PageInfo) -> Option<u64> {
    let next = skip.saturating_add(u64::try_from(received).ok()?);
    let untold = info.has_more.known().is_none() && info.total_count.known().is_none();
    (received > 0 && (untold || says_more(next, info))).then_some(next)
}

/// Whether a page says that there are keys behind the first `before` of them.
fn says_more(before: u64, info: &PageInfo) -> bool {
    info.has_more == Fact::Known(true)
        || info.total_count.known().is_some_and(|total| *total > before)
        || info.next_page.known().is_some()
        || info.next_cursor.known().is_some_and(|cursor| !cursor.is_empty())
}

fn invalid(operation: &'static str, reason: &str) -> Error {
    Error::new(ErrorKind::InvalidRequest).with_provider(ID).with_operation(operation).with_message(reason)
}

fn switched(on: bool) -> KeyStatus {
    if on { KeyStatus::Active } else { KeyStatus::Inactive }
}

/// The ids of collections, as a list of texts.
fn collections(setting: &Value) -> Result<Vec<String>, Error> {
    let wrong = || invalid("create", "`collections` is not a list of ids");
    let ids = setting.as_array().ok_or_else(wrong)?.iter();
    ids.map(|id| id.as_str().map(str::to_owned)).collect::<Option<_>>().ok_or_else(wrong)
}

/// Permissions as Mielto takes them: names alone.
fn permissions(operation: &'static str, permissions: &[Permission]) -> Result<Vec<String>, Error> {
    if permissions.iter().any(|permission| permission.actions.is_some()) {
        return Err(invalid(operation, "one of `permissions` has actions; Mielto's are names alone")
            .with_parameter(Parameter::Permissions));
    }
    Ok(permissions.iter().map(|permission| permission.name.clone()).collect())
}

/// The record of a key. `id` is the one that was asked for, or that the answer tells.
fn record(address: KeyAddress, id: Option<&ApiKeyId>, decoded: Decoded<ApiKey>, now: Timestamp) -> KeyRecord {
    let Decoded { value: key, drift, raw, .. } = decoded;
    let mut notes = DriftNotes::of(drift);
    if key.id.known().zip(id).is_some_and(|(answered, id)| answered != id) {
        notes.add("id", DriftKind::IdentityMismatch);
    }
    notes.not_null("id", &key.id);
    notes.required("key", &key.key);
    notes.required("label", &key.label);
    notes.required("workspace_id", &key.workspace_id);
    notes.not_null("status", &key.status);
    let mut time = |fact, path| resolve_time(fact, path, TimeForm::Text, &mut notes);
    let mut record = KeyRecord::new(&INFO, address, KeyKind::API_KEY);
    record.name = key.label.clone();
    record.created_at = time(&key.created_at, "created_at");
    record.updated_at = time(&key.updated_at, "updated_at");
    record.last_used_at = time(&key.last_used_at, "last_used_at");
    record.expires_at = time(&key.expires_at, "expires_at");
    record.status = status(&key.status, &record.expires_at, now, &mut notes);
    record.owner.workspace = key.workspace_id.clone();
    record.owner.creator = key.created_by.clone();
    let permission = |name: &String| Permission { name: name.clone(), actions: None };
    record.permissions = key.permissions.as_ref().map(|names| names.iter().map(permission).collect());
    record.ip_allowlist = key.ip_whitelist.clone();
    record.of_answer(notes, raw, key)
}

/// Mielto states whether a key is switched on; that it does not work beyond its expiry follows.
///
/// An expiry that is there and cannot be read leaves open whether its time is over. A value that stands for no instant
/// (0, the year 1) overrules no stated status.
fn status(stated: &Fact<KeyStatus>, expires_at: &Fact<Timestamp>, now: Timestamp, notes: &mut DriftNotes) -> Status {
    let expired = expires_at.known().is_some_and(|end| *end <= now);
    let unknown = Status { state: KeyState::Unknown, basis: Basis::None };
    let untold = || {
        let rule = "the key is not switched off, and its expiry cannot be read";
        Status::derived(KeyState::Unknown, &["status", "expires_at"], rule)
    };
    match stated {
        // It was there, and was no text, or two: the default does not stand in for it.
        Fact::Missing if notes.was_dropped("status") => unknown,
        Fact::Known(KeyStatus::Inactive) => Status::stated(KeyState::Disabled, "status"),
        Fact::Known(KeyStatus::Other(text)) => {
            notes.unknown_value("status", text);
            Status::stated(KeyState::Unknown, "status")
        }
        Fact::Known(KeyStatus::Active) | Fact::Missing if expired => Status::derived(
            KeyState::Expired,
            &["status", "expires_at"],
            "the key is not switched off, and its time is over",
        ),
        Fact::Known(KeyStatus::Active) | Fact::Missing if notes.is_unreadable("expires_at") => untold(),
        Fact::Known(KeyStatus::Active) => Status::stated(KeyState::Active, "status"),
        Fact::Missing if expires_at.is_missing() && notes.is_odd("expires_at") => untold(),
        Fact::Missing => {
            Status::derived(KeyState::Active, &["status"], "an absent status has the documented default, `active`")
        }
        Fact::Empty | Fact::Unsupported => unknown,
    }
}
