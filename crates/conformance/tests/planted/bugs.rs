//! A provider with one bug: the honest one, and at one place something else.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use http::Method;
use keymux_core::{
    ApiKeyProvider, Call, Capabilities, Change, ClientOptions, Cursor, Error, ErrorKind, ExposeSecret, Fact, IssuedKey,
    KeyAddress, KeyPatch, KeyRecord, NewKey, Operation, Page, ProviderInfo, Refusal, RetryPolicy, Revoked, Scope,
    ScopeInfo, SecretString, Verdict, VerifyRequest,
};
use serde_json::json;
use tokio::net::TcpStream;

use crate::acme::{Acme, ID, INFO};

/// Each rule, and the bug that breaks it.
pub(crate) const BUGS: &[(&str, &str)] = &[
    ("info_is_the_same_data_always", "tells another name at every second call of `info`"),
    ("an_unsupported_operation_sends_nothing", "sends a registration, and then says that it is unsupported"),
    ("an_address_of_another_shape_is_refused", "takes an address that is too long for what it begins with"),
    ("a_scope_of_another_shape_is_refused", "takes a scope that is too long for what it begins with"),
    ("a_hostile_id_addresses_nothing_else", "cuts an id at a slash, and makes two segments of it"),
    ("a_dropped_call_leaves_nothing_running", "looks keys up in a task of its own"),
    ("a_refused_connection_was_not_carried_out", "calls a refused connection a time-out"),
    ("the_credential_goes_to_one_origin", "goes where a redirect leads to"),
    ("secrets_are_never_printed", "prints its credential"),
    ("facts_match_the_coverage", "has a value in a field that it does not list"),
    ("an_address_leads_back_to_its_key", "answers with another address than was asked for"),
    ("an_unknown_key_is_not_found", "calls an unknown key an invalid request"),
    ("only_an_unknown_key_is_not_found", "calls a refused credential an unknown key"),
    ("an_unreadable_answer_is_an_error", "makes a record of an answer that it cannot read"),
    ("looking_changes_nothing", "marks a key as used when it looks it up"),
    ("retry_after_is_obeyed", "asks again at once after a 429"),
    ("a_long_retry_after_is_handed_back", "drops the delay of a 429"),
    ("each_key_is_listed_once", "gives the first key of a page a second time"),
    ("a_list_goes_on_where_it_was_left", "keeps the place in a list to itself, and gives a number for it"),
    ("a_list_ends", "has a cursor on the last page"),
    ("a_listed_record_is_as_from_get", "lists keys without their limits"),
    ("a_row_that_cannot_be_read_is_told_beside_the_others", "leaves a row out that it cannot read"),
    ("the_scopes_have_that_of_the_keys", "lists no scopes"),
    ("a_made_key_is_found", "gives a new key an address that is none"),
    ("nothing_that_is_asked_for_is_dropped", "drops the limit of a new key"),
    ("a_plaintext_is_given_once", "shows the plaintext as the display form"),
    ("create_refuses_what_the_vendor_does_not_take", "drops an expiry in silence"),
    ("a_lost_create_is_outcome_unknown", "sends a create again whose answer was lost"),
    ("a_throttled_create_is_sent_again", "gives up on a create after a 429"),
    ("a_plaintext_survives_an_odd_answer", "drops the plaintext of an answer without an id"),
    ("a_second_key_leaves_the_first", "ends the key whose name a new one is given"),
    ("a_rotation_goes_on_from_every_state", "revokes of the keys that were made its own alone"),
    ("a_lost_creation_is_found_or_named", "lists the keys that were made without their names"),
    ("a_key_of_ones_own_is_a_key", "registers another plaintext than it was given"),
    ("register_refuses_what_the_vendor_does_not_take", "drops a limit in silence"),
    ("a_lost_registration_is_outcome_unknown", "sends a registration again whose answer was lost"),
    ("an_update_changes_what_it_names_alone", "lifts the limit of a key that is renamed"),
    ("update_refuses_what_the_vendor_cannot_change", "takes a patch that changes nothing"),
    ("an_update_is_safe_to_repeat", "gives up on an update whose answer was lost"),
    ("a_rotated_key_has_a_new_plaintext", "gives the old plaintext for the new one"),
    ("a_lost_rotation_is_outcome_unknown", "calls a lost rotation a time-out"),
    ("a_verification_has_three_outcomes", "calls a key refused when the vendor fails"),
    ("a_verification_is_sent_once", "verifies again when the vendor fails"),
    ("verify_refuses_what_the_vendor_cannot_judge_by", "drops the permissions that it is asked about"),
    ("a_revoked_key_works_no_more", "remembers revoked keys as active"),
    ("a_second_revocation_is_not_found", "calls it a success to revoke a key that it revoked before"),
    ("revoking_an_unknown_key_is_not_found", "calls it a success to revoke a key that never was"),
    ("a_revocation_whose_answer_was_lost_is_a_success", "calls a revocation failed whose answer was lost"),
];

