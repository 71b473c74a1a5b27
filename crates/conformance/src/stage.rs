//! Where one rule is tried: a harness of its own, the proxy before its stand-in, and calls with the suite's inputs.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use keymux_core::{
    ApiKeyProvider, Basis, Change, ClientOptions, Cursor, Error, FactState, Field, KeyAddress, KeyPatch, KeyRecord,
    Metadata, NewKey, Operation, Page, Parameter, Permission, ProviderInfo, Scope, SecretString, Verdict,
    VerifyRequest,
};

use crate::clock::SkippingClock;
use crate::harness::{Harness, Seeded, Subject, Wiring};
use crate::proxy::{Proxy, Seen};
use crate::verdict::{Miss, fail, success};

/// 2100-01-01, and a day for each number.
pub(crate) fn far_instant(days: i64) -> Timestamp {
    Timestamp::from_second(4_102_444_800 + days * 86_400).unwrap_or(Timestamp::MAX)
}

/// What was seen of a provider's records, whatever the rule.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sightings {
    pub(crate) fields: BTreeSet<Field>,
    pub(crate) status: Option<Basis>,
}

pub(crate) struct Stage {
    pub(crate) info: ProviderInfo,
    pub(crate) harness: Box<dyn Harness>,
    pub(crate) proxy: Proxy,
    pub(crate) clock: SkippingClock,
    pub(crate) sightings: RefCell<Sightings>,
}

/// What a call gave, as far as all operations have it in common.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// The error, or what kept a verification from a verdict.
    pub(crate) error: Option<Error>,
    pub(crate) records: Vec<KeyRecord>,
    /// Everything that the result prints, in every form that it has.
    pub(crate) printed: String,
}

impl Done {
    pub(crate) fn told(&self) -> String {
        self.error.as_ref().map_or_else(|| "a success".to_owned(), crate::verdict::told)
    }
}

impl Stage {
    pub(crate) async fn of(subject: &Subject) -> Result<Self, Miss> {
        let harness = (subject.start)().await;
        let clock = SkippingClock::new();
        let proxy = Proxy::start(&harness.base_url(), clock.clone()).await;
        let proxy = proxy.or_else(|reason| fail("a stand-in that can be reached", reason))?;
        Ok(Self { info: subject.info.clone(), harness, proxy, clock, sightings: RefCell::default() })
    }

    pub(crate) fn has(&self, operation: Operation) -> bool {
        self.info.capabilities().is_native(operation)
    }

