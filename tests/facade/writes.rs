//! Every operation through the facade: who was asked stands in each answer, and a rotation loses no key.

use std::future::pending;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use keymux::rotation::{OldKeyEnd, OldKeyState};
use keymux::{
    AccountName, Action, ApiKeyProvider, Capabilities, Change, Cursor, Error, ErrorKind, ExposeSecret as _, Fact,
    Field, IssuedKey, KeyAddress, KeyKind, KeyPatch, KeyRecord, KeyRef, KeyState, Keymux, NewKey, Operation, Outcome,
    Outcomes, Page, Parameter, ParameterSupport, Permission, ProviderId, ProviderInfo, Refusal, Revoked, Rotated,
    RotationCause, RotationError, Scope, ScopeInfo, SecretString, Verdict, VerifyRequest,
};
use serde_json::json;
use tokio::sync::Semaphore;

use super::key;
use crate::fixtures::now;

/// The plaintext of every key that [`Desk`] issues.
const PLAINTEXT: &str = "dk-7f3a91c2e8b04d65";

/// What [`Desk`] was asked, with all that it was given.
#[derive(Debug, Clone, PartialEq)]
enum Call {
    Get(KeyAddress),
    ListPage(Scope, Option<Cursor>),
    ScopesPage(Option<Cursor>),
    Create(NewKey),
    Register(NewKey, String),
    Update(KeyAddress, KeyPatch),
    Rotate(KeyAddress),
    Verify(String, VerifyRequest),
    Revoke(KeyAddress),
}

impl Call {
    fn operation(&self) -> Operation {
        match self {
            Self::Get(_) => Operation::Get,
            Self::ListPage(..) => Operation::ListPage,
            Self::ScopesPage(_) => Operation::ScopesPage,
            Self::Create(_) => Operation::Create,
            Self::Register(..) => Operation::Register,
            Self::Update(..) => Operation::Update,
            Self::Rotate(_) => Operation::Rotate,
            Self::Verify(..) => Operation::Verify,
            Self::Revoke(_) => Operation::Revoke,
        }
    }
}

/// A vendor that implements every operation, and keeps what it was asked.
#[derive(Debug, Clone)]
struct Desk {
    info: ProviderInfo,
    calls: Arc<Mutex<Vec<Call>>>,
    /// What these operations answer.
    failing: Vec<(Operation, Error)>,
    verdict: Verdict,
    /// The names of the keys on each page of its list. The cursor is the number of the page.
    pages: Vec<Vec<&'static str>>,
    /// What is different about its records.
    adjust: fn(&mut KeyRecord),
}

impl Desk {
    fn new() -> Self {
        Self::with(Capabilities::default().with_native(Operation::ALL.iter().copied()))
    }

    /// A vendor that does not rotate, and whose keys are made of these parameters.
    fn emulated(parameters: impl IntoIterator<Item = Parameter>) -> Self {
        let parameters = parameters.into_iter().map(|parameter| (parameter, ParameterSupport::Optional));
        let without = Operation::ALL.iter().copied().filter(|operation| *operation != Operation::Rotate);
        let capabilities = Capabilities::default().with_native(without);
        let capabilities = capabilities.with_emulated(Operation::Rotate, "create a second key, then revoke this one");
        Self::with(capabilities.with_parameters(Operation::Create, parameters))
    }

    fn with(capabilities: Capabilities) -> Self {
        let info = ProviderInfo::new(ProviderId::new("desk"), "Desk", ["team", "id"]);
        Self {
            info: info.with_fields(Field::ALL.iter().copied()).with_capabilities(capabilities),
            calls: Arc::default(),
            failing: Vec::new(),
            verdict: Verdict::Valid { record: None },
            pages: Vec::new(),
            adjust: |_| {},
        }
    }

    fn with_records(mut self, adjust: fn(&mut KeyRecord)) -> Self {
        self.adjust = adjust;
        self
    }

    fn with_failing(mut self, operation: Operation, error: Error) -> Self {
        self.failing.push((operation, error));
        self
    }

    fn with_verdict(mut self, verdict: Verdict) -> Self {
        self.verdict = verdict;
        self
    }

