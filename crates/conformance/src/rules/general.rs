//! What holds of the provider as a whole, and of every operation.

use std::time::Duration;

use futures_util::future::{Either, select};
use http::header::{LOCATION, RETRY_AFTER};
use keymux_core::{
    ApiKeyProvider, Error, ErrorKind, ExposeSecret, FactState, Field, KeyAddress, Operation, ProviderInfo, Scope,
    Support,
};
use percent_encoding::percent_decode_str;
use tokio::net::TcpListener;

use crate::harness::Seeded;
use crate::log::Log;
use crate::proxy::{Elsewhere, Plan, answer, refusal_that_says};
use crate::stage::{Stage, with_segment};
use crate::verdict::{Miss, expect, fail, success, told};

/// How long a connection may take to be closed after its call was dropped. Only a provider that breaks the rule is
/// waited for as long as this.
const PATIENCE: Duration = Duration::from_secs(3);

/// A delay that is waited for, and one that no call waits for.
const SHORT: Duration = Duration::from_secs(7);
const LONG: Duration = Duration::from_secs(86_400);

pub(super) async fn info_is_the_same_data_always(stage: &Stage) -> Result<(), Miss> {
    let provider = stage.provider()?;
    let seeded = stage.seed(0).await;
    stage.call(&*provider, Operation::Get, &seeded).await;
    for info in [provider.info(), provider.info(), stage.provider()?.info()] {
        expect(*info == stage.info, format!("{:?}", stage.info), format!("{info:?}"))?;
    }
    let json = serde_json::to_string(provider.info()).unwrap_or_default();
    let back = serde_json::from_str::<ProviderInfo>(&json).ok();
    expect(back.as_ref() == Some(&stage.info), "the same after JSON", json)?;
    let (named, has) = (stage.info.address().len(), seeded.address.segments().len());
    expect(named == has, format!("names for the {has} segments of {}", seeded.address), format!("{named} names"))
}

pub(super) async fn an_unsupported_operation_sends_nothing(stage: &Stage) -> Result<(), Miss> {
    let lacking: Vec<Operation> = Operation::ALL.iter().copied().filter(|operation| !stage.has(*operation)).collect();
    if lacking.is_empty() {
        return Err(Miss::NotApplicable("the vendor has every operation".to_owned()));
    }
    let (provider, seeded) = (stage.provider()?, stage.seed(0).await);
    for operation in lacking {
        let (done, sent) = stage.watch(stage.call(&*provider, operation, &seeded)).await;
        expect(sent.is_empty(), format!("{operation} sends nothing"), format!("{} requests", sent.len()))?;
        let unsupported = done.error.as_ref().is_some_and(|error| error.kind() == ErrorKind::Unsupported);
        expect(unsupported, format!("{operation} is Unsupported"), done.told())?;
        let instead = match stage.info.capabilities().support(operation) {
            Support::Unsupported { alternative } => alternative,
            Support::Emulated { how } => how,
            _ => continue,
        };
        expect(
            done.told().contains(&*instead),
            format!("{operation} names the alternative, `{instead}`"),
            done.told(),
        )?;
    }
    Ok(())
}

pub(super) async fn an_address_of_another_shape_is_refused(stage: &Stage) -> Result<(), Miss> {
    let (provider, seeded) = (stage.provider()?, stage.seed(0).await);
    let segments: Vec<&str> = seeded.address.segments().collect();
    let mut wrong = vec![with_segment(&seeded.address, segments.len(), "more")?];
    if let Some((_, fewer)) = segments.split_last().filter(|(_, fewer)| !fewer.is_empty()) {
        wrong.push(success("making an address", KeyAddress::new(fewer.iter().copied()))?);
    }
    for address in wrong {
        for operation in stage.operations().filter(|operation| takes_address(*operation)) {
            let key = Seeded::new(address.clone());
            let (done, sent) = stage.watch(stage.call(&*provider, operation, &key)).await;
            refused_before_sending(operation, &address.to_string(), done.error.as_ref(), sent.len())?;
        }
    }
    Ok(())
}