    /// The operations that the vendor has, in the order of the trait.
    pub(crate) fn operations(&self) -> impl Iterator<Item = Operation> + '_ {
        Operation::ALL.iter().copied().filter(|operation| self.has(*operation))
    }

    /// A new provider.
    pub(crate) fn provider(&self) -> Result<Arc<dyn ApiKeyProvider>, Miss> {
        self.provider_at(self.proxy.base_url())
    }

    pub(crate) fn provider_at(&self, base_url: String) -> Result<Arc<dyn ApiKeyProvider>, Miss> {
        let http = ClientOptions::new().with_clock(Arc::new(self.clock.clone())).with_raw(true);
        success("making the provider", self.harness.provider(Wiring::new(base_url, self.harness.credential(), http)))
    }

    pub(crate) async fn seed(&self, number: usize) -> Seeded {
        self.harness.seed(number).await
    }

    /// Does `work`, and tells which requests were sent in it.
    pub(crate) async fn watch<T>(&self, work: impl Future<Output = T>) -> (T, Vec<Seen>) {
        let mark = self.proxy.count();
        let output = work.await;
        (output, self.proxy.since(mark))
    }

    /// The harness's key, without what `operation` does not take.
    pub(crate) fn new_key(&self, operation: Operation) -> NewKey {
        let mut key = self.harness.new_key(&self.info, self.harness.scope());
        for &parameter in Parameter::ALL {
            if self.info.capabilities().takes(operation, parameter).is_none() {
                unset(&mut key, parameter);
            }
        }
        key
    }

    pub(crate) fn own_plaintext(&self, number: usize) -> SecretString {
        self.harness.own_plaintext(number).into()
    }

    pub(crate) fn verify_request(&self) -> VerifyRequest {
        let takes_scope = self.info.capabilities().takes(Operation::Verify, Parameter::Scope).is_some();
        VerifyRequest::new(if takes_scope { self.harness.scope() } else { Scope::account() })
    }

    /// A patch of one parameter that the vendor can change.
    pub(crate) fn patch(&self) -> KeyPatch {
        let order = [
            Parameter::Name,
            Parameter::Enabled,
            Parameter::MaxUses,
            Parameter::ExpiresAt,
            Parameter::IpAllowlist,
            Parameter::Permissions,
        ];
        let takes = |parameter: &&Parameter| self.info.capabilities().takes(Operation::Update, **parameter).is_some();
        change(KeyPatch::new(), order.iter().find(takes).copied().unwrap_or(Parameter::Name), false)
    }

    /// Calls `operation` on `seeded`, with the suite's inputs.
    pub(crate) async fn call(&self, provider: &dyn ApiKeyProvider, operation: Operation, seeded: &Seeded) -> Done {
        let mut done = Done::default();
        match operation {
            Operation::ListPage => {
                let page = provider.list_page(&self.harness.scope(), None).await;
                done.printed = format!("{page:?} {page:#?}");
                done.take(page.map(|page| page.items));
            }
            Operation::ScopesPage => {
                let page = provider.scopes_page(None).await;
                done.printed = format!("{page:?}");
                done.take(page.map(|_| Vec::new()));
            }
            Operation::Create => {
                let issued = provider.create(&self.new_key(operation)).await;
                done.printed = format!("{issued:?} {issued:#?}");
                done.take(issued.map(|issued| issued.record.into_iter().collect()));
            }
            Operation::Register => {
                let plaintext = self.own_plaintext(0);
                done.take(provider.register(&self.new_key(operation), &plaintext).await.map(|record| vec![record]));
            }
            Operation::Update => {
                done.take(provider.update(&seeded.address, &self.patch()).await.map(|record| vec![record]));
            }
            Operation::Rotate => {
                let issued = provider.rotate(&seeded.address).await;
                done.printed = format!("{issued:?} {issued:#?}");
                done.take(issued.map(|issued| issued.record.into_iter().collect()));
            }
            Operation::Verify => {
                let plaintext = seeded.plaintext.clone().unwrap_or_else(|| self.own_plaintext(1));
                let verdict = provider.verify(&plaintext, &self.verify_request()).await;
                done.printed = format!("{verdict:?} {verdict:#?}");
                done.take(verdict.and_then(|verdict| match verdict {
                    Verdict::Valid { record } | Verdict::Refused { record, .. } => {
                        Ok(record.map(|record| *record).into_iter().collect())
                    }
                    Verdict::Inconclusive(error) => Err(error),
                    _ => Ok(Vec::new()),
                }));
            }
            Operation::Revoke => {
                let revoked = provider.revoke(&seeded.address).await;
                done.printed = format!("{revoked:?}");
                done.take(revoked.map(|revoked| revoked.record.into_iter().collect()));
            }
            // `get`, which every provider has.
            _ => done.take(provider.get(&seeded.address).await.map(|record| vec![record])),
        }
        self.note(&done.records);
        done
    }

    /// Reads a list from its beginning; a list that has more pages than it can have is cut off.
    pub(crate) async fn pages(
        &self,
        provider: &dyn ApiKeyProvider,
        longest: usize,
    ) -> Result<Vec<Page<KeyRecord>>, Miss> {
        let mut pages: Vec<Page<KeyRecord>> = Vec::new();
        let mut cursor: Option<Cursor> = None;
        while pages.len() < longest {
            let page = provider.list_page(&self.harness.scope(), cursor.as_ref()).await;
            let page = success(&format!("page {} of the list", pages.len() + 1), page)?;
            self.note(&page.items);
            cursor.clone_from(&page.next);
            pages.push(page);
            if cursor.is_none() {
                break;
            }
        }
        Ok(pages)
    }

    fn note(&self, records: &[KeyRecord]) {
        let mut sightings = self.sightings.borrow_mut();
        for record in records {
            let known = |field: &&Field| record.coverage(**field) == FactState::Known;
            sightings.fields.extend(Field::ALL.iter().filter(known));
            if !matches!(record.status.basis, Basis::None) && sightings.status.is_none() {
                sightings.status = Some(record.status.basis.clone());
            }
        }
    }
}

