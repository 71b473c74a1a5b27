//! Datkey as one of many: its model turned into the record that all vendors share.

use std::sync::LazyLock;

use async_trait::async_trait;
use jiff::Timestamp;
use keymux_core::{
    ApiKeyProvider, Capabilities, Change, Decoded, DriftKind, DriftNotes, Error, ErrorKind, Fact, Field, Grade,
    IssuedKey, KeyAddress, KeyKind, KeyPatch, KeyRecord, KeyState, Likeness, Limits, NewKey, Operation, Parameter,
    ParameterSupport, ProviderInfo, RateLimiterState, Refusal, Revoked, Scope, SecretString, Status, TimeForm, Verdict,
    VerifyRequest, resolve_time,
};
use serde_json::Value;

use crate::client::{Client, FIND_OUT, ID, NoSuchKey, Removed};
use crate::wire::{ApiId, CreateKey, Key, KeyId, KeyText, Outcome, UpdateKey, VerificationStatus};

static INFO: LazyLock<ProviderInfo> = LazyLock::new(|| {
    ProviderInfo::new(ID, "Datkey", ["id"])
        .with_fields([
            Field::Name,
            Field::Display,
            Field::CreatedAt,
            Field::UpdatedAt,
            Field::ExpiresAt,
            Field::LimitsMaxUses,
            Field::LimitsUses,
            Field::Metadata,
        ])
        .with_capabilities(capabilities())
});

/// The setting that only Datkey has: how long a key is.
const LENGTH: &str = "length";

fn capabilities() -> Capabilities {
    use Operation::{Create, Get, ListPage, Register, Revoke, Rotate, ScopesPage, Update, Verify};
    use ParameterSupport::{Optional, Required, SetOnly};
    Capabilities::default()
        .with_native([Get, Create, Update, Verify])
        .with_native_from(Grade::ClientCode, [Revoke])
        .with_unsupported(ListPage, "Datkey documents no list; keep the ids of the keys")
        .with_unsupported(ScopesPage, "Datkey documents no list of APIs; its dashboard shows their ids")
        .with_unsupported(Register, "Datkey makes every key itself; create one")
        .with_emulated(
            Rotate,
            "create a key, then revoke this one; both work in between, and the answer may leave out the API that it is for",
        )
        .with_settings(Create, [LENGTH])
        .with_parameters(
            Create,
            [
                (Parameter::Scope, Required),
                (Parameter::Name, Required),
                (Parameter::Prefix, Optional),
                (Parameter::ExpiresAt, Optional),
                (Parameter::MaxUses, Optional),
                (Parameter::Metadata, Optional),
            ],
        )
        .with_parameters(Update, [(Parameter::ExpiresAt, SetOnly), (Parameter::MaxUses, SetOnly)])
        .with_parameters(Verify, [(Parameter::Scope, Required)])
}

