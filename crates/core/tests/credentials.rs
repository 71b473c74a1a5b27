//! Credentials that end, on real sockets: renewed ahead of the end, once for all, and told as what they are if that fails.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use common::fake::VirtualClock;
use common::server::Act::Read;
use common::server::{Act, Server, answer, ok};
use common::{look_up, ms, seconds};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use jiff::Timestamp;
use keymux_core::{
    BaseUrl, ClientOptions, Clock, Credential, CredentialSource, Error, ErrorKind, Pipeline, RetryPolicy, Setup,
};

/// Gives what it is told to, one after the other, the last one for ever, and counts.
#[derive(Debug)]
struct Vault {
    answers: Mutex<Vec<Result<Credential, Error>>>,
    asked: AtomicUsize,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

impl Vault {
    fn with(answers: impl IntoIterator<Item = Result<Credential, Error>>) -> Arc<Self> {
        let mut answers: Vec<_> = answers.into_iter().collect();
        answers.reverse();
        Arc::new(Self {
            answers: Mutex::new(answers),
            asked: AtomicUsize::new(0),
            at_once: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
        })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl CredentialSource for Vault {
    async fn fetch(&self) -> Result<Credential, Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(now, Ordering::SeqCst);
        tokio::time::sleep(ms(30)).await;
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        if answers.len() > 1 { answers.pop().unwrap() } else { answers[0].clone() }
    }
}

#[allow(clippy::unnecessary_wraps, reason = "a source of credentials gives a result")]
fn key(secret: &str) -> Result<Credential, Error> {
    Ok(Credential::new(secret))
}

fn sealed() -> Result<Credential, Error> {
    Err(Error::new(ErrorKind::Config).with_message("the vault is sealed"))
}

/// A client whose first credential is `first`.
fn client(server: &Server, clock: &VirtualClock, vault: &Arc<Vault>, first: &str, ends: Option<Timestamp>) -> Pipeline {
    let mut options = ClientOptions::new()
        .with_clock(Arc::new(clock.clone()))
        .with_retry(RetryPolicy::never())
        .with_attempt_timeout(seconds(20))
        .without_rate_limiter()
        .with_credential_source(Arc::clone(vault) as Arc<dyn CredentialSource>);
    if let Some(ends) = ends {
        options = options.with_credential_end(ends);
    }
    let setup = Setup::new(first, &server.url()).with_options(options);
    setup.connect(common::dialect(), (AUTHORIZATION, "Bearer "), HeaderMap::new(), "").unwrap()
}

/// The credentials that the server has seen.
fn seen(server: &Server) -> Vec<String> {
    let of = |head: &String| {
        let line = head.lines().find(|line| line.to_lowercase().starts_with("authorization:")).unwrap();
        line.split(' ').next_back().unwrap().to_owned()
    };
    server.requests().iter().map(of).collect()
}

fn refusal() -> Act {
    answer("401 Unauthorized", &[], r#"{"code":"E","message":"token first-secret is not accepted"}"#)
}

/// A server that says `acts`, one for each request, on one connection.
async fn saying(acts: impl IntoIterator<Item = Act>) -> Server {
    Server::start([acts.into_iter().flat_map(|act| [Read, act]).collect::<Vec<_>>()]).await
}

#[tokio::test]
async fn a_credential_is_renewed_a_minute_ahead_of_its_end_and_not_before() {
    let clock = VirtualClock::for_sockets();
    let server = saying([ok(), ok(), ok()]).await;
    let vault = Vault::with([key("second-secret")]);
    let client = client(&server, &clock, &vault, "first-secret", Some(clock.timestamp() + seconds(3600)));
    look_up(&client).await.unwrap();
    clock.advance(seconds(3539));
    look_up(&client).await.unwrap();
    assert_eq!(vault.asked(), 0);
    clock.advance(seconds(2));
    look_up(&client).await.unwrap();
    assert_eq!(seen(&server), ["first-secret", "first-secret", "second-secret"]);
    assert_eq!(vault.asked(), 1);
}

#[tokio::test]
async fn a_short_life_is_used_for_nine_tenths() {
    let clock = VirtualClock::for_sockets();
    let server = saying([ok(), ok()]).await;
    let vault = Vault::with([key("second-secret")]);
    let client = client(&server, &clock, &vault, "first-secret", Some(clock.timestamp() + seconds(20)));
    clock.advance(seconds(17));
    look_up(&client).await.unwrap();
    clock.advance(ms(1500));
    look_up(&client).await.unwrap();
    assert_eq!(seen(&server), ["first-secret", "second-secret"]);
}

#[tokio::test]
async fn one_renewal_serves_all_calls_in_flight() {
    let clock = VirtualClock::for_sockets();
    let server = Server::start([vec![Read, ok()]]).await;
    let vault = Vault::with([key("second-secret")]);
    let client = client(&server, &clock, &vault, "first-secret", Some(clock.timestamp()));
    let calls = (0..20).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { look_up(&client).await.map(drop) })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    assert_eq!((vault.asked(), vault.most_at_once.load(Ordering::SeqCst)), (1, 1));
    assert!(seen(&server).iter().all(|secret| secret == "second-secret"));
}

#[tokio::test]
async fn without_a_first_credential_the_source_is_asked_at_the_first_call() {
    let clock = VirtualClock::for_sockets();
    let server = saying([ok()]).await;
    let vault = Vault::with([key("only-secret")]);
    let client = client(&server, &clock, &vault, "", None);
    assert_eq!(vault.asked(), 0);
    look_up(&client).await.unwrap();
    assert_eq!(seen(&server), ["only-secret"]);
}

#[tokio::test]
async fn a_refused_credential_is_renewed_once_and_the_request_sent_again() {
    let clock = VirtualClock::for_sockets();
    let server = saying([refusal(), ok(), ok()]).await;
    let vault = Vault::with([key("second-secret")]);
    let client = client(&server, &clock, &vault, "first-secret", None);
    look_up(&client).await.unwrap();
    look_up(&client).await.unwrap();
    assert_eq!(seen(&server), ["first-secret", "second-secret", "second-secret"]);
    assert_eq!(vault.asked(), 1);
}

#[tokio::test]
async fn a_refusal_of_the_new_one_is_the_vendors_and_asks_for_no_third() {
    let clock = VirtualClock::for_sockets();
    let server = saying([refusal(), refusal()]).await;
    let vault = Vault::with([key("second-secret")]);
    let client = client(&server, &clock, &vault, "first-secret", None);
    let error = look_up(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Unauthenticated, Some(401)));
    assert_eq!((vault.asked(), server.requests().len()), (1, 2));
    let printed = format!("{error} {error:?}");
    assert!(!printed.contains("first-secret") && !printed.contains("second-secret"), "{printed}");
}

#[tokio::test]
async fn a_source_that_gives_the_same_again_leaves_the_refusal_as_it_is() {
    let clock = VirtualClock::for_sockets();
    let server = saying([refusal()]).await;
    let vault = Vault::with([key("first-secret")]);
    let client = client(&server, &clock, &vault, "first-secret", None);
    let error = look_up(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.status(), server.requests().len()), (ErrorKind::Unauthenticated, Some(401), 1));
}