    fn with_pages(mut self, pages: &[&[&'static str]]) -> Self {
        self.pages = pages.iter().map(|page| page.to_vec()).collect();
        self
    }

    fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    fn operations(&self) -> Vec<Operation> {
        self.calls().iter().map(Call::operation).collect()
    }

    /// A record that tells everything that a second key is made of.
    fn record(&self, address: &KeyAddress) -> KeyRecord {
        let mut record = KeyRecord::new(&self.info, address.clone(), KeyKind::API_KEY);
        let like = like_the_first(ALL_TOLD);
        record.name = Fact::Known(like.name.unwrap());
        record.expires_at = Fact::Known(like.expires_at.unwrap());
        record.permissions = Fact::Known(like.permissions.unwrap());
        record.ip_allowlist = Fact::Known(like.ip_allowlist.unwrap());
        record.limits.max_uses = Fact::Known(like.max_uses.unwrap());
        record.limits.uses = Fact::Known(0);
        record.status.state = KeyState::Active;
        record.metadata = Fact::Known(like.metadata.unwrap());
        record.owner.customer = Fact::Known(like.customer.unwrap());
        (self.adjust)(&mut record);
        record
    }

    fn issued(&self, address: &KeyAddress) -> IssuedKey {
        IssuedKey::new(self.record(address), SecretString::from(PLAINTEXT))
    }

    fn take(&self, call: Call) -> Result<(), Error> {
        let failing = self.failing.iter().find(|(operation, _)| *operation == call.operation());
        self.calls.lock().unwrap().push(call);
        failing.map_or(Ok(()), |(_, error)| Err(error.clone()))
    }
}

#[async_trait]
impl ApiKeyProvider for Desk {
    fn info(&self) -> &ProviderInfo {
        &self.info
    }

    async fn get(&self, address: &KeyAddress) -> Result<KeyRecord, Error> {
        self.take(Call::Get(address.clone()))?;
        Ok(self.record(address))
    }

    async fn list_page(&self, scope: &Scope, cursor: Option<&Cursor>) -> Result<Page<KeyRecord>, Error> {
        let number: usize = cursor.map_or(0, |cursor| cursor.as_str().parse().unwrap());
        // The first page is there whatever fails.
        let taken = self.take(Call::ListPage(scope.clone(), cursor.cloned()));
        if number > 0 || self.pages.is_empty() {
            taken?;
        }
        let names = self.pages.get(number).cloned().unwrap_or_else(|| vec!["only"]);
        let records = names.iter().map(|name| self.record(&KeyAddress::new(["team", name]).unwrap())).collect();
        let next = (number + 1 < self.pages.len()).then(|| Cursor::new((number + 1).to_string()));
        Ok(Page::new(records, next, Vec::new()))
    }

    async fn scopes_page(&self, cursor: Option<&Cursor>) -> Result<Page<ScopeInfo>, Error> {
        self.take(Call::ScopesPage(cursor.cloned()))?;
        Ok(Page::new(vec![ScopeInfo::new(scope(), Some("The team".to_owned()))], None, Vec::new()))
    }

    async fn create(&self, key: &NewKey) -> Result<IssuedKey, Error> {
        self.take(Call::Create(key.clone()))?;
        Ok(self.issued(&KeyAddress::new(["team", "made"]).unwrap()))
    }

    async fn register(&self, key: &NewKey, plaintext: &SecretString) -> Result<KeyRecord, Error> {
        self.take(Call::Register(key.clone(), plaintext.expose_secret().to_owned()))?;
        Ok(self.record(&KeyAddress::new(["team", "brought"]).unwrap()))
    }

    async fn update(&self, address: &KeyAddress, patch: &KeyPatch) -> Result<KeyRecord, Error> {
        self.take(Call::Update(address.clone(), patch.clone()))?;
        Ok(self.record(address))
    }

    async fn rotate(&self, address: &KeyAddress) -> Result<IssuedKey, Error> {
        self.take(Call::Rotate(address.clone()))?;
        Ok(self.issued(address))
    }

    async fn verify(&self, plaintext: &SecretString, request: &VerifyRequest) -> Result<Verdict, Error> {
        self.take(Call::Verify(plaintext.expose_secret().to_owned(), request.clone()))?;
        Ok(self.verdict.clone())
    }

    async fn revoke(&self, address: &KeyAddress) -> Result<Revoked, Error> {
        self.take(Call::Revoke(address.clone()))?;
        Ok(Revoked::new(Some(self.record(address))))
    }
}

/// A vendor that only looks keys up, and counts how often.
#[derive(Debug, Clone)]
struct Bare {
    info: ProviderInfo,
    looked_up: Arc<AtomicUsize>,
}

impl Bare {
    fn new(capabilities: Capabilities) -> Self {
        let info = ProviderInfo::new(ProviderId::new("bare"), "Bare", ["id"]).with_capabilities(capabilities);
        Self { info, looked_up: Arc::default() }
    }
}

#[async_trait]
impl ApiKeyProvider for Bare {
    fn info(&self) -> &ProviderInfo {
        &self.info
    }

    async fn get(&self, address: &KeyAddress) -> Result<KeyRecord, Error> {
        self.looked_up.fetch_add(1, Ordering::SeqCst);
        Ok(KeyRecord::new(&self.info, address.clone(), KeyKind::API_KEY))
    }
}

/// The parameters of a new key that a record tells.
const ALL_TOLD: [Parameter; 8] = [
    Parameter::Scope,
    Parameter::Name,
    Parameter::ExpiresAt,
    Parameter::Permissions,
    Parameter::IpAllowlist,
    Parameter::MaxUses,
    Parameter::Metadata,
    Parameter::Customer,
];

/// The key that [`Desk`] should be asked for in place of one of its own, if its create takes these parameters.
fn like_the_first(parameters: impl IntoIterator<Item = Parameter>) -> NewKey {
    parameters.into_iter().fold(NewKey::new(scope()), |key, parameter| match parameter {
        Parameter::Scope => key,
        Parameter::Name => key.with_name("ci \u{e9}"),
        Parameter::ExpiresAt => key.with_expires_at("2031-05-06T07:08:09Z".parse().unwrap()),
        Parameter::Permissions => key.with_permissions([
            Permission { name: "logs".to_owned(), actions: Some(vec![Action::Read, Action::Delete]) },
            Permission { name: "admin".to_owned(), actions: None },
        ]),
        Parameter::IpAllowlist => key.with_ip_allowlist(["192.0.2.0/24", "::1"]),
        Parameter::MaxUses => key.with_max_uses(7),
        Parameter::Metadata => key.with_metadata(json!({"a": {"b": [1, null]}}).as_object().unwrap().clone()),
        Parameter::Customer => key.with_customer("cus_1"),
        other => panic!("no record tells `{other}`"),
    })
}

fn scope() -> Scope {
    Scope::new(["team"]).unwrap()
}

fn secret() -> SecretString {
    SecretString::from(PLAINTEXT)
}

fn name(account: &str) -> AccountName {
    AccountName::new(account).unwrap()
}

/// The desk under the names `prod` and `dev`.
fn facade(desk: &Desk) -> Keymux {
    Keymux::builder().with_account("prod", desk.clone()).with_account("dev", desk.clone()).build().unwrap()
}

/// Does `operation` at an account, and gives back the records of the answer. "Could not tell" counts as an error.
fn perform(keymux: &Keymux, account: &str, operation: Operation) -> Result<Vec<KeyRecord>, Error> {
    let reference = key(&format!("{account}:team/k1"));
    let account = name(account);
    let new = NewKey::new(scope()).with_name("n");
    Ok(match operation {
        Operation::Get => vec![now(keymux.get(&reference))?],
        Operation::ListPage => {
            let mut stream = keymux.list(&account, scope(), None)?;
            let mut records = Vec::new();
            while let Some(record) = now(stream.next()) {
                records.push(record?);
            }
            records
        }
        Operation::ScopesPage => {
            let page = now(keymux.account(&account)?.scopes_page(None))?;
            assert_eq!(page.items, [ScopeInfo::new(scope(), Some("The team".to_owned()))]);
            Vec::new()
        }
        Operation::Create => vec![now(keymux.create(&account, &new))?.record.unwrap()],
        Operation::Register => vec![now(keymux.register(&account, &new, &secret()))?],
        Operation::Update => vec![now(keymux.update(&reference, &KeyPatch::new().with_enabled(false)))?],
        Operation::Rotate => vec![now(keymux.account(&account)?.rotate(reference.address()))?.record.unwrap()],
        Operation::Verify => match now(keymux.verify(&account, &secret(), &VerifyRequest::default()))? {
            Verdict::Valid { record } | Verdict::Refused { record, .. } => {
                record.map(|record| *record).into_iter().collect()
            }
            Verdict::Inconclusive(error) => return Err(error),
            other => panic!("{other:?}"),
        },
        Operation::Revoke => now(keymux.revoke(&reference))?.record.into_iter().collect(),
        other => panic!("`{other}` is not in this table"),
    })
}

/// Waits for the outcomes that come without anything else happening.
fn ready<T: Send + 'static>(outcomes: &mut Outcomes<T>) -> Vec<Outcome<T>> {
    let mut seen = Vec::new();
    // One poll may end early, so that other tasks have their turn.
    for _ in 0..8 {
        while let Some(Some(outcome)) = outcomes.next().now_or_never() {
            seen.push(outcome);
        }
    }
    seen
}

#[test]
fn every_record_of_every_operation_names_the_account() {
    let desk = Desk::new();
    let boxed = || Some(Box::new(desk.record(&KeyAddress::new(["team", "k1"]).unwrap())));
    let verdicts = [Verdict::Valid { record: boxed() }, Verdict::Refused { reason: Refusal::Expired, record: boxed() }];
    for verdict in verdicts {
        for desk in [desk.clone(), Desk::emulated(ALL_TOLD)] {
            let keymux = facade(&desk.with_verdict(verdict.clone()));
            for account in ["prod", "dev"] {
                for operation in Operation::ALL {
                    let records = perform(&keymux, account, *operation).unwrap();
                    assert_eq!(records.is_empty(), *operation == Operation::ScopesPage, "{operation}");
                    for record in records {
                        let named = (record.account.as_str(), record.provider.as_str());
                        assert_eq!(named, (account, "desk"), "{operation}");
                        assert_eq!(record.key_ref().account().as_str(), account, "{operation}");
                    }
                }
            }
        }
    }
}

#[test]
fn every_error_of_every_operation_names_the_account_and_the_vendor_where_it_names_none() {
    for (said, shown) in [(None, "desk"), (Some("upstream"), "upstream")] {
        for operation in Operation::ALL {
            let mut error = Error::new(ErrorKind::Server).with_message("we are sorry").with_attempts(2);
            if let Some(said) = said {
                error = error.with_provider(ProviderId::new(said));
            }
            let keymux = facade(&Desk::new().with_failing(*operation, error));
            let error = perform(&keymux, "prod", *operation).unwrap_err();
            assert_eq!(error.to_string(), format!("prod ({shown}): the vendor failed: we are sorry; 2 attempts"));
            assert_eq!(error.account(), Some(&name("prod")), "{operation}");
            assert_eq!(error.provider().map(ProviderId::as_str), Some(shown), "{operation}");
        }
    }
}

#[test]
fn every_error_of_a_rotation_by_other_operations_names_the_account_and_the_vendor() {
    for operation in [Operation::Get, Operation::Create, Operation::Revoke] {
        let desk = Desk::emulated(ALL_TOLD).with_failing(operation, Error::new(ErrorKind::Server));
        assert_eq!(refusal(&desk).to_string(), "prod (desk): the vendor failed", "{operation}");
    }
}

#[test]
fn a_verdict_keeps_its_word_and_its_could_not_tell_names_the_account() {
    let verify = |verdict| {
        let keymux = facade(&Desk::new().with_verdict(verdict));
        now(keymux.verify(&name("prod"), &secret(), &VerifyRequest::default())).unwrap()
    };
    assert!(matches!(verify(Verdict::Valid { record: None }), Verdict::Valid { record: None }));
    for reason in [Refusal::Disabled, Refusal::Unknown] {
        let verdict = verify(Verdict::Refused { reason, record: None });
        assert!(matches!(verdict, Verdict::Refused { reason: told, record: None } if told == reason), "{verdict:?}");
    }
    let upstream = Error::new(ErrorKind::Timeout).with_provider(ProviderId::new("upstream"));
    for (error, line) in
        [(Error::new(ErrorKind::Timeout), "prod (desk): timed out"), (upstream, "prod (upstream): timed out")]
    {
        let verdict = verify(Verdict::Inconclusive(error));
        assert!(!verdict.is_valid());
        let Verdict::Inconclusive(error) = verdict else { panic!("{verdict:?}") };
        assert_eq!(error.to_string(), line);
    }
}

#[test]
fn an_unknown_account_is_a_configuration_error_of_every_operation_that_lists_the_known() {
    for desk in [Desk::new(), Desk::emulated(ALL_TOLD)] {
        let keymux = facade(&desk);
        for operation in Operation::ALL {
            let error = perform(&keymux, "prd", *operation).unwrap_err();
            assert_eq!((error.kind(), error.attempts()), (ErrorKind::Config, 0), "{operation}");
            assert_eq!(error.account(), Some(&name("prd")), "{operation}");
            let text = error.to_string();
            assert!(text.contains("`prd`") && text.contains("dev, prod"), "{text}");
        }
        assert!(desk.calls().is_empty(), "no other account is asked in its place");
    }
}

#[test]
fn a_vendor_is_given_what_the_facade_was_given() {
    let desk = Desk::new();
    let keymux = facade(&desk);
    let reference = key("prod:a%2Fb/k");
    let address = reference.address().clone();
    let new = like_the_first(ALL_TOLD).with_prefix("p").with_enabled(true);
    let patch = KeyPatch::new().with_name(Change::Clear).with_max_uses(Change::Set(2));
    let permissions = [Permission { name: "logs".to_owned(), actions: None }];
    let request = VerifyRequest::new(scope()).with_permissions(permissions);
    now(keymux.update(&reference, &patch)).unwrap();
    drop(now(keymux.create(&name("prod"), &new)).unwrap());
    now(keymux.register(&name("dev"), &new, &secret())).unwrap();
    assert!(now(keymux.verify(&name("dev"), &secret(), &request)).unwrap().is_valid());
    now(keymux.revoke(&reference)).unwrap();
    let expected = [
        Call::Update(address.clone(), patch),
        Call::Create(new.clone()),
        Call::Register(new, PLAINTEXT.to_owned()),
        Call::Verify(PLAINTEXT.to_owned(), request),
        Call::Revoke(address),
    ];
    assert_eq!(desk.calls(), expected);
}

#[test]
fn a_revocation_keeps_what_the_vendor_told_of_it() {
    #[derive(Debug)]
    struct Terse(Desk);

    #[async_trait]
    impl ApiKeyProvider for Terse {
        fn info(&self) -> &ProviderInfo {
            self.0.info()
        }

        async fn get(&self, address: &KeyAddress) -> Result<KeyRecord, Error> {
            self.0.get(address).await
        }

        async fn revoke(&self, address: &KeyAddress) -> Result<Revoked, Error> {
            Ok(match address.segments().next().unwrap() {
                "lost" => Revoked::by_earlier_attempt(),
                _ => Revoked::new(None),
            })
        }
    }

    let keymux = Keymux::builder().with_account("prod", Terse(Desk::new())).build().unwrap();
    for (reference, lost) in [("prod:lost", true), ("prod:k1", false)] {
        let revoked = now(keymux.revoke(&key(reference))).unwrap();
        assert_eq!((revoked.record, revoked.after_lost_answer), (None, lost));
    }
}

// Lists.

#[test]
fn a_list_goes_on_over_pages_one_by_one_and_names_the_account_in_each_record() {
    let desk = Desk::new().with_pages(&[&["a", "b"], &[], &["c"]]);
    let keymux = facade(&desk);
    let mut stream = keymux.list(&name("dev"), scope(), None).unwrap();
    assert!(desk.calls().is_empty(), "nothing is sent before the stream is polled");
    let mut seen = Vec::new();
    for asked in [1, 1, 3] {
        seen.push(now(stream.next()).unwrap().unwrap().key_ref().to_string());
        assert_eq!(desk.calls().len(), asked, "no page before the one before it is used up");
    }
    assert!(now(stream.next()).is_none());
    assert!(now(stream.next()).is_none(), "a stream that ended stays ended");
    assert_eq!(seen, ["dev:team/a", "dev:team/b", "dev:team/c"]);
    let pages = [None, Some("1"), Some("2")].map(|cursor| Call::ListPage(scope(), cursor.map(Cursor::new)));
    assert_eq!(desk.calls(), pages);
}

#[test]
fn a_list_that_is_resumed_where_it_stood_misses_and_repeats_no_key() {
    let pages: [&[&str]; 3] = [&["a", "b"], &["c", "d"], &["e"]];
    let all = ["a", "b", "c", "d", "e"].map(|name| format!("dev:team/{name}"));
    for read in 0..=all.len() {
        let keymux = facade(&Desk::new().with_pages(&pages));
        let mut stream = keymux.list(&name("dev"), scope(), None).unwrap();
        for expected in &all[..read] {
            assert_eq!(now(stream.next()).unwrap().unwrap().key_ref().to_string(), *expected);
        }
        let position = stream.position();
        drop(stream);
        let mut resumed = keymux.list(&name("dev"), scope(), Some(position)).unwrap();
        let mut seen = Vec::new();
        while let Some(record) = now(resumed.next()) {
            seen.push(record.unwrap().key_ref().to_string());
        }
        assert_eq!(seen, all[read..], "{read} keys read");
    }
}

#[test]
fn an_error_amid_a_list_comes_after_what_was_read_names_the_account_and_can_be_resumed_from() {
    let desk = Desk::new().with_pages(&[&["a"], &["b"]]);
    let broken = desk.clone().with_failing(Operation::ListPage, Error::new(ErrorKind::Server));
    let mut stream = facade(&broken).list(&name("prod"), scope(), None).unwrap();
    assert_eq!(now(stream.next()).unwrap().unwrap().key_ref(), key("prod:team/a"));
    let error = now(stream.next()).unwrap().unwrap_err();
    assert_eq!(error.to_string(), "prod (desk): the vendor failed");
    assert!(now(stream.next()).is_none());
    let position = stream.position();
    assert_eq!(position, Cursor::new("1").into());
    let mut resumed = facade(&desk).list(&name("prod"), scope(), Some(position)).unwrap();
    assert_eq!(now(resumed.next()).unwrap().unwrap().key_ref(), key("prod:team/b"));
}

/// A vendor whose list gives the same cursor on every page.
#[derive(Debug)]
struct Circle(ProviderInfo);

#[async_trait]
impl ApiKeyProvider for Circle {
    fn info(&self) -> &ProviderInfo {
        &self.0
    }

