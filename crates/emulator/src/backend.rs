//! What stands behind a vendor's port: its keys, its record of requests, and the steps that every request takes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;

use crate::builder::Settings;
use crate::clock::{Clock, Instant};
use crate::generated::{Generated, Recipe};
use crate::recorded::{RecordedRequest, Recorder};
use crate::request::{Place, carries};
use crate::store::{Entry, Store};

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
    pub(crate) operations: fn() -> Router<Shared>,
    /// The answer to a path that is not the vendor's, which nobody's credential is asked for.
    pub(crate) unknown_path: fn() -> Response,
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
    store: Mutex<Store>,
    clock: Arc<Clock>,
    requests: Mutex<Recorder>,
    serial: AtomicU64,
}

impl Backend {
    /// A backend in its first state.
    pub(crate) fn new(blueprint: &'static Blueprint, clock: Arc<Clock>, settings: &Settings) -> Shared {
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
        let requests = Mutex::new(Recorder::new(settings.recorded_requests));
        Arc::new(Self { blueprint, store: Mutex::new(store), clock, requests, serial: AtomicU64::new(1) })
    }

    /// Records a request, then asks for the credential if the path is the vendor's, then answers.
    pub(crate) fn router(self: &Arc<Self>) -> Router {
        let unknown_path = self.blueprint.unknown_path;
        (self.blueprint.operations)()
            .route_layer(middleware::from_fn_with_state(Arc::clone(self), authenticate))
            .fallback(move || async move { unknown_path() })
            .layer(middleware::from_fn_with_state(Arc::clone(self), record))
            .with_state(Arc::clone(self))
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

    /// A number that no other answer of this backend has: 1, 2, 3.
    pub(crate) fn next_serial(&self) -> u64 {
        self.serial.fetch_add(1, Ordering::Relaxed)
    }
}

async fn record(State(backend): State<Shared>, request: Request, next: Next) -> Response {
    let recorded = RecordedRequest::new(request.method(), request.uri(), request.headers(), backend.credential());
    locked(&backend.requests).push(recorded);
    next.run(request).await
}

async fn authenticate(State(backend): State<Shared>, request: Request, next: Next) -> Response {
    if carries(request.headers(), backend.blueprint.places, backend.credential()) {
        next.run(request).await
    } else {
        (backend.blueprint.unauthorized)(&backend)
    }
}

/// No code that holds a lock leaves the data half changed, so that a panic elsewhere does not spoil it.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