pub(super) async fn a_scope_of_another_shape_is_refused(stage: &Stage) -> Result<(), Miss> {
    let scope = stage.harness.scope();
    let longer = Scope::new(scope.segments().chain(["more"]));
    let mut wrong = vec![success("making a scope", longer)?];
    if !scope.is_account() {
        wrong.push(Scope::account());
    }
    let provider = stage.provider()?;
    let mut tried = false;
    for scope in wrong {
        let expected =
            if stage.harness.scope().is_account() { ErrorKind::Unsupported } else { ErrorKind::InvalidRequest };
        for operation in stage.operations() {
            let mut key = stage.new_key(operation);
            key.scope = scope.clone();
            let (error, sent) = match operation {
                Operation::ListPage => stage.watch(async { provider.list_page(&scope, None).await.err() }).await,
                Operation::Create => stage.watch(async { provider.create(&key).await.err() }).await,
                Operation::Register => {
                    stage.watch(async { provider.register(&key, &stage.own_plaintext(0)).await.err() }).await
                }
                _ => continue,
            };
            tried = true;
            let holds = error.as_ref().is_some_and(|error| error.kind() == expected) && sent.is_empty();
            let seen = error.as_ref().map_or_else(|| "a success".to_owned(), told);
            let what = format!("{operation} in the scope `{scope}` is {expected:?}, and nothing is sent");
            expect(holds, what, format!("{seen}; {} requests", sent.len()))?;
        }
    }
    if tried { Ok(()) } else { Err(Miss::NotApplicable("no operation of the vendor takes a scope".to_owned())) }
}

fn refused_before_sending(operation: Operation, what: &str, error: Option<&Error>, sent: usize) -> Result<(), Miss> {
    let invalid = error.is_some_and(|error| error.kind() == ErrorKind::InvalidRequest);
    let expected = format!("{operation} of `{what}` is InvalidRequest, and nothing is sent");
    let seen = error.map_or_else(|| "a success".to_owned(), told);
    expect(invalid && sent == 0, expected, format!("{seen}; {sent} requests"))
}

fn takes_address(operation: Operation) -> bool {
    matches!(operation, Operation::Get | Operation::Update | Operation::Rotate | Operation::Revoke)
}

pub(super) async fn a_hostile_id_addresses_nothing_else(stage: &Stage) -> Result<(), Miss> {
    const HOSTILE: &[&str] = &[
        "a/b",
        "../a",
        "a/..",
        "%2e%2e",
        "a%2Fb",
        "a?b=c",
        "a#b",
        "a b",
        "a&b=c",
        "a;b",
        "a\\b",
        "a+b",
        "%",
        "ключ",
        "a\u{0}b",
        "...",
        "a\r\nx: y",
    ];
    let (provider, seeded) = (stage.provider()?, stage.seed(0).await);
    for operation in stage.operations().filter(|operation| takes_address(*operation)) {
        for (index, plain) in seeded.address.segments().enumerate() {
            let expected = target(stage, &*provider, operation, &seeded.address).await;
            let Some(expected) = expected.map(|target| shape(&target, plain)) else {
                return fail(format!("{operation} of a key sends a request"), "nothing was sent");
            };
            for hostile in HOSTILE {
                let address = with_segment(&seeded.address, index, hostile)?;
                // Refused by the vendor's own form of an id: as good.
                let Some(sent) = target(stage, &*provider, operation, &address).await else { continue };
                let rule = format!("{operation} of the id {hostile:?} asks for {expected}, with the id in its place");
                expect(shape(&sent, hostile) == expected, rule, format!("the target `{sent}`"))?;
            }
        }
    }
    Ok(())
}

/// What `operation` of `address` asks for, if it sends anything.
async fn target(
    stage: &Stage,
    provider: &dyn ApiKeyProvider,
    operation: Operation,
    address: &KeyAddress,
) -> Option<String> {
    stage.proxy.plan(vec![answer(404, &[]); 8]);
    let (_, sent) = stage.watch(stage.call(provider, operation, &Seeded::new(address.clone()))).await;
    sent.into_iter().next().map(|request| request.target)
}