    async fn get(&self, address: &KeyAddress) -> Result<KeyRecord, Error> {
        Ok(KeyRecord::new(&self.0, address.clone(), KeyKind::API_KEY))
    }

    async fn list_page(&self, _: &Scope, _: Option<&Cursor>) -> Result<Page<KeyRecord>, Error> {
        Ok(Page::new(Vec::new(), Some(Cursor::new("again")), Vec::new()))
    }
}

#[test]
fn a_list_that_would_never_end_is_an_error_that_names_the_account() {
    let circle = Circle(ProviderInfo::new(ProviderId::new("circle"), "Circle", ["id"]));
    let keymux = Keymux::builder().with_account("prod", circle).build().unwrap();
    let mut stream = keymux.list(&name("prod"), Scope::account(), None).unwrap();
    let error = now(stream.next()).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(error.provider().map(ProviderId::as_str), Some("circle"));
    assert!(now(stream.next()).is_none());
    assert_eq!(error.account(), Some(&name("prod")), "{error}");
}

#[test]
fn streams_and_futures_of_writes_go_to_other_threads() {
    fn is_sent<T: Send>(_: &T) {}
    let keymux = facade(&Desk::new());
    let reference = key("prod:team/k1");
    let new = NewKey::default();
    is_sent(&keymux.list(&name("prod"), scope(), None).unwrap());
    is_sent(&keymux.rotate(&reference, |issued| async move {
        drop(issued);
        Ok::<_, Error>(())
    }));
    is_sent(&keymux.create(&name("prod"), &new));
    is_sent(&keymux.revoke_many([reference.clone()]));
}

// Many revocations.

/// A vendor whose every revocation waits until the test lets it go, and that counts them.
#[derive(Debug, Clone)]
struct Gate {
    info: ProviderInfo,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    limiter: Semaphore,
    started: AtomicUsize,
    running: AtomicUsize,
}

impl Gate {
    fn new() -> Self {
        let state = State { limiter: Semaphore::new(0), started: AtomicUsize::new(0), running: AtomicUsize::new(0) };
        Self { info: ProviderInfo::new(ProviderId::new("limiter"), "Gate", ["id"]), state: Arc::new(state) }
    }

