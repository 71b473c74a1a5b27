//! What stands behind a vendor's port: its keys, its record of requests, and the steps that every request takes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::Response;

use crate::clock::{Clock, Instant, Micros};
use crate::delay::DelayForm;
use crate::entry::Entry;
use crate::faults::{Drifting, Fate, FaultPlan, Faults, strike};
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
    blueprint: &'static Blueprint,
    operations: Names,
    /// The blueprint's own first.
    credentials: RwLock<Vec<String>>,
    store: Mutex<Store>,
    clock: Arc<Clock>,
    faults: Mutex<Faults>,
    limiter: Mutex<Option<Limiter>>,
    requests: Mutex<Recorder>,
    served: AtomicU64,
    refused: AtomicU64,
    open: AtomicU64,
    serial: AtomicU64,
}

impl Backend {
    /// A backend in its first state, and what answers on its port.
    pub(crate) fn new(blueprint: &'static Blueprint, clock: Arc<Clock>, settings: &Settings) -> (Shared, Router) {
        let mut store = Store::default();
        if let Some(count) = settings.keys {
            let generated = Generated::new(&blueprint.recipe, blueprint.name, settings.seed, count);
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
        let unknown_path = blueprint.unknown_path;
        let router = router
            .fallback(move || async move { unknown_path() })
            .layer(middleware::from_fn_with_state(Arc::clone(&backend), serve))
            .with_state(Arc::clone(&backend));
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
    fn credential_in(&self, headers: &HeaderMap) -> Option<usize> {
        let credentials = self.credentials.read().unwrap_or_else(PoisonError::into_inner);
        credentials.iter().position(|credential| carries(headers, self.blueprint.places, credential))
    }

    /// How long a request has to wait, if it is too early.
    fn refusal(&self, credential: usize, operation: Option<&'static str>) -> Option<TooEarly> {
        let mut limiter = locked(&self.limiter);
        limiter.as_mut()?.admit(credential, operation?, self.clock.micros()).err()
    }

    /// Returns the number of the record.
    fn record(&self, request: &Request, operation: Option<&'static str>, fate: &Fate) -> u64 {
        let credentials = self.credentials.read().unwrap_or_else(PoisonError::into_inner);
        let recorded = RecordedRequest::new(request.method(), request.uri(), request.headers(), &credentials);
        locked(&self.requests).push(recorded.with_fate(operation, fate.faults.clone()))
    }

    fn mark_limited(&self, number: u64) {
        if let Some(request) = locked(&self.requests).get_mut(number) {
            request.mark_limited();
        }
    }

    /// A number that no other answer of this backend has: 1, 2, 3.
    pub(crate) fn next_serial(&self) -> u64 {
        self.serial.fetch_add(1, Ordering::Relaxed)
    }
}

/// A request that is not answered yet. Dropped when it is, or when its client has gone.
struct Open<'a>(&'a AtomicU64);

impl<'a> Open<'a> {
    fn new(count: &'a AtomicU64) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Records a request, lets happen what is planned for it, and otherwise lets the vendor answer.
async fn serve(State(backend): State<Shared>, request: Request, next: Next) -> Response {
    let _open = Open::new(&backend.open);
    let path = request.extensions().get::<MatchedPath>();
    let is_known = path.is_some();
    let operation = path.and_then(|path| backend.operations.find(request.method(), path.as_str()));
    let fate = locked(&backend.faults).choose(operation);
    let number = backend.record(&request, operation, &fate);
    if !fate.latency.is_zero() {
        tokio::time::sleep(fate.latency).await;
    }
    let carried_out = async {
        if !is_known {
            return next.run(request).await;
        }
        let Some(credential) = backend.credential_in(request.headers()) else {
            return (backend.blueprint.unauthorized)(&backend);
        };
        if let Some(TooEarly { wait, form }) = backend.refusal(credential, operation) {
            backend.refused.fetch_add(1, Ordering::Relaxed);
            backend.mark_limited(number);
            return backend.too_many(&form, wait);
        }
        backend.served.fetch_add(1, Ordering::Relaxed);
        next.run(request).await
    };
    let mut response = match fate.end() {
        None => carried_out.await,
        Some(fault) => strike(fault, &backend, carried_out).await,
    };
    // The time of a delay's date is the emulator's, so that the date beside it has to be so too.
    if let Ok(date) = HeaderValue::try_from(backend.now().imf_fixdate()) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}