/// A target in its parts, decoded once, with a mark where `id` stands.
fn shape(target: &str, id: &str) -> String {
    let mark = |part: &str| {
        let decoded = percent_decode_str(part).decode_utf8_lossy();
        if decoded == id { "{id}".to_owned() } else { format!("{decoded:?}") }
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path: Vec<String> = path.split('/').map(mark).collect();
    let query: Vec<String> = query.split(['&', '=']).map(mark).collect();
    format!("{} ? {}", path.join(" / "), query.join(" & "))
}

pub(super) async fn a_dropped_call_leaves_nothing_running(stage: &Stage) -> Result<(), Miss> {
    let seeded = stage.seed(0).await;
    for operation in stage.operations() {
        stage.proxy.plan([Plan::Hang]);
        let provider = stage.provider()?;
        let mark = stage.proxy.count();
        {
            let call = Box::pin(stage.call(&*provider, operation, &seeded));
            if let Either::Left((done, _)) = select(call, Box::pin(stage.proxy.until_hanging(1))).await {
                return fail(format!("{operation} waits for its answer"), done.told());
            }
        }
        let closed = tokio::time::timeout(PATIENCE, stage.proxy.until_hanging(0)).await;
        let sent = stage.proxy.since(mark).len();
        expect(
            closed.is_ok() && sent == 1,
            format!("{operation}: its connection is closed when the call is dropped, and nothing more is sent"),
            if closed.is_ok() { format!("{sent} requests") } else { "the connection stays open".to_owned() },
        )?;
    }
    Ok(())
}

pub(super) async fn a_refused_connection_was_not_carried_out(stage: &Stage) -> Result<(), Miss> {
    let seeded = stage.seed(0).await;
    // Nobody listens there: the port is given back at once.
    let port = TcpListener::bind("127.0.0.1:0").await.and_then(|listener| listener.local_addr());
    let Ok(address) = port else { return fail("a free port", "none") };
    for operation in stage.operations() {
        let provider = stage.provider_at(format!("http://{address}"))?;
        let done = stage.call(&*provider, operation, &seeded).await;
        let holds =
            done.error.as_ref().is_some_and(|error| error.kind() == ErrorKind::Connect && !error.may_have_executed());
        expect(holds, format!("{operation} is Connect, and may not have been carried out"), done.told())?;
    }
    Ok(())
}

pub(super) async fn the_credential_goes_to_one_origin(stage: &Stage) -> Result<(), Miss> {
    let seeded = stage.seed(0).await;
    let Ok(elsewhere) = Elsewhere::start().await else { return fail("a free port", "none") };
    for operation in stage.operations() {
        for status in [302, 307] {
            stage.proxy.plan(vec![answer(status, &[(LOCATION, &elsewhere.url())]); 8]);
            let provider = stage.provider()?;
            let done = stage.call(&*provider, operation, &seeded).await;
            let expected = format!("{operation}: a redirect ({status}) is an error, and is not followed");
            let seen = format!("{}; {} connections to the other origin", done.told(), elsewhere.connections());
            expect(done.error.is_some() && elsewhere.connections() == 0, expected, seen)?;
        }
    }
    Ok(())
}

pub(super) async fn secrets_are_never_printed(stage: &Stage) -> Result<(), Miss> {
    let log = Log::default();
    let _subscribed = tracing::subscriber::set_default(log.clone());
    let (credential, own) = (stage.harness.credential(), stage.own_plaintext(0));
    let mut secrets = vec![credential.expose_secret().to_owned(), own.expose_secret().to_owned()];
    for (number, (operation, status)) in stage
        .operations()
        .flat_map(|operation| [None, Some(401), Some(500)].map(|status| (operation, status)))
        .enumerate()
    {
        // What one call ends, the next one needs.
        let seeded = stage.seed(number).await;
        let plaintext = seeded.plaintext.as_ref().map(|plaintext| plaintext.expose_secret().to_owned());
        secrets.extend(plaintext.clone());
        // A vendor can repeat what it was sent.
        let sent = match operation {
            Operation::Register => own.expose_secret(),
            Operation::Verify => plaintext.as_deref().unwrap_or_default(),
            _ => "",
        };
        let says = format!("{} {sent}", credential.expose_secret());
        stage.proxy.plan(status.map(|status| vec![refusal_that_says(status, &says); 8]).unwrap_or_default());
        let provider = stage.provider()?;
        let done = stage.call(&*provider, operation, &seeded).await;
        let answered = status.map_or_else(|| "an answer".to_owned(), |status| format!("a {status} that says it"));
        for (place, text) in [("result", &done.printed), ("provider", &format!("{provider:?} {provider:#?}"))] {
            let shown = secrets.iter().any(|secret| text.contains(secret));
            expect(!shown, format!("{operation} with {answered}: no secret in what the {place} prints"), "a secret")?;
        }
    }
    let text = log.text();
    expect(!secrets.iter().any(|secret| text.contains(secret)), "no secret in the log", "a secret")
}

pub(super) async fn retry_after_is_obeyed(stage: &Stage) -> Result<(), Miss> {
    let (provider, seeded) = (stage.provider()?, stage.seed(0).await);
    let seconds = SHORT.as_secs().to_string();
    stage.proxy.plan([answer(429, &[(RETRY_AFTER, &seconds)])]);
    let (done, sent) = stage.watch(stage.call(&*provider, Operation::Get, &seeded)).await;
    let [first, second, ..] = sent.as_slice() else {
        return fail(
            "a second request after the 429, which is answered",
            format!("{}; {} requests", done.told(), sent.len()),
        );
    };
    let waited = second.at.saturating_sub(first.at);
    expect(done.error.is_none(), "a success after the 429", done.told())?;
    expect(waited >= SHORT, format!("at least {SHORT:?} between the two requests"), format!("{waited:?}"))
}

pub(super) async fn a_long_retry_after_is_handed_back(stage: &Stage) -> Result<(), Miss> {
    let (provider, seeded) = (stage.provider()?, stage.seed(0).await);
    let seconds = LONG.as_secs().to_string();
    stage.proxy.plan([answer(429, &[(RETRY_AFTER, &seconds)])]);
    let begun = stage.clock.elapsed();
    let (done, sent) = stage.watch(stage.call(&*provider, Operation::Get, &seeded)).await;
    let took = stage.clock.elapsed().saturating_sub(begun);
    let seen = || format!("{}; {} requests; {took:?}", done.told(), sent.len());
    let Some(error) = &done.error else { return fail("RateLimited", seen()) };
    expect(error.kind() == ErrorKind::RateLimited && sent.len() == 1, "RateLimited after one request", seen())?;
    expect(took < LONG, format!("no wait of {LONG:?}"), seen())?;
    expect(
        error.retry_after() >= Some(LONG),
        format!("retry_after() of {LONG:?}"),
        format!("{:?}", error.retry_after()),
    )
}

pub(super) async fn facts_match_the_coverage(stage: &Stage) -> Result<(), Miss> {
    let provider = stage.provider()?;
    for (number, operation) in stage.operations().enumerate() {
        let seeded = stage.seed(number).await;
        for record in stage.call(&*provider, operation, &seeded).await.records {
            for &field in Field::ALL {
                let says = stage.info.supports_field(field);
                let coverage = record.coverage(field);
                let expected =
                    if says { "not unsupported, as it is listed" } else { "unsupported, as it is not listed" };
                let holds = (coverage == FactState::Unsupported) != says;
                expect(holds, format!("{operation}: `{field}` is {expected}"), format!("`{field}` is {coverage}"))?;
            }
            let id = record.provider.as_str();
            expect(record.provider == *stage.info.id(), format!("{operation}: a record of {}", stage.info.id()), id)?;
        }
    }
    Ok(())
}