/// The unknown address of the harness.
pub(crate) fn unknown() -> KeyAddress {
    KeyAddress::new(["p-1", "unknown"]).unwrap()
}

/// What the provider with `bug` says of itself.
pub(crate) fn info(bug: &str) -> ProviderInfo {
    if bug != "an_unsupported_operation_sends_nothing" {
        return INFO.clone();
    }
    let mut capabilities = Capabilities::default()
        .with_native(Operation::ALL.iter().copied())
        .with_unsupported(Operation::Register, "make one");
    for operation in [Operation::Create, Operation::Update, Operation::Verify] {
        capabilities = capabilities.with_parameters(operation, INFO.capabilities().parameters(operation));
    }
    INFO.clone().with_capabilities(capabilities)
}

pub(crate) struct Planted {
    bug: &'static str,
    inner: Arc<Acme>,
    /// The same without retries, and without a rate limiter that would make up for them.
    impatient: Acme,
    info: [ProviderInfo; 2],
    asked: AtomicUsize,
    credential: String,
    /// Keys that were looked up, before they were revoked.
    known: Mutex<HashMap<KeyAddress, KeyRecord>>,
    revoked: Mutex<Vec<KeyAddress>>,
    places: Mutex<Vec<Cursor>>,
    /// Keys that this provider made; `None`: the answer to one was lost.
    made: Mutex<Vec<Option<KeyAddress>>>,
}

impl std::fmt::Debug for Planted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let credential = self.plants("secrets_are_never_printed").then_some(&self.credential);
        f.debug_struct("Planted").field("inner", &self.inner).field("credential", &credential).finish_non_exhaustive()
    }
}

impl Planted {
    pub(crate) fn new(
        bug: &'static str,
        credential: SecretString,
        base_url: &str,
        http: ClientOptions,
    ) -> Result<Self, Error> {
        let text = credential.expose_secret().to_owned();
        let at_once = http.clone().with_retry(RetryPolicy::never()).without_rate_limiter();
        let impatient = Acme::new(credential.clone(), base_url, at_once)?;
        let other = ProviderInfo::new(ID, "Acme 2", ["project_id", "key_id"])
            .with_fields(INFO.fields().iter().copied())
            .with_capabilities(INFO.capabilities().clone());
        Ok(Self {
            bug,
            inner: Arc::new(Acme::new(credential, base_url, http)?),
            impatient,
            info: [info(bug), other],
            asked: AtomicUsize::new(0),
            credential: text,
            known: Mutex::default(),
            revoked: Mutex::default(),
            places: Mutex::default(),
            made: Mutex::default(),
        })
    }

    fn plants(&self, bug: &str) -> bool {
        self.bug == bug
    }