/// What Datkey is and can say; no client is needed to ask.
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
        let id: KeyId = address.one(&ID)?;
        let decoded = self.fetch_key(&id).await?;
        Ok(record(address.clone(), Some(&id), decoded, self.now()))
    }

    /// Looks up a key that cannot be: an answer that knows no such key is one to a credential that works. Of the reads
    /// that Datkey documents there is no other.
    async fn check(&self) -> Result<(), Error> {
        match self.fetch_key(&KeyId::new("keymux-check")?).await {
            Ok(_) => Ok(()),
            Err(error) => match Error::from(error) {
                error if error.detail::<NoSuchKey>().is_some() => Ok(()),
                error if error.kind() == ErrorKind::NotFound => {
                    let said = error.message().unwrap_or("nothing").to_owned();
                    Err(error.with_message(format!(
                        "a key that cannot exist was asked for, and the answer does not say that it is the key that is not \
                         there (it says: {said}); is the base URL right?"
                    )))
                }
                error => Err(error),
            },
        }
    }

    /// An answer without the key's id, which the documentation's schema lacks and its examples have, leaves the address
    /// unknown.
    async fn create(&self, key: &NewKey) -> Result<IssuedKey, Error> {
        key.check(&INFO, Operation::Create)?;
        let new = CreateKey {
            prefix: key.prefix.clone(),
            length: key.settings.get(LENGTH).map(length).transpose()?,
            meta: key.metadata.clone(),
            expires_at: key.expires_at.map(Timestamp::as_second),
            verification_limit: key.max_uses,
            ..CreateKey::new(key.scope.one(&INFO)?, key.name.clone().unwrap_or_default())
        };
        let (decoded, plaintext) = self.issue_key(&new).await?;
        let unconfirmed =
            new.length.zip(decoded.value.length.known()).is_some_and(|(asked, told)| u64::from(asked) != *told);
        let issued = match decoded.value.id.known().cloned() {
            Some(id) => {
                let record = record(KeyAddress::new([id.as_str()])?, Some(&id), decoded, self.now());
                IssuedKey::new(record, plaintext).asked(key)
            }
            None => IssuedKey::without_address(plaintext, FIND_OUT, key, |address| {
                record(address, None, decoded, self.now())
            }),
        };
        Ok(if unconfirmed { issued.with_unconfirmed_setting(LENGTH) } else { issued })
    }

    /// The API, the prefix and the length are those of Datkey's own model, which need not tell the API.
    fn new_key_like(&self, record: &KeyRecord) -> Result<Likeness, Error> {
        let mut like = Likeness::of(record, &INFO)?;
        let Some(key) = record.native::<Key>() else { return Ok(like) };
        if let Some(api) = key.api_id.known() {
            like.key.scope = Scope::new([api.as_str()])?;
            like = like.told(Parameter::Scope.as_str());
        }
        if !key.prefix.is_missing() {
            like.key.prefix = key.prefix.known().filter(|prefix| !prefix.is_empty()).cloned();
            like = like.told(Parameter::Prefix.as_str());
        }
        if let Some(length) = key.length.known() {
            like.key = like.key.with_setting(LENGTH, *length);
        }
        Ok(like)
    }

    async fn update(&self, address: &KeyAddress, patch: &KeyPatch) -> Result<KeyRecord, Error> {
        patch.check(&INFO)?;
        let id: KeyId = address.one(&ID)?;
        let update = UpdateKey {
            expires_at: set(patch.expires_at).map(Timestamp::as_second),
            verification_limit: set(patch.max_uses),
        };
        let decoded = self.put_key(&id, &update).await?;
        Ok(record(address.clone(), Some(&id), decoded, self.now()))
    }

    /// The scope is the key's API. A 404 is a refusal if Datkey says that the key is not found; else it may be the
    /// base URL that is wrong, and nothing is told about the key.
    async fn verify(&self, plaintext: &SecretString, request: &VerifyRequest) -> Result<Verdict, Error> {
        request.check(&INFO)?;
        let api: ApiId = request.scope.one(&INFO)?;
        let result = self.judge_key(&api, plaintext).await.map_err(Error::from);
        if result.as_ref().is_err_and(|error| error.detail::<NoSuchKey>().is_some()) {
            return Ok(Verdict::Refused { reason: Refusal::NoSuchKey, record: None });
        }
        Verdict::of_call(result, |(outcome, decoded)| self.verdict(&outcome, decoded))
    }

    async fn revoke(&self, address: &KeyAddress) -> Result<Revoked, Error> {
        Ok(match self.delete_key(&address.one(&ID)?).await? {
            Removed::Told(_) => Revoked::new(None),
            Removed::ByLostAttempt => Revoked::by_earlier_attempt(),
        })
    }

    fn rate_limiter_state(&self, operation: Operation) -> RateLimiterState {
        self.pipeline.rate_limiter_state(match operation {
            Operation::Get => "get_key",
            Operation::Create => "create_key",
            Operation::Update => "update_key",
            Operation::Verify => "verify_key",
            Operation::Revoke => "revoke_key",
            other => other.as_str(),
        })
    }
}

impl Client {
    /// `valid` decides; the status is the reason. There is a record if the answer tells the key's id. A key that is called
    /// valid and has a status that says why it is not is neither: nothing is told about it.
    fn verdict(&self, outcome: &Outcome, decoded: Decoded<Key>) -> Verdict {
        let id = decoded.value.id.known().cloned();
        let address = id.and_then(|id| Some((KeyAddress::new([id.as_str()]).ok()?, id)));
        let record = address.map(|(address, id)| Box::new(record(address, Some(&id), decoded, self.now())));
        let reason = match outcome.status {
            Fact::Known(VerificationStatus::Expired) => Some(Refusal::Expired),
            Fact::Known(VerificationStatus::UsageExceeded) => Some(Refusal::UsageExceeded),
            _ => None,
        };
        match (outcome.valid, reason) {
            (true, None) => Verdict::Valid { record },
            (true, Some(reason)) => Verdict::Inconclusive(
                Error::new(ErrorKind::Decode)
                    .with_provider(ID)
                    .with_operation("verify_key")
                    .with_attempts(1)
                    .with_repeatable(false)
                    .with_message(format!("the answer calls the key valid and says that it is not ({reason})")),
            ),
            (false, reason) => Verdict::Refused { reason: reason.unwrap_or(Refusal::Unknown), record },
        }
    }
}