    /// How many revocations are under way, and how many were ever begun.
    fn counts(&self) -> (usize, usize) {
        (self.state.running.load(Ordering::SeqCst), self.state.started.load(Ordering::SeqCst))
    }
}

/// Counts a revocation as running until its future is done or dropped.
struct Running(Arc<State>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl ApiKeyProvider for Gate {
    fn info(&self) -> &ProviderInfo {
        &self.info
    }

    async fn get(&self, _: &KeyAddress) -> Result<KeyRecord, Error> {
        panic!("a revocation looks nothing up");
    }

    async fn revoke(&self, address: &KeyAddress) -> Result<Revoked, Error> {
        self.state.started.fetch_add(1, Ordering::SeqCst);
        self.state.running.fetch_add(1, Ordering::SeqCst);
        let _running = Running(Arc::clone(&self.state));
        match address.segments().next().unwrap() {
            "never" => pending().await,
            "gone" => return Err(Error::new(ErrorKind::NotFound)),
            "at-once" => {}
            _ => self.state.limiter.acquire().await.unwrap().forget(),
        }
        Ok(Revoked::new(Some(KeyRecord::new(&self.info, address.clone(), KeyKind::API_KEY))))
    }
}

fn limiter_as(limiter: &Gate, names: &[&str], at_once: usize) -> Keymux {
    let builder = Keymux::builder().with_concurrency(NonZeroUsize::new(at_once).unwrap());
    names.iter().fold(builder, |builder, name| builder.with_account(*name, limiter.clone())).build().unwrap()
}

fn keys(account: &str, count: usize) -> Vec<KeyRef> {
    (0..count).map(|number| key(&format!("{account}:k{number}"))).collect()
}

#[test]
fn every_reference_has_one_revocation_and_no_failure_hides_anothers_success() {
    let keymux = limiter_as(&Gate::new(), &["a", "b"], 2);
    let asked = ["a:gone", "a:at-once", "nobody:1", "b:gone", "a:gone", "a:at-once", "b:at-once", "nobody:1", "a:gone"];
    let outcomes = ready(&mut keymux.revoke_many(asked.map(key)));
    let mut seen: Vec<String> = outcomes.iter().map(|outcome| outcome.key.to_string()).collect();
    let mut expected = asked.map(str::to_owned);
    seen.sort();
    expected.sort();
    assert_eq!(seen, expected);
    for Outcome { key, result, .. } in outcomes {
        match (key.to_string().as_str(), result) {
            ("a:at-once" | "b:at-once", Ok(revoked)) => assert_eq!(revoked.record.unwrap().key_ref(), key),
            ("a:gone" | "b:gone", Err(error)) => {
                assert_eq!(error.to_string(), format!("{} (limiter): not found", key.account()));
            }
            ("nobody:1", Err(error)) => {
                assert_eq!((error.kind(), error.account()), (ErrorKind::Config, Some(key.account())));
                assert!(error.to_string().contains("a, b"), "{error}");
            }
            (_, result) => panic!("{key}: {result:?}"),
        }
    }
}

#[test]
fn as_many_revocations_of_an_account_run_at_once_as_allowed_and_never_more() {
    for allowed in [1, 3, 8, 50] {
        let limiter = Gate::new();
        let mut outcomes = limiter_as(&limiter, &["a"], allowed).revoke_many(keys("a", 20));
        let mut done = 0;
        loop {
            done += ready(&mut outcomes).len();
            let running = allowed.min(20 - done);
            assert_eq!(limiter.counts(), (running, done + running), "{allowed} allowed");
            if done == 20 {
                break;
            }
            limiter.state.limiter.add_permits(1);
        }
    }
}

#[test]
fn the_bound_of_revocations_is_for_each_account_and_one_that_hangs_delays_no_other() {
    let limiter = Gate::new();
    let asked = (0..10).flat_map(|_| [key("hung:never"), key("fine:at-once")]);
    let mut outcomes = limiter_as(&limiter, &["hung", "fine"], 2).revoke_many(asked);
    let seen = ready(&mut outcomes);
    assert_eq!(seen.len(), 10);
    assert!(seen.iter().all(|outcome| outcome.key == key("fine:at-once") && outcome.result.is_ok()));
    assert_eq!(limiter.counts(), (2, 12));
}

#[test]
fn no_revocation_runs_before_the_stream_is_polled_and_dropping_it_cancels() {
    let limiter = Gate::new();
    let keymux = limiter_as(&limiter, &["a"], 3);
    drop(keymux.revoke_many(keys("a", 10)));
    assert_eq!(limiter.counts(), (0, 0));
    let mut outcomes = keymux.revoke_many(keys("a", 10));
    limiter.state.limiter.add_permits(1);
    assert_eq!(ready(&mut outcomes).len(), 1);
    assert_eq!(limiter.counts(), (3, 4));
    drop(outcomes);
    limiter.state.limiter.add_permits(10);
    assert_eq!(limiter.counts(), (0, 4));
    assert!(now(keymux.revoke_many([]).next()).is_none());
}

// Rotation.

/// Rotates a key, and gives back what came of it and the plaintexts that were handed out to be stored.
fn rotate_key(desk: &Desk, reference: &KeyRef) -> (Result<Rotated, RotationError>, Vec<String>) {
    let stored = Mutex::new(Vec::new());
    let store = |issued: IssuedKey| {
        // Nothing is ended before the plaintext is stored.
        assert!(!asked(desk).contains(&Operation::Revoke));
        stored.lock().unwrap().push(issued.plaintext.expose_secret().to_owned());
        ready_ok()
    };
    let rotated = now(facade(desk).rotate(reference, store));
    (rotated, stored.into_inner().unwrap())
}

fn ready_ok() -> std::future::Ready<Result<(), Error>> {
    std::future::ready(Ok(()))
}

fn rotate(desk: &Desk) -> Result<Rotated, RotationError> {
    rotate_key(desk, &key("prod:team/k1")).0
}

fn refusal(desk: &Desk) -> Error {
    rotate(desk).unwrap_err().vendor().unwrap().clone()
}

fn first() -> KeyAddress {
    key("prod:team/k1").address().clone()
}

/// What was asked beside the look for keys of one name.
fn asked(desk: &Desk) -> Vec<Operation> {
    desk.operations().into_iter().filter(|operation| *operation != Operation::ListPage).collect()
}

/// What was asked, without the stamps of rotations.
fn unstamped(desk: &Desk) -> Vec<Call> {
    let strip = |call| match call {
        Call::Create(mut key) => {
            let only_stamp = key.metadata.as_mut().is_some_and(|metadata| {
                assert!(metadata.remove("keymux_rotation").is_some());
                metadata.remove("keymux_replaces");
                metadata.is_empty()
            });
            key.metadata = key.metadata.filter(|_| !only_stamp);
            Call::Create(key)
        }
        other => other,
    };
    desk.calls().into_iter().filter(|call| !matches!(call, Call::ListPage(..))).map(strip).collect()
}

#[test]
fn it_looks_up_makes_one_like_the_first_has_it_stored_and_then_revokes_the_first() {
    let tables = ALL_TOLD.map(|parameter| vec![parameter]);
    for parameters in tables.into_iter().chain([Vec::new(), ALL_TOLD.to_vec()]) {
        let desk = Desk::emulated(parameters.clone());
        let (rotated, stored) = rotate_key(&desk, &key("prod:team/k1"));
        let rotated = rotated.unwrap();
        let like = like_the_first(parameters.clone());
        let expected = [Call::Get(first()), Call::Create(like), Call::Revoke(first())];
        assert_eq!(unstamped(&desk), expected, "{parameters:?}");
        assert_eq!(rotated.record.unwrap().key_ref(), key("prod:team/made"));
        assert_eq!(rotated.rotation.new_key(), Some(key("prod:team/made")));
        assert_eq!((stored, rotated.old), (vec![PLAINTEXT.to_owned()], OldKeyState::Ended(OldKeyEnd::Revoked)));
    }
}

#[test]
fn a_vendor_that_rotates_gets_a_second_key_too_unless_it_is_asked_to_replace_the_plaintext() {
    let desk = Desk::new();
    let _ = rotate(&desk).unwrap();
    assert_eq!(asked(&desk), [Operation::Get, Operation::Create, Operation::Revoke]);

    let desk = Desk::new();
    let rotator = facade(&desk).rotator();
    let rotation = rotator.plan_native(&key("prod:team/k1")).unwrap().begin().unwrap();
    let rotated = now(rotator.run(rotation, |_| ready_ok(), |_| ready_ok())).unwrap();
    assert_eq!(rotated.old, OldKeyState::Ended(OldKeyEnd::Replaced));
    assert_eq!(rotated.rotation.new_key(), Some(key("prod:team/k1")));
    assert_eq!(desk.calls(), [Call::Rotate(first())]);
}

#[test]
fn the_second_key_is_in_the_scope_that_the_first_ones_address_tells() {
    let scope = |segments: &[&str]| Scope::new(segments.iter().copied()).unwrap();
    for (address, scope) in [
        ("team/k1", scope(&["team"])),
        ("org/team/k1", scope(&["org", "team"])),
        ("a%2Fb/eu%20west/k%2F1", scope(&["a/b", "eu west"])),
    ] {
        let desk = Desk::emulated([Parameter::Scope]);
        let reference = key(&format!("prod:{address}"));
        let _ = rotate_key(&desk, &reference).0.unwrap();
        let first = reference.address().clone();
        let expected = [Call::Get(first.clone()), Call::Create(NewKey::new(scope)), Call::Revoke(first)];
        assert_eq!(unstamped(&desk), expected, "{address}");
    }
}

#[test]
fn what_the_first_key_has_none_of_the_second_is_not_given() {
    let desk = Desk::emulated(ALL_TOLD).with_records(|record| {
        record.name = Fact::Empty;
        record.expires_at = Fact::Empty;
        record.permissions = Fact::Empty;
        record.ip_allowlist = Fact::Empty;
        record.limits.max_uses = Fact::Empty;
        record.metadata = Fact::Empty;
        record.owner.customer = Fact::Empty;
    });
    let _ = rotate(&desk).unwrap();
    assert_eq!(unstamped(&desk)[1], Call::Create(NewKey::new(scope())));
}

#[test]
fn of_a_limited_number_of_uses_the_second_key_has_those_that_are_left() {
    let desk = Desk::emulated([Parameter::MaxUses]).with_records(|record| record.limits.uses = Fact::Known(3));
    let _ = rotate(&desk).unwrap();
    assert_eq!(unstamped(&desk)[1], Call::Create(NewKey::new(scope()).with_max_uses(4)));
}

#[test]
fn a_first_key_that_is_not_found_is_not_replaced() {
    for kind in [ErrorKind::NotFound, ErrorKind::Timeout] {
        let desk = Desk::emulated(ALL_TOLD).with_failing(Operation::Get, Error::new(kind));
        assert_eq!(refusal(&desk).kind(), kind);
        assert_eq!(asked(&desk), [Operation::Get]);
    }
}

#[test]
fn if_no_second_key_is_made_the_first_is_not_revoked() {
    for kind in [ErrorKind::InvalidRequest, ErrorKind::QuotaExhausted, ErrorKind::OutcomeUnknown, ErrorKind::Decode] {
        let desk = Desk::emulated(ALL_TOLD).with_failing(Operation::Create, Error::new(kind));
        let stopped = rotate(&desk).unwrap_err();
        assert_eq!(stopped.vendor().unwrap().kind(), kind);
        let stage = if kind.may_have_executed() { "making" } else { "planned" };
        assert_eq!(stopped.rotation().unwrap().stage().as_str(), stage);
        assert_eq!(asked(&desk), [Operation::Get, Operation::Create]);
    }
}

#[test]
fn if_the_plaintext_is_not_stored_the_first_key_is_left() {
    let desk = Desk::emulated(ALL_TOLD);
    let store = |_| std::future::ready(Err("the disk is full"));
    let stopped = now(facade(&desk).rotate(&key("prod:team/k1"), store)).unwrap_err();
    assert!(matches!(stopped.cause(), RotationCause::Store(_)));
    assert!(
        stopped.to_string().contains("the disk is full") && stopped.to_string().contains("still works"),
        "{stopped}"
    );
    assert_eq!(asked(&desk), [Operation::Get, Operation::Create]);
}

#[test]
fn if_the_first_key_is_not_revoked_the_second_is_stored_and_the_state_goes_on() {
    for kind in [ErrorKind::PermissionDenied, ErrorKind::Timeout, ErrorKind::Unsupported] {
        let desk = Desk::emulated(ALL_TOLD).with_failing(Operation::Revoke, Error::new(kind));
        let (stopped, stored) = rotate_key(&desk, &key("prod:team/k1"));
        let stopped = stopped.unwrap_err();
        assert_eq!(stored, [PLAINTEXT]);
        let error = stopped.vendor().unwrap();
        assert_eq!((error.kind(), error.account()), (kind, Some(&name("prod"))));
        let rotation = stopped.rotation().unwrap();
        assert_eq!((rotation.stage().as_str(), rotation.new_key()), ("stored", Some(key("prod:team/made"))));
        assert_eq!(asked(&desk), [Operation::Get, Operation::Create, Operation::Revoke]);
    }
}

#[test]
fn a_limit_that_the_vendor_did_not_tell_is_not_taken_for_none() {
    type Row = (Parameter, fn(&mut KeyRecord));
    let table: [Row; 8] = [
        (Parameter::ExpiresAt, |record| record.expires_at = Fact::Missing),
        (Parameter::ExpiresAt, |record| record.expires_at = Fact::Unsupported),
        (Parameter::Permissions, |record| record.permissions = Fact::Missing),
        (Parameter::IpAllowlist, |record| record.ip_allowlist = Fact::Missing),
        (Parameter::MaxUses, |record| record.limits.max_uses = Fact::Missing),
        (Parameter::MaxUses, |record| record.limits.uses = Fact::Missing),
        (Parameter::Customer, |record| record.owner.customer = Fact::Unsupported),
        (Parameter::Enabled, |record| record.status.state = KeyState::Unknown),
    ];
    for (parameter, adjust) in table {
        let desk = Desk::emulated(ALL_TOLD.into_iter().chain([Parameter::Enabled])).with_records(adjust);
        let error = refusal(&desk);
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Unsupported, Some("rotate")));
        assert!(error.to_string().contains(&format!("`{parameter}`")), "{error}");
        assert_eq!(asked(&desk), [Operation::Get]);
    }
}