    async fn honest_get(&self, address: &KeyAddress) -> Result<KeyRecord, Error> {
        if self.plants("an_address_of_another_shape_is_refused") {
            let begin = KeyAddress::new(address.segments().take(2).map(str::to_owned).collect::<Vec<_>>())?;
            return self.inner.get(&begin).await;
        }
        if self.plants("a_dropped_call_leaves_nothing_running") {
            let (inner, address) = (Arc::clone(&self.inner), address.clone());
            return tokio::spawn(async move { inner.get(&address).await }).await.unwrap();
        }
        if self.plants("a_hostile_id_addresses_nothing_else") && address.segments().any(|id| id.contains('/')) {
            let parts: Vec<&str> = address.segments().flat_map(|id| id.split('/')).collect();
            let path: Vec<&str> = ["projects"].into_iter().chain(parts).collect();
            return Err(self.inner.pipeline.send(Call::get("get_key", &path)).await.err().unwrap());
        }
        if self.plants("retry_after_is_obeyed") {
            let first = self.impatient.get(address).await;
            let short = |error: &Error| error.retry_after().is_some_and(|delay| delay.as_secs() < 60);
            return if first.as_ref().is_err_and(short) { self.impatient.get(address).await } else { first };
        }
        self.inner.get(address).await
    }

    /// What is wrong with an error of a look-up.
    async fn mistake(&self, address: &KeyAddress, error: Error) -> Result<KeyRecord, Error> {
        let plain = |kind| Err(Error::new(kind).with_provider(ID).with_attempts(1));
        match error.kind() {
            ErrorKind::Connect if self.plants("a_refused_connection_was_not_carried_out") => plain(ErrorKind::Timeout),
            ErrorKind::NotFound if self.plants("an_unknown_key_is_not_found") && *address == unknown() => {
                plain(ErrorKind::InvalidRequest)
            }
            ErrorKind::Unauthenticated if self.plants("only_an_unknown_key_is_not_found") => plain(ErrorKind::NotFound),
            ErrorKind::RateLimited if self.plants("a_long_retry_after_is_handed_back") => plain(ErrorKind::RateLimited),
            ErrorKind::Decode if self.plants("an_unreadable_answer_is_an_error") => {
                Ok(KeyRecord::new(&INFO, address.clone(), keymux_core::KeyKind::API_KEY))
            }
            ErrorKind::NotFound if self.plants("a_revoked_key_works_no_more") => {
                self.known.lock().unwrap().get(address).cloned().ok_or(error)
            }
            ErrorKind::Redirected if self.plants("the_credential_goes_to_one_origin") => {
                let told = error.to_string();
                let to = told.split("http://").nth(1).and_then(|to| to.split(',').next()).unwrap();
                TcpStream::connect(to).await.unwrap();
                Err(error)
            }
            _ => Err(error),
        }
    }
}

#[async_trait]
impl ApiKeyProvider for Planted {
    fn info(&self) -> &ProviderInfo {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        &self.info[if self.plants("info_is_the_same_data_always") { asked % 2 } else { 0 }]
    }

    async fn get(&self, address: &KeyAddress) -> Result<KeyRecord, Error> {
        let mut record = match self.honest_get(address).await {
            Ok(record) => record,
            Err(error) => self.mistake(address, error).await?,
        };
        self.known.lock().unwrap().insert(address.clone(), record.clone());
        if self.plants("an_address_leads_back_to_its_key") {
            record.address = unknown();
        }
        if self.plants("facts_match_the_coverage") {
            record.owner.creator = Fact::Known("somebody".to_owned());
        }
        if self.plants("looking_changes_nothing") {
            let [project, id]: [&str; 2] = address.segments().collect::<Vec<_>>().try_into().unwrap();
            let path = ["projects", project, "keys", id];
            let used = 1_735_689_601 + self.asked.fetch_add(1, Ordering::SeqCst);
            let call = Call::new("use_key", Method::PATCH, &path).with_json(&json!({"used": used}))?;
            self.inner.pipeline.send(call).await?;
        }
        Ok(record)
    }