impl Done {
    fn take(&mut self, result: Result<Vec<KeyRecord>, Error>) {
        match result {
            Ok(records) => {
                for record in &records {
                    self.printed.push_str(&printed_record(record));
                }
                self.records = records;
            }
            Err(error) => {
                self.printed.push_str(&printed_error(&error));
                self.error = Some(error);
            }
        }
    }
}

/// Everything that a record prints.
pub(crate) fn printed_record(record: &KeyRecord) -> String {
    // Writing to text does not fail, and a record that has no JSON shows nothing by it.
    let json = serde_json::to_string(record).unwrap_or_default();
    format!("{record:?} {record:#?} {json} {}", record.key_ref())
}

/// Everything that an error and its causes print.
pub(crate) fn printed_error(error: &Error) -> String {
    let mut text = format!("{error:?} {error:#?}");
    let mut next: Option<&dyn StdError> = Some(error);
    while let Some(error) = next {
        let _ = write!(text, " {error} {error:?}");
        next = error.source();
    }
    text
}

/// Sets a parameter to a value of the suite's.
pub(crate) fn set(key: &mut NewKey, parameter: Parameter) {
    match parameter {
        Parameter::Scope => key.scope = Scope::new(["conformance"]).unwrap_or_default(),
        Parameter::Name => key.name = Some("conformance".to_owned()),
        Parameter::ExpiresAt => key.expires_at = Some(far_instant(0)),
        Parameter::Permissions => {
            key.permissions = Some(vec![Permission { name: "read".to_owned(), actions: None }]);
        }
        Parameter::IpAllowlist => key.ip_allowlist = Some(vec!["192.0.2.1".to_owned()]),
        Parameter::MaxUses => key.max_uses = Some(41),
        Parameter::Metadata => key.metadata = Some(Metadata::new()),
        Parameter::Customer => key.customer = Some("customer-1".to_owned()),
        Parameter::Prefix => key.prefix = Some("conf".to_owned()),
        Parameter::Enabled => key.enabled = Some(true),
        _ => {}
    }
}

/// Leaves a parameter out.
pub(crate) fn unset(key: &mut NewKey, parameter: Parameter) {
    match parameter {
        Parameter::Scope => key.scope = Scope::account(),
        Parameter::Name => key.name = None,
        Parameter::ExpiresAt => key.expires_at = None,
        Parameter::Permissions => key.permissions = None,
        Parameter::IpAllowlist => key.ip_allowlist = None,
        Parameter::MaxUses => key.max_uses = None,
        Parameter::Metadata => key.metadata = None,
        Parameter::Customer => key.customer = None,
        Parameter::Prefix => key.prefix = None,
        Parameter::Enabled => key.enabled = None,
        _ => {}
    }
}

/// Changes a parameter to a value of the suite's, or clears it.
pub(crate) fn change(patch: KeyPatch, parameter: Parameter, clear: bool) -> KeyPatch {
    fn to<T>(clear: bool, value: T) -> Change<T> {
        if clear { Change::Clear } else { Change::Set(value) }
    }
    match parameter {
        Parameter::Name => patch.with_name(to(clear, "renamed".to_owned())),
        Parameter::ExpiresAt => patch.with_expires_at(to(clear, far_instant(1))),
        Parameter::Permissions => {
            patch.with_permissions(to(clear, vec![Permission { name: "read".to_owned(), actions: None }]))
        }
        Parameter::IpAllowlist => patch.with_ip_allowlist(to(clear, vec!["192.0.2.2".to_owned()])),
        Parameter::MaxUses => patch.with_max_uses(to(clear, 4242)),
        Parameter::Enabled => patch.with_enabled(false),
        _ => patch,
    }
}

/// The address with another segment at `index`, or with one more at its end.
pub(crate) fn with_segment(address: &KeyAddress, index: usize, segment: &str) -> Result<KeyAddress, Miss> {
    let mut segments: Vec<&str> = address.segments().collect();
    match segments.get_mut(index) {
        Some(place) => *place = segment,
        None => segments.push(segment),
    }
    success("making an address", KeyAddress::new(segments))
}