#[test]
fn what_is_lost_and_allows_nothing_more_is_told_and_stops_nothing() {
    let desk = Desk::emulated([Parameter::Name, Parameter::Metadata, Parameter::Prefix])
        .with_records(|record| record.metadata = Fact::Missing);
    let rotated = rotate(&desk).unwrap();
    let untold: Vec<&str> = rotated.rotation.plan().untold().iter().map(|untold| &*untold.setting).collect();
    assert_eq!(untold, ["metadata", "prefix"]);
}

#[test]
fn a_key_that_does_not_work_any_more_is_not_replaced_by_one_that_does() {
    let table: [fn(&mut KeyRecord); 4] = [
        |record| record.status.state = KeyState::Revoked,
        |record| record.status.state = KeyState::Disabled,
        |record| record.status.state = KeyState::Expired,
        |record| record.status.state = KeyState::Exhausted,
    ];
    for adjust in table {
        let desk = Desk::emulated(ALL_TOLD).with_records(adjust);
        assert_eq!(refusal(&desk).kind(), ErrorKind::Conflict);
        assert_eq!(asked(&desk), [Operation::Get]);
    }
}

#[test]
fn the_error_of_a_key_that_cannot_be_made_again_names_the_account_and_the_vendor() {
    let error = refusal(&Desk::emulated(ALL_TOLD).with_records(|record| record.permissions = Fact::Missing));
    assert_eq!(error.provider().map(ProviderId::as_str), Some("desk"));
    assert_eq!(error.account(), Some(&name("prod")), "{error}");
}

