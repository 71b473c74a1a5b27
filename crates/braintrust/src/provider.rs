//! Braintrust as one of many: its model turned into the record that all vendors share.

use std::sync::LazyLock;

use async_trait::async_trait;
use keymux_core::{
    About, ApiKeyProvider, Capabilities, Cursor, Decoded, DriftKind, DriftNotes, Error, Fact, Field, KeyAddress,
    KeyKind, KeyRecord, Operation, Page, ProviderInfo, RateLimiterState, Revoked, Scope, TimeForm, resolve_time,
};

use crate::client::{Client, ID};
use crate::wire::{ApiKey, ApiKeyId};

static INFO: LazyLock<ProviderInfo> = LazyLock::new(|| {
    ProviderInfo::new(ID, "Braintrust", ["api_key_id"])
        .with_fields([
            Field::Name,
            Field::Display,
            Field::CreatedAt,
            Field::OwnerUser,
            Field::OwnerUserName,
            Field::OwnerUserEmail,
            Field::OwnerOrganization,
        ])
        .with_capabilities(capabilities())
});

/// How many keys a page is asked for. The default is not documented.
const PAGE_SIZE: usize = 100;

fn capabilities() -> Capabilities {
    use Operation::{Create, Get, ListPage, Register, Revoke, Rotate, ScopesPage, Update, Verify};
    Capabilities::default()
        .with_native([Get, ListPage, Revoke])
        .with_narrower_list(
            "Braintrust lists the caller's own keys alone, whatever the caller's role; all keys of the organization are \
             in its settings; those of one user are listed by an account with `impersonated_user`",
        )
        .with_see(About::NarrowerList, "keymux_braintrust::Config::with_impersonated_user")
        .with_not_listed("service tokens")
        .with_see(About::NotListed, "keymux_braintrust::Client::list_service_tokens")
        .with_unsupported(
            ScopesPage,
            "the account itself is the one scope; list its keys",
        )
        .with_unsupported(
            Create,
            "Braintrust withdrew it, and refuses to let a key make keys; make one in its settings under API keys",
        )
        .with_see(About::Operation(Create), "keymux_braintrust::Client::create_service_token, for a service token")
        .with_unsupported(Register, "Braintrust makes every plaintext itself, in its settings under API keys")
        .with_unsupported(
            Update,
            "nothing of a key can be changed; make another in Braintrust's settings and revoke this one",
        )
        .with_unsupported(Rotate, "make another key in Braintrust's settings under API keys, then revoke this one")
        .with_unsupported(
            Verify,
            "list keys with the key as the credential; Braintrust answers 401 to one that is not valid",
        )
}

/// What Braintrust is and can say; no client is needed to ask.
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
        Ok(record(address.clone(), &id, decoded))
    }

    /// The keys of the caller, or of the impersonated user. An empty page is the last one: a short page may be all that
    /// Braintrust gives at once, since the largest page is not documented. The next page begins behind the last row that could be read.
    async fn list_page(&self, scope: &Scope, cursor: Option<&Cursor>) -> Result<Page<KeyRecord>, Error> {
        scope.none(&INFO)?;
        let (page, unreadable) = self.fetch_api_keys(PAGE_SIZE, cursor.map(Cursor::as_str)).await?;
        let next = page.rows.last().map(|row| Cursor::new(row.value.id.as_str()));
        let reason = "no row of the page can be read, so that nothing tells where the next page begins";
        let stuck = unreadable.first().filter(|_| next.is_none()).cloned().map(|error| error.with_message(reason));
        let page = Page::new(page.rows, next, page.drift).with_unreadable(unreadable).with_cut_short(stuck);
        Ok(page.try_map(|row| {
            let id = row.value.id.clone();
            Ok(record(KeyAddress::new([id.as_str()])?, &id, row))
        }))
    }

    /// Asks for one key.
    async fn check(&self) -> Result<(), Error> {
        self.fetch_api_keys(1, None).await?;
        Ok(())
    }

    /// Braintrust says the same of a key that is gone and of one that may not be deleted, so that after a lost answer
    /// such a refusal leaves the outcome unknown.
    async fn revoke(&self, address: &KeyAddress) -> Result<Revoked, Error> {
        let id: ApiKeyId = address.one(&ID)?;
        let removed = self.remove_api_key(&id).await?;
        if removed.by_earlier_attempt {
            return Ok(Revoked::by_earlier_attempt());
        }
        Ok(Revoked::new(removed.told.map(|decoded| record(address.clone(), &id, decoded))))
    }

    fn rate_limiter_state(&self, operation: Operation) -> RateLimiterState {
        self.pipeline.rate_limiter_state(match operation {
            Operation::Get => "get_api_key",
            Operation::ListPage => "list_api_keys",
            Operation::Revoke => "delete_api_key",
            other => other.as_str(),
        })
    }
}

fn record(address: KeyAddress, id: &ApiKeyId, decoded: Decoded<ApiKey>) -> KeyRecord {
    let Decoded { value: key, drift, raw, .. } = decoded;
    let mut notes = DriftNotes::of(drift);
    if !key.id.as_str().eq_ignore_ascii_case(id.as_str()) {
        notes.add("id", DriftKind::IdentityMismatch);
    }
    notes.required("name", &key.name);
    notes.required("preview_name", &key.preview_name);
    // No field says whether the key works, so that the status stays unknown.
    let mut record = KeyRecord::new(&INFO, address, KeyKind::API_KEY);
    record.name = key.name.clone();
    record.display = key.preview_name.clone();
    record.created_at = resolve_time(&key.created, "created", TimeForm::Text, &mut notes);
    record.owner.user = key.user_id.clone();
    record.owner.user_name = full_name(&key.user_given_name, &key.user_family_name);
    record.owner.user_email = key.user_email.clone();
    record.owner.organization = key.org_id.clone();
    record.of_answer(notes, raw, key)
}

/// Both names, or the one that is known; "none" only if both are said to be none.
fn full_name(given: &Fact<String>, family: &Fact<String>) -> Fact<String> {
    match (given, family) {
        (Fact::Known(given), Fact::Known(family)) => Fact::Known(format!("{given} {family}")),
        (Fact::Known(only), _) | (_, Fact::Known(only)) => Fact::Known(only.clone()),
        (Fact::Empty, Fact::Empty) => Fact::Empty,
        _ => Fact::Missing,
    }
}