    async fn list_page(&self, scope: &Scope, cursor: Option<&Cursor>) -> Result<Page<KeyRecord>, Error> {
        let mut scope = scope.clone();
        if self.plants("a_scope_of_another_shape_is_refused") && !scope.is_account() {
            scope = Scope::new(scope.segments().take(1).map(str::to_owned).collect::<Vec<_>>())?;
        }
        let mut cursor = cursor.cloned();
        if self.plants("a_list_goes_on_where_it_was_left") {
            let number = cursor.and_then(|cursor| cursor.as_str().parse::<usize>().ok());
            cursor = number.and_then(|number| self.places.lock().unwrap().get(number).cloned());
        }
        let mut page = self.inner.list_page(&scope, cursor.as_ref()).await?;
        if self.plants("a_row_that_cannot_be_read_is_told_beside_the_others") {
            page.unreadable.clear();
        }
        if self.plants("a_list_goes_on_where_it_was_left") {
            let mut places = self.places.lock().unwrap();
            if let Some(next) = page.next.take() {
                places.push(next);
                page.next = Some(Cursor::new((places.len() - 1).to_string()));
            }
        }
        if self.plants("a_list_ends") && page.next.is_none() {
            page.next = Some(Cursor::new("zzzz"));
        }
        if self.plants("each_key_is_listed_once") {
            page.items.extend(page.items.first().cloned());
        }
        for record in &mut page.items {
            let made = record.address.segments().any(|id| id.starts_with("made-"));
            if made && self.plants("a_lost_creation_is_found_or_named") {
                record.name = Fact::Missing;
            }
            if self.plants("a_listed_record_is_as_from_get") {
                record.limits.max_uses = Fact::Missing;
            }
            if self.plants("facts_match_the_coverage") {
                record.owner.creator = Fact::Known("somebody".to_owned());
            }
        }
        Ok(page)
    }

    async fn scopes_page(&self, cursor: Option<&Cursor>) -> Result<Page<ScopeInfo>, Error> {
        let mut page = self.inner.scopes_page(cursor).await?;
        if self.plants("the_scopes_have_that_of_the_keys") {
            page.items.clear();
        }
        Ok(page)
    }

    async fn create(&self, key: &NewKey) -> Result<IssuedKey, Error> {
        let mut key = key.clone();
        if self.plants("create_refuses_what_the_vendor_does_not_take") {
            key.expires_at = None;
        }
        if self.plants("nothing_that_is_asked_for_is_dropped") {
            key.max_uses = None;
        }
        let provider = if self.plants("a_throttled_create_is_sent_again") { &self.impatient } else { &*self.inner };
        let mut issued = match provider.create(&key).await {
            Err(error)
                if error.kind() == ErrorKind::OutcomeUnknown && self.plants("a_lost_create_is_outcome_unknown") =>
            {
                self.inner.create(&key).await?
            }
            Err(error) => {
                self.made.lock().unwrap().push(None);
                return Err(error);
            }
            Ok(issued) => issued,
        };
        self.made.lock().unwrap().push(issued.address().cloned());
        if self.plants("a_plaintext_survives_an_odd_answer") && issued.record.is_none() {
            return Err(Error::new(ErrorKind::OutcomeUnknown).with_provider(ID).with_message("no id"));
        }
        if self.plants("a_second_key_leaves_the_first") && key.name.as_deref() == Some("seeded") {
            let _ = self.inner.revoke(&KeyAddress::new(["p-1", "k-0000"])?).await;
        }
        // Not of a key that gets a successor, whose own rules it would break.
        if self.plants("a_made_key_is_found") && key.name.as_deref() == Some("conformance") {
            issued.record.iter_mut().for_each(|record| record.address = unknown());
        }
        if self.plants("a_plaintext_is_given_once") {
            let shown = Fact::Known(issued.plaintext.expose_secret().to_owned());
            issued.record.iter_mut().for_each(|record| record.display = shown.clone());
        }
        Ok(issued)
    }