#[test]
fn a_key_is_made_like_another_that_is_left() {
    let desk = Desk::emulated(ALL_TOLD);
    let record = now(facade(&desk).get(&key("prod:team/k1"))).unwrap();
    let issued = now(facade(&desk).create_like(&record)).unwrap();
    assert_eq!(issued.key_ref(), Some(key("prod:team/made")));
    assert_eq!(desk.calls(), [Call::Get(first()), Call::Create(like_the_first(ALL_TOLD))]);
    let error = now(facade(&Desk::emulated([Parameter::Enabled])).create_like(&{
        let mut record = record;
        record.status.state = KeyState::Unknown;
        record
    }))
    .unwrap_err();
    assert!(error.kind() == ErrorKind::Unsupported && error.to_string().contains("`enabled`"), "{error}");
}

// What a vendor does not have.

#[test]
fn an_operation_that_a_vendor_does_not_have_names_the_alternative_and_reaches_no_other() {
    for operation in Operation::ALL.iter().copied().filter(|operation| *operation != Operation::Get) {
        let bare = |capabilities| {
            let bare = Bare::new(capabilities);
            let keymux = Keymux::builder().with_account("prod", bare.clone()).build().unwrap();
            let error = perform(&keymux, "prod", operation).unwrap_err();
            assert_eq!((error.kind(), error.attempts()), (ErrorKind::Unsupported, 0), "{error}");
            assert_eq!((error.account(), error.operation()), (Some(&name("prod")), Some(operation.as_str())));
            assert!(!error.is_retryable() && !error.may_have_executed());
            assert_eq!(bare.looked_up.load(Ordering::SeqCst), 0, "{operation}");
            error.to_string()
        };
        // In a text an operation has the name that people give it.
        let verb = operation.verb();
        let line = |instead| format!("prod (bare) {verb}: not supported: no {verb} at Bare: {instead}");
        let told = Capabilities::default().with_unsupported(operation, "use the console");
        assert_eq!(bare(told), line("use the console"));
        assert_eq!(bare(Capabilities::default()), line("the vendor documents nothing in its place"));
        let promised = Capabilities::default().with_native([operation]);
        assert_eq!(bare(promised), line("this build does not implement it"));
    }
}

