//! The state of one vendor: its keys, its record of requests, and what is set of it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use axum::Router;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::Response;

use crate::clock::{Clock, Instant, Micros};
use crate::delay::DelayForm;
use crate::entry::Entry;
use crate::faults::{Drifting, Fate, FaultPlan, Faults};
use crate::generated::{Generated, Recipe};
use crate::limit::{Limiter, RateLimit, TooEarly};
use crate::lock::locked;
use crate::operations::{Names, Operations};
use crate::recorded::{RecordedRequest, Recorder};
use crate::request::{Place, carries};
use crate::settings::Settings;
use crate::store::Store;

/// A handler's access to the backend.
pub(crate) type Shared = Arc<Backend>;

/// All that tells one vendor from another.
#[derive(Debug)]
pub(crate) struct Blueprint {
    pub(crate) name: &'static str,
    pub(crate) credential: &'static str,
    /// Where the credential may stand; one place suffices.
    /// The paths whose OPTIONS is answered to anybody.
    pub(crate) preflight: &'static [&'static str],
    pub(crate) places: &'static [Place],
    /// The answer to a request without the credential.
    pub(crate) unauthorized: fn(&Backend) -> Response,
    /// The operations. All of them ask for the credential first.
    pub(crate) operations: fn() -> Operations<Shared>,
    /// The answer to a path that is not the vendor's, which nobody's credential is asked for.
    pub(crate) unknown_path: fn() -> Response,
    /// The answer to a request that is too much, with the seconds to wait if they are to stand in the body.
    pub(crate) too_many: fn(&Backend, Option<u64>) -> Response,
    /// How such an answer tells the wait.
    pub(crate) delay: DelayForm,
    pub(crate) drifting: Drifting,
    /// The keys that are there from the start if none are generated, the sample first.
    pub(crate) seeds: fn() -> Vec<Entry>,
    /// How keys are generated.
    pub(crate) recipe: Recipe,
    /// Puts what is there around the keys. With generated keys it is told their groups or workspaces.
    pub(crate) around: fn(&mut Store, Option<&[String]>),
}

/// The state of one vendor.
#[derive(Debug)]
pub(crate) struct Backend {
    pub(crate) blueprint: &'static Blueprint,
    pub(crate) operations: Names,
    /// The blueprint's own first.
    credentials: RwLock<Vec<String>>,
    store: Mutex<Store>,
    clock: Arc<Clock>,
    pub(crate) faults: Mutex<Faults>,
    limiter: Mutex<Option<Limiter>>,
    requests: Mutex<Recorder>,
    pub(crate) served: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) open: AtomicU64,
    serial: AtomicU64,
}

impl Backend {
    /// A backend in its first state, and what answers for its operations.
    pub(crate) fn new(
        blueprint: &'static Blueprint,
        clock: Arc<Clock>,
        settings: &Settings,
    ) -> (Shared, Router<Shared>) {
        let mut store = Store::default();
        if let Some(count) = settings.keys {
            let generated = Generated::new(&blueprint.recipe, blueprint.name, settings.seed, count, clock.now());
            (blueprint.around)(&mut store, Some(generated.owners()));
            store.keys.generate(generated);
        } else {
            for entry in (blueprint.seeds)() {
                store.keys.put(entry);
            }
            (blueprint.around)(&mut store, None);
        }
        let (router, operations) = (blueprint.operations)().into_parts();
        let backend = Arc::new(Self {
            blueprint,
            operations,
            credentials: RwLock::new(vec![blueprint.credential.to_owned()]),
            store: Mutex::new(store),
            clock,
            faults: Mutex::default(),
            limiter: Mutex::default(),
            requests: Mutex::new(Recorder::new(settings.recorded_requests)),
            served: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            open: AtomicU64::new(0),
            serial: AtomicU64::new(1),
        });
        (backend, router)
    }

    pub(crate) fn name(&self) -> &'static str {
        self.blueprint.name
    }

    pub(crate) fn credential(&self) -> &'static str {
        self.blueprint.credential
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Reads or changes what the vendor remembers, as one step.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Store) -> T) -> T {
        work(&mut locked(&self.store))
    }

    pub(crate) fn requests(&self) -> Vec<RecordedRequest> {
        locked(&self.requests).last()
    }

    pub(crate) fn request_count(&self) -> u64 {
        locked(&self.requests).count()
    }

    /// The names of all operations.
    pub(crate) fn operations(&self) -> Vec<&'static str> {
        self.operations.iter().collect()
    }

    /// Accepts one more credential.
    pub(crate) fn accept(&self, credential: &str) {
        let mut credentials = self.credentials.write().unwrap_or_else(PoisonError::into_inner);
        if !credentials.iter().any(|known| known == credential) {
            credentials.push(credential.to_owned());
        }
    }

    /// Puts a plan in the place of the one before, or says what is wrong with it.
    pub(crate) fn set_faults(&self, plan: FaultPlan) -> Result<(), String> {
        *locked(&self.faults) = Faults::new(plan, &self.operations(), &self.blueprint.delay)?;
        Ok(())
    }

    /// Puts a limit in the place of the one before, or says what is wrong with it.
    pub(crate) fn set_limit(&self, limit: Option<RateLimit>) -> Result<(), String> {
        if let Some(limit) = &limit {
            limit.check(&self.blueprint.delay)?;
        }
        *locked(&self.limiter) = limit.map(Limiter::new);
        Ok(())
    }

    /// How many requests were carried out.
    pub(crate) fn served(&self) -> u64 {
        self.served.load(Ordering::Relaxed)
    }

    /// How many requests the limit refused.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// How many requests are not answered yet.
    pub(crate) fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    /// The vendor's 429.
    pub(crate) fn too_many(&self, form: &DelayForm, wait: Micros) -> Response {
        let form = form.or(&self.blueprint.delay);
        let mut response = (self.blueprint.too_many)(self, form.in_body(wait));
        form.tell(response.headers_mut(), wait, self.clock.micros());
        response
    }

    pub(crate) fn drifting(&self) -> &'static Drifting {
        &self.blueprint.drifting
    }

    /// The place of the credential that a request carries among those that are accepted.
    pub(crate) fn credential_in(&self, headers: &HeaderMap) -> Option<usize> {
        let credentials = self.credentials.read().unwrap_or_else(PoisonError::into_inner);
        credentials.iter().position(|credential| carries(headers, self.blueprint.places, credential))
    }

    /// How long a request has to wait, if it is too early.
    pub(crate) fn refusal(&self, credential: usize, operation: Option<&'static str>) -> Option<TooEarly> {
        let mut limiter = locked(&self.limiter);
        limiter.as_mut()?.admit(credential, operation?, self.clock.micros()).err()
    }

    /// Returns the number of the record.
    pub(crate) fn record(&self, request: &Request, operation: Option<&'static str>, fate: &Fate) -> u64 {
        let credentials = self.credentials.read().unwrap_or_else(PoisonError::into_inner);
        let recorded = RecordedRequest::new(request.method(), request.uri(), request.headers(), &credentials);
        locked(&self.requests).push(recorded.with_fate(operation, fate.faults.clone()))
    }

    pub(crate) fn mark_limited(&self, number: u64) {
        if let Some(request) = locked(&self.requests).get_mut(number) {
            request.mark_limited();
        }
    }

    /// A number that no other answer of this backend has: 1, 2, 3.
    pub(crate) fn next_serial(&self) -> u64 {
        self.serial.fetch_add(1, Ordering::Relaxed)
    }
}
