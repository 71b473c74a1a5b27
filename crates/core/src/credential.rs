//! Where a client's credential comes from, and the one that it uses now.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use http::{HeaderName, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::error::Error;
use crate::http::ClientOptions;
use crate::secret::{check_credential, credential_header};

/// A credential, and when it ends.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Credential {
    /// What is sent.
    pub secret: SecretString,
    /// When the vendor takes it no longer; `None`: not known, or never.
    pub ends: Option<Timestamp>,
}

impl Credential {
    /// A credential without an end.
    #[must_use]
    pub fn new(secret: impl Into<SecretString>) -> Self {
        Self { secret: secret.into(), ends: None }
    }

    /// The same with an end.
    #[must_use]
    pub fn with_end(mut self, ends: Timestamp) -> Self {
        self.ends = Some(ends);
        self
    }
}

/// Fetches credentials that end: from a vault, a command, a token service.
///
/// A client that has one, by [`ClientOptions::with_credential_source`](crate::ClientOptions::with_credential_source), asks it
/// a minute before the end of the credential in use (or a tenth of its life, if that is less), and once after the vendor
/// refused it (401). However many calls are in flight, one asks and the others wait for what comes, so that no two calls
/// of [`fetch`](Self::fetch) run at once for a client and its clones.
#[async_trait]
pub trait CredentialSource: fmt::Debug + Send + Sync {
    /// Fetches a credential anew. It may take as long as the call that waits for it has; then its future is dropped.
    ///
    /// An error is told as what it is, [`ErrorKind::Config`](crate::ErrorKind::Config) of the call, with the message of
    /// this error: it must hold no secret. While the credential in use has not ended, calls go on with it.
    async fn fetch(&self) -> Result<Credential, Error>;
}

/// A source whose printed form is its own matter, and is not printed with the options.
#[derive(Clone)]
pub(crate) struct Source(pub(crate) Arc<dyn CredentialSource>);

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialSource")
    }
}

/// How long before its end a credential is renewed, unless it lives so shortly that a tenth of its life is less.
const AHEAD: Duration = Duration::from_secs(60);

/// After a renewal that brought nothing new nobody asks again for so long.
const PAUSE: Duration = Duration::from_secs(10);

/// The credential in use.
pub(crate) struct Held {
    pub(crate) header: HeaderValue,
    secret: SecretString,
    ends: Option<Timestamp>,
    /// When it is renewed ahead of its end.
    due: Option<Timestamp>,
    since: Instant,
    number: u64,
}

impl Held {
    pub(crate) fn is_newer_than(&self, other: &Self) -> bool {
        self.number > other.number
    }

    pub(crate) fn secret(&self) -> &SecretString {
        &self.secret
    }
}

/// The credential of a client: fixed, or from a source.
pub(crate) struct Credentials {
    name: HeaderName,
    scheme: String,
    source: Option<Source>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// Who holds it renews.
    renewing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    held: Option<Arc<Held>>,
    /// What was in use before: a request that left with it may still be answered.
    before: Option<SecretString>,
    /// The last renewal that brought nothing new, and why, if it failed.
    in_vain: Option<(Instant, Option<Error>)>,
    /// How many renewals ended.
    renewals: u64,
}

impl Credentials {
    /// The credential goes out as `name`, behind `scheme`. It may be empty if the options have a source.
    pub(crate) fn new(
        (name, scheme, secret): (HeaderName, &str, SecretString),
        options: &ClientOptions,
    ) -> Result<Self, Error> {
        let credentials = Self {
            name,
            scheme: scheme.to_owned(),
            source: options.credential_source.clone(),
            clock: Arc::clone(&options.clock),
            state: Mutex::default(),
            renewing: tokio::sync::Mutex::new(()),
        };
        if credentials.source.is_none() || !secret.expose_secret().is_empty() {
            let held = credentials.held(Credential { secret, ends: options.credential_end }, 1)?;
            credentials.state().held = Some(Arc::new(held));
        }
        Ok(credentials)
    }

    pub(crate) fn name(&self) -> &HeaderName {
        &self.name
    }

    pub(crate) fn can_renew(&self) -> bool {
        self.source.is_some()
    }

    /// What must not be shown, one on each line: the credential in use and the one before it.
    pub(crate) fn secrets(&self) -> SecretString {
        let state = self.state();
        let held = state.held.as_ref().map(|held| held.secret.expose_secret());
        let secrets = held.into_iter().chain(state.before.as_ref().map(ExposeSecret::expose_secret));
        let secrets = Zeroizing::new(secrets.collect::<Vec<_>>().join("\n"));
        SecretString::from(secrets.as_str())
    }

    /// The credential for a request that leaves now, and may take `remaining` to be renewed.
    pub(crate) async fn current(&self, remaining: Duration) -> Result<Arc<Held>, Error> {
        let held = self.state().held.clone();
        match held {
            Some(held) if self.source.is_none() => Ok(held),
            Some(held) if held.due.is_none_or(|due| self.clock.timestamp() < due) => Ok(held),
            // Behind a pointer, so that a call whose credential is good has no room for it.
            held => Box::pin(self.renew(held, false, remaining)).await,
        }
    }