#[test]
fn an_account_by_itself_does_not_rotate_in_the_vendors_place_and_says_how() {
    let bare = Bare::new(Capabilities::default().with_emulated(Operation::Rotate, "create, then revoke"));
    let keymux = Keymux::builder().with_account("prod", bare.clone()).build().unwrap();
    let error = now(keymux.account(&name("prod")).unwrap().rotate(&first())).unwrap_err();
    assert_eq!(error.to_string(), "prod (bare) rotate: not supported: no rotate at Bare: create, then revoke");
    assert_eq!(bare.looked_up.load(Ordering::SeqCst), 0);
}

#[test]
fn revocations_at_a_vendor_that_has_none_are_unsupported_each() {
    let bare = Bare::new(Capabilities::default().with_unsupported(Operation::Revoke, "let them expire"));
    let keymux = Keymux::builder().with_account("prod", bare.clone()).build().unwrap();
    let outcomes = ready(&mut keymux.revoke_many(keys("prod", 3)));
    assert_eq!(outcomes.len(), 3);
    for outcome in outcomes {
        let error = outcome.result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("let them expire"), "{error}");
    }
    assert_eq!(bare.looked_up.load(Ordering::SeqCst), 0);
}

// Secrets.

#[test]
fn the_plaintext_of_an_issued_key_is_not_printed() {
    let failing = Desk::emulated(ALL_TOLD).with_failing(Operation::Revoke, Error::new(ErrorKind::Server));
    let mut printed = Vec::new();
    for desk in [Desk::new(), Desk::emulated(ALL_TOLD), failing] {
        let keymux = facade(&desk);
        let issued = now(keymux.create(&name("prod"), &NewKey::new(scope()))).unwrap();
        assert_eq!(issued.plaintext.expose_secret(), PLAINTEXT);
        let rotated = rotate(&desk);
        let looked_up = ready(&mut keymux.get_many([issued.key_ref().unwrap()]));
        let revoked = ready(&mut keymux.revoke_many([issued.key_ref().unwrap(), key("nobody:1")]));
        assert_eq!((looked_up.len(), revoked.len()), (1, 2));
        printed.extend([
            format!("{issued:?}"),
            format!("{issued:#?}"),
            format!("{rotated:?}"),
            format!("{rotated:#?}"),
        ]);
        printed.extend([format!("{looked_up:#?}"), format!("{revoked:#?}")]);
    }
    for text in printed {
        assert!(!text.contains(PLAINTEXT) && !text.contains(&PLAINTEXT[3..]), "{text}");
        assert!(text.contains("prod"), "something is printed: {text}");
    }
}