    async fn register(&self, key: &NewKey, plaintext: &SecretString) -> Result<KeyRecord, Error> {
        if self.plants("an_unsupported_operation_sends_nothing") {
            self.inner.register(key, plaintext).await?;
            return Err(self.info[0].unsupported(Operation::Register));
        }
        let mut key = key.clone();
        if self.plants("register_refuses_what_the_vendor_does_not_take") {
            key.max_uses = None;
        }
        let text = plaintext.expose_secret();
        let turned = self.plants("a_key_of_ones_own_is_a_key").then(|| text.chars().rev().collect::<String>());
        let plaintext: SecretString = turned.unwrap_or_else(|| text.to_owned()).into();
        match self.inner.register(&key, &plaintext).await {
            Err(error)
                if error.kind() == ErrorKind::OutcomeUnknown
                    && self.plants("a_lost_registration_is_outcome_unknown") =>
            {
                self.inner.register(&key, &plaintext).await
            }
            record => record,
        }
    }

    async fn update(&self, address: &KeyAddress, patch: &KeyPatch) -> Result<KeyRecord, Error> {
        if self.plants("update_refuses_what_the_vendor_cannot_change") && *patch == KeyPatch::new() {
            return self.inner.get(address).await;
        }
        let mut patch = patch.clone();
        if self.plants("an_update_changes_what_it_names_alone") && matches!(patch.name, Change::Set(_)) {
            patch.max_uses = Change::Clear;
        }
        let provider = if self.plants("an_update_is_safe_to_repeat") { &self.impatient } else { &*self.inner };
        let mut record = provider.update(address, &patch).await?;
        if self.plants("facts_match_the_coverage") {
            record.owner.creator = Fact::Known("somebody".to_owned());
        }
        Ok(record)
    }

    async fn rotate(&self, address: &KeyAddress) -> Result<IssuedKey, Error> {
        let mut issued = match self.inner.rotate(address).await {
            Err(error)
                if error.kind() == ErrorKind::OutcomeUnknown && self.plants("a_lost_rotation_is_outcome_unknown") =>
            {
                return Err(Error::new(ErrorKind::Timeout).with_provider(ID).with_message("no answer"));
            }
            issued => issued?,
        };
        if self.plants("a_rotated_key_has_a_new_plaintext") {
            issued.plaintext = crate::plaintext(0).into();
        }
        Ok(issued)
    }

    async fn verify(&self, plaintext: &SecretString, request: &VerifyRequest) -> Result<Verdict, Error> {
        let mut request = request.clone();
        if self.plants("verify_refuses_what_the_vendor_cannot_judge_by") {
            request.permissions.clear();
        }
        let verdict = self.inner.verify(plaintext, &request).await?;
        let Verdict::Inconclusive(error) = &verdict else { return Ok(verdict) };
        if self.plants("a_verification_has_three_outcomes") && error.status() == Some(500) {
            return Ok(Verdict::Refused { reason: Refusal::Unknown, record: None });
        }
        if self.plants("a_verification_is_sent_once") && error.status() == Some(503) {
            return self.inner.verify(plaintext, &request).await;
        }
        Ok(verdict)
    }

    async fn revoke(&self, address: &KeyAddress) -> Result<Revoked, Error> {
        if self.plants("a_rotation_goes_on_from_every_state") && address.segments().any(|id| id.starts_with("made-")) {
            let made = self.made.lock().unwrap();
            if !made.iter().any(|made| made.as_ref().is_none_or(|made| made == address)) {
                return Err(Error::new(ErrorKind::Conflict).with_provider(ID).with_message("not one of mine"));
            }
        }
        let before = self.revoked.lock().unwrap().contains(address);
        match self.inner.revoke(address).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let forgives = (before && self.plants("a_second_revocation_is_not_found"))
                    || (*address == unknown() && self.plants("revoking_an_unknown_key_is_not_found"));
                if forgives { Ok(Revoked::new(None)) } else { Err(error) }
            }
            Ok(revoked)
                if revoked.after_lost_answer && self.plants("a_revocation_whose_answer_was_lost_is_a_success") =>
            {
                Err(Error::new(ErrorKind::NotFound).with_provider(ID))
            }
            revoked => {
                self.revoked.lock().unwrap().push(address.clone());
                revoked
            }
        }
    }
}