#[tokio::test]
async fn a_failing_renewal_is_told_as_such_and_not_as_the_vendors_refusal() {
    let clock = VirtualClock::for_sockets();
    let server = saying([refusal()]).await;
    let vault = Vault::with([sealed()]);
    let client = client(&server, &clock, &vault, "first-secret", None);
    let error = look_up(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Config, None));
    assert!(error.to_string().contains("the credential could not be renewed: the vault is sealed"), "{error}");
}

#[tokio::test]
async fn while_the_old_one_lives_a_failing_renewal_stops_nothing_and_is_not_tried_at_each_call() {
    let clock = VirtualClock::for_sockets();
    let server = saying([ok(), ok(), ok()]).await;
    let vault = Vault::with([sealed()]);
    let client = client(&server, &clock, &vault, "first-secret", Some(clock.timestamp() + seconds(600)));
    clock.advance(seconds(560));
    look_up(&client).await.unwrap();
    look_up(&client).await.unwrap();
    assert_eq!(vault.asked(), 1, "a pause lies between");
    clock.advance(seconds(11));
    look_up(&client).await.unwrap();
    assert_eq!(vault.asked(), 2);
    clock.advance(seconds(60));
    let error = look_up(&client).await.unwrap_err();
    assert!(error.to_string().contains("the vault is sealed"), "{error}");
    assert_eq!(server.requests().len(), 3, "what has ended is not sent");
}

#[tokio::test]
async fn what_the_source_gives_is_checked() {
    let clock = VirtualClock::for_sockets();
    let server = saying([]).await;
    let ended = Ok(Credential::new("abc").with_end(clock.timestamp()));
    for (given, says) in
        [(key("a b"), "white space"), (key("\"abc\""), "quotation marks"), (key(""), "empty"), (ended, "ended already")]
    {
        let client = client(&server, &clock, &Vault::with([given]), "", None);
        let error = look_up(&client).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Config && error.to_string().contains(says), "{error}");
        assert_eq!(error.attempts(), 0, "nothing was sent");
    }
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn a_source_that_hangs_is_given_up_with_the_call() {
    #[derive(Debug)]
    struct Silent;

    #[async_trait]
    impl CredentialSource for Silent {
        async fn fetch(&self) -> Result<Credential, Error> {
            std::future::pending().await
        }
    }

    let server = saying([]).await;
    let options = ClientOptions::new().with_total_timeout(ms(100)).with_credential_source(Arc::new(Silent));
    let base = BaseUrl::parse("base", &server.url()).unwrap();
    let pipeline =
        Pipeline::new(common::dialect(), base, (AUTHORIZATION, "", "".into()), HeaderMap::new(), options).unwrap();
    let error = tokio::time::timeout(Duration::from_secs(10), look_up(&pipeline)).await.unwrap().unwrap_err();
    assert!(error.to_string().contains("no new one came within"), "{error}");
}
