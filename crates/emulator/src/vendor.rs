//! One running vendor, as its user sees it.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;

use serde_json::Value;

use crate::backend::{Backend, Blueprint};
use crate::clock::Clock;
use crate::entry::Entry;
use crate::error::InvalidSetting;
use crate::faults::FaultPlan;
use crate::handler::layered;
use crate::limit::RateLimit;
use crate::recorded::RecordedRequest;
use crate::server::Site;
use crate::settings::Settings;

/// Of so many keys the addresses are kept.
const SEEDED: usize = 1000;

/// One vendor of an [`Emulator`](crate::Emulator).
pub struct Vendor {
    base_url: String,
    seeded: Vec<Vec<String>>,
    backend: Arc<Backend>,
}

impl Vendor {
    /// Opens a port, a free one if it is 0. Connections to it wait until the site is served.
    pub(crate) fn open(
        blueprint: &'static Blueprint,
        clock: &Arc<Clock>,
        settings: &Settings,
        port: u16,
    ) -> io::Result<(Self, Site)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| {
            let name = blueprint.name;
            io::Error::new(error.kind(), format!("port {port} of 127.0.0.1, for {name}, cannot be opened: {error}"))
        })?;
        listener.set_nonblocking(true)?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let (backend, operations) = Backend::new(blueprint, Arc::clone(clock), settings);
        let router = layered(operations, &backend);
        let seeded = backend.with(|store| {
            store.keys.after(0, None).take(SEEDED).map(|(_, entry)| entry.into_owned().address).collect()
        });
        Ok((Self { base_url, seeded, backend }, Site { listener, router }))
    }

    pub(crate) fn backend(&self) -> &Backend {
        &self.backend
    }

    /// The vendor's name in lower case: `baseten`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.backend.name()
    }

    /// Scheme, host and port, without a slash at the end: `http://127.0.0.1:49152`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The credential that this vendor accepts.
    ///
    /// It has the form of the vendor's own, is the same in every emulator, opens nothing anywhere, and is no secret.
    #[must_use]
    pub fn credential(&self) -> &str {
        self.backend.credential()
    }

    /// Accepts one more credential, where the other one may stand too. All of them open the same keys; each has a
    /// [limit](Self::limit) of its own.
    pub fn accept_credential(&self, credential: &str) {
        self.backend.accept(credential);
    }

    /// The names of the vendor's operations, which [rules of faults](crate::FaultRule::on) choose by.
    #[must_use]
    pub fn operations(&self) -> Vec<&'static str> {
        self.backend.operations()
    }

    /// Lets things go wrong, by a plan, a rule, or a fault for every request. It takes the place of the plan before, and
    /// holds from the next request on; `FaultPlan::new()` ends it.
    ///
    /// Fails, and changes nothing, if a rule names an operation that the vendor does not have, or cannot be carried
    /// out as it stands; the error says which one and why.
    pub fn faults(&self, plan: impl Into<FaultPlan>) -> Result<(), InvalidSetting> {
        self.backend.set_faults(plan.into()).map_err(|wrong| InvalidSetting::new(self.name(), &wrong))
    }

    /// Limits the requests to each operation with each credential. `limit(100)` is 100 in a second. It takes the place of
    /// the limit before, and counts anew.
    ///
    /// A refusal is the vendor's own 429. Refused are only requests that carry an accepted credential; a request that a
    /// fault keeps from the vendor is not counted. There is no limit at the start.
    ///
    /// Fails, and changes nothing, if the limit admits nothing or tells its wait in a form that the vendor has no place
    /// for.
    pub fn limit(&self, limit: impl Into<RateLimit>) -> Result<(), InvalidSetting> {
        self.backend.set_limit(Some(limit.into())).map_err(|wrong| InvalidSetting::new(self.name(), &wrong))
    }

    /// Ends the limit.
    pub fn lift_limit(&self) {
        // Only a limit can be wrong.
        let _ = self.backend.set_limit(None);
    }

    /// How many requests the [limit](Self::limit) refused since the start.
    #[must_use]
    pub fn refusals(&self) -> u64 {
        self.backend.refused()
    }

    /// How many requests the vendor carried out since the start: those with an accepted credential and a path of the
    /// vendor's, which neither the limit nor a fault kept from it. Whatever they were answered, and whether the answer
    /// arrived or not.
    #[must_use]
    pub fn served(&self) -> u64 {
        self.backend.served()
    }

    /// How many requests are not answered yet: those that a fault holds back or lets [hang](crate::Fault::Hang). One
    /// whose client has closed the connection is no longer counted.
    #[must_use]
    pub fn open_requests(&self) -> u64 {
        self.backend.open()
    }

    /// The address of a key that is there from the start and shows most of what the vendor can tell. Empty if the
    /// emulator was started [with no keys](crate::Builder::with_keys).
    #[must_use]
    pub fn sample_address(&self) -> &[String] {
        self.seeded.first().map(Vec::as_slice).unwrap_or_default()
    }

    /// The addresses of the keys that are there from the start, the sample first. Of
    /// [generated](crate::Builder::with_keys) keys the first 1,000 at most.
    #[must_use]
    pub fn seeded(&self) -> &[Vec<String>] {
        &self.seeded
    }

    /// The address of a [generated](crate::Builder::with_keys) key, counted from 0; whether the key is still there or
    /// not. Nothing if no so many were generated.
    #[must_use]
    pub fn generated(&self, index: usize) -> Option<Vec<String>> {
        let index = u64::try_from(index).ok()?;
        self.backend.with(|store| store.keys.generated()?.address(index))
    }

    /// Adds a key, or replaces the one at this address.
    ///
    /// `address` holds the ids of the vendor's path in their order, as plain text; with more or fewer ids than that
    /// path has, it is never asked for. `key` is the key as the vendor tells of it, without the wrapper that some
    /// vendors put around it. It is sent as it stands: members that the vendor documents can be left out, and others
    /// added.
    pub fn seed<A>(&self, address: A, key: Value)
    where
        A: IntoIterator,
        A::Item: Into<String>,
    {
        let entry = Entry::new(address, key);
        self.backend.with(|store| store.keys.put(entry));
    }

    /// Adds or replaces a key like [`seed`](Self::seed), and lets this text verify as it.
    pub fn seed_with_plaintext<A>(&self, address: A, key: Value, plaintext: &str)
    where
        A: IntoIterator,
        A::Item: Into<String>,
    {
        let entry = Entry::new(address, key).plaintext(plaintext);
        self.backend.with(|store| store.keys.put(entry));
    }

    /// The plaintext of a key, which a vendor tells only once. Nothing if there is no such key, or if it was
    /// [seeded](Self::seed) without one.
    #[must_use]
    pub fn plaintext(&self, address: &[String]) -> Option<String> {
        self.backend.with(|store| store.keys.get(address).and_then(|entry| entry.into_owned().plaintext))
    }

    /// The requests that arrived, in the order of their arrival, whatever they were answered. Of many the last 10,000,
    /// or as many as the [builder](crate::Builder::with_recorded_requests) says.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.backend.requests()
    }

    /// How many requests arrived, the ones too that [`requests`](Self::requests) no longer tells.
    #[must_use]
    pub fn request_count(&self) -> u64 {
        self.backend.request_count()
    }
}

impl fmt::Debug for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vendor")
            .field("name", &self.name())
            .field("base_url", &self.base_url)
            .field("seeded", &self.seeded)
            .finish_non_exhaustive()
    }
}