/// The length of a key's random part.
fn length(setting: &Value) -> Result<u16, Error> {
    let length = setting.as_u64().and_then(|length| u16::try_from(length).ok());
    length.ok_or_else(|| {
        let error = Error::new(ErrorKind::InvalidRequest).with_provider(ID).with_operation("create");
        error.with_message("`length` is not a number from 16 to 255")
    })
}

fn set<T>(change: Change<T>) -> Option<T> {
    match change {
        Change::Set(value) => Some(value),
        Change::Leave | Change::Clear => None,
    }
}

/// The record of a key. `id` is the one that was asked for, or that the answer tells.
fn record(address: KeyAddress, id: Option<&KeyId>, decoded: Decoded<Key>, now: Timestamp) -> KeyRecord {
    let Decoded { value: key, drift, raw, .. } = decoded;
    let mut notes = DriftNotes::of(drift);
    if key.id.known().zip(id).is_some_and(|(answered, id)| answered != id) {
        notes.add("id", DriftKind::IdentityMismatch);
    }
    note_nulls(&key, &mut notes);
    let mut record = KeyRecord::new(&INFO, address, KeyKind::API_KEY);
    record.name = key.name.clone();
    record.display = display(&key.key, &mut notes);
    record.created_at = resolve_time(&key.created_at, "created_at", TimeForm::Text, &mut notes);
    record.updated_at = resolve_time(&key.updated_at, "updated_at", TimeForm::Text, &mut notes);
    record.expires_at = resolve_time(&key.expires_at, "expires_at", TimeForm::UnixSeconds, &mut notes);
    record.limits.max_uses = key.verification_limit;
    record.limits.uses = key.verifications;
    record.status = status(&record.expires_at, &record.limits, now);
    record.metadata = key.meta.clone();
    record.of_answer(notes, raw, key)
}

/// The documents name a null, or show one, in four members alone: `prefix`, `meta`, `expires_at`,
/// `verification_limit`.
fn note_nulls(key: &Key, notes: &mut DriftNotes) {
    notes.not_null("id", &key.id);
    notes.not_null("api_id", &key.api_id);
    notes.not_null("name", &key.name);
    notes.not_null("key", &key.key);
    notes.not_null("length", &key.length);
    notes.not_null("verifications", &key.verifications);
    notes.not_null("created_at", &key.created_at);
    notes.not_null("updated_at", &key.updated_at);
}

/// The masked text; what does not look masked is not shown.
fn display(text: &Fact<KeyText>, notes: &mut DriftNotes) -> Fact<String> {
    text.as_ref().and_then(|text| match text {
        KeyText::Masked(masked) => Fact::Known(masked.clone()),
        KeyText::Unmasked(_) => {
            notes.add("key", DriftKind::NotMasked);
            Fact::Missing
        }
    })
}

/// Datkey has no status: a key works while its time is not over and its verifications are not used up. It is unknown
/// where either cannot be told.
fn status(expires_at: &Fact<Timestamp>, limits: &Limits, now: Timestamp) -> Status {
    const FROM: &[&str] = &["expires_at", "verification_limit", "verifications"];
    if expires_at.known().is_some_and(|end| *end <= now) {
        return Status::derived(KeyState::Expired, &["expires_at"], "the time of expiry is over");
    }
    let exhausted = match (&limits.max_uses, &limits.uses) {
        (Fact::Known(max), Fact::Known(uses)) => Some(uses >= max),
        (Fact::Empty, _) => Some(false),
        _ => None,
    };
    match exhausted {
        Some(true) => Status::derived(
            KeyState::Exhausted,
            &["verification_limit", "verifications"],
            "all verifications are used up",
        ),
        Some(false) if !expires_at.is_missing() => {
            Status::derived(KeyState::Active, FROM, "neither is the time over nor are the verifications used up")
        }
        _ => Status::derived(KeyState::Unknown, FROM, "the answer lacks what the status follows from"),
    }
}