    /// The credential after `refused`, which the vendor did not take. If there is none, it is that one.
    pub(crate) async fn after_refusal(&self, refused: &Arc<Held>, remaining: Duration) -> Result<Arc<Held>, Error> {
        Box::pin(self.renew(Some(Arc::clone(refused)), true, remaining)).await
    }

    async fn renew(&self, old: Option<Arc<Held>>, refused: bool, remaining: Duration) -> Result<Arc<Held>, Error> {
        let before = self.state().renewals;
        let renewal = async {
            let _only = self.renewing.lock().await;
            if let Some(settled) = self.settled(old.as_ref(), refused, before) {
                return settled;
            }
            let Some(Source(source)) = &self.source else {
                return Err(Error::config("the client has no credential"));
            };
            let fetched = source.fetch().await;
            self.take(fetched, old.as_ref(), refused)
        };
        let mut limit = self.clock.time_limit(remaining);
        let mut renewal = pin!(renewal);
        poll_fn(|context| {
            if let Poll::Ready(done) = renewal.as_mut().poll(context) {
                return Poll::Ready(done);
            }
            limit.as_mut().poll(context).map(|()| {
                let seconds = remaining.as_secs_f64();
                Err(Error::config(format!(
                    "the credential could not be renewed: no new one came within {seconds:.1} s"
                )))
            })
        })
        .await
    }

    /// What came of a renewal that somebody else made meanwhile or just before.
    fn settled(&self, old: Option<&Arc<Held>>, refused: bool, before: u64) -> Option<Result<Arc<Held>, Error>> {
        let now = self.clock.instant();
        let state = self.state();
        let held = state.held.clone();
        if let Some(held) = held {
            let is_newer = old.is_none_or(|old| held.is_newer_than(old));
            // One that was fetched for a refusal and is refused as well is not fetched over and over.
            let is_fresh = refused && held.number > 1 && now.saturating_duration_since(held.since) < PAUSE;
            if is_newer || is_fresh {
                return Some(Ok(held));
            }
        }
        let (at, error) = state.in_vain.as_ref()?;
        if state.renewals == before && now.saturating_duration_since(*at) >= PAUSE {
            return None;
        }
        let error = error.clone();
        drop(state);
        Some(self.without_new(old, refused, error))
    }

    /// Takes in what was fetched.
    fn take(
        &self,
        fetched: Result<Credential, Error>,
        old: Option<&Arc<Held>>,
        refused: bool,
    ) -> Result<Arc<Held>, Error> {
        let number = old.map_or(0, |old| old.number);
        let checked = fetched.and_then(|credential| {
            check_credential("the credential", &credential.secret)?;
            let is_same = old.is_some_and(|old| old.secret.expose_secret() == credential.secret.expose_secret());
            let held = self.held(credential, number + u64::from(!is_same))?;
            if held.ends.is_some_and(|ends| ends <= self.clock.timestamp()) {
                return Err(Error::config("the new one has ended already"));
            }
            Ok((held, is_same))
        });
        let now = self.clock.instant();
        let mut state = self.state();
        state.renewals += 1;
        match checked {
            Ok((held, false)) => {
                let held = Arc::new(held);
                state.before = old.map(|old| old.secret.clone());
                state.in_vain = None;
                state.held = Some(Arc::clone(&held));
                Ok(held)
            }
            Ok((held, true)) => {
                let lives_longer = held.ends != old.and_then(|old| old.ends);
                state.in_vain = Some((now, None));
                state.held = Some(Arc::new(held));
                drop(state);
                if lives_longer && !refused { self.current_held() } else { self.without_new(old, refused, None) }
            }
            Err(error) => {
                let said = error.message().map_or_else(|| error.kind().to_string(), str::to_owned);
                let error = Error::config(format!("the credential could not be renewed: {said}")).with_source(error);
                tracing::warn!(error = %error, "the credential could not be renewed");
                state.in_vain = Some((now, Some(error.clone())));
                drop(state);
                self.without_new(old, refused, Some(error))
            }
        }
    }

    fn current_held(&self) -> Result<Arc<Held>, Error> {
        self.state().held.clone().ok_or_else(|| Error::config("the client has no credential"))
    }

    /// The credential in use while it is good, else why there is no other one.
    fn without_new(&self, old: Option<&Arc<Held>>, refused: bool, error: Option<Error>) -> Result<Arc<Held>, Error> {
        let is_good = |old: &&Arc<Held>| old.ends.is_none_or(|ends| self.clock.timestamp() < ends);
        match (old, error) {
            // The vendor's refusal stands: the source says that this is the credential.
            (Some(old), None) if refused => Ok(Arc::clone(old)),
            (Some(old), _) if !refused && is_good(&old) => Ok(Arc::clone(old)),
            (_, Some(error)) => Err(error),
            (_, None) => {
                Err(Error::config("the credential could not be renewed: its source gives the one that has ended"))
            }
        }
    }

    fn held(&self, Credential { secret, ends }: Credential, number: u64) -> Result<Held, Error> {
        let now = self.clock.timestamp();
        let due = ends.map(|ends| {
            let life = Duration::try_from(ends.duration_since(now)).unwrap_or_default();
            let ahead = SignedDuration::try_from(AHEAD.min(life / 10)).unwrap_or_default();
            ends.checked_sub(ahead).unwrap_or(ends)
        });
        let header = credential_header(&self.scheme, &secret)?;
        Ok(Held { header, secret, ends, due, since: self.clock.instant(), number })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
