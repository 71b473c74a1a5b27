//! Changing, verifying and ending keys.

use keymux_core::{
    Error, ErrorKind, KeyPatch, KeyState, Operation, Parameter, ParameterSupport, Permission, Scope, SecretString,
    Verdict, VerifyRequest,
};
use serde_json::Value;

use super::common::{comparable, refused_by_name};
use crate::proxy::{Plan, answer, unreadable};
use crate::stage::{Stage, change};
use crate::verdict::{Miss, expect, fail, success, told, told_of};

/// The members of a record's JSON that a patch of one parameter may change.
const CHANGED: [(Parameter, &str); 5] = [
    (Parameter::Name, "name"),
    (Parameter::ExpiresAt, "expires_at"),
    (Parameter::Permissions, "permissions"),
    (Parameter::IpAllowlist, "ip_allowlist"),
    (Parameter::MaxUses, "limits"),
];

pub(super) async fn an_update_changes_what_it_names_alone(stage: &Stage) -> Result<(), Miss> {
    let (provider, address, patch) = (stage.provider()?, stage.seed(0).await.address, stage.patch());
    let before = success("get", provider.get(&address).await)?;
    let told = success("update", provider.update(&address, &patch).await)?;
    let after = success("get after the update", provider.get(&address).await)?;
    let enabled = change(KeyPatch::new(), Parameter::Enabled, false) == patch;
    if enabled {
        let now = after.status.state;
        expect(now != KeyState::Active, "a key that is switched off is not active", now.as_str())?;
    }
    let named = CHANGED.iter().find(|(parameter, _)| change(KeyPatch::new(), *parameter, false) == patch);
    let named = named.map_or("", |(_, member)| *member);
    let [before, told, after] = [&before, &told, &after].map(comparable);
    if let (Value::Object(before), Value::Object(after)) = (&before, &after) {
        for (member, value) in after {
            if member == named {
                expect(before.get(member) != Some(value), format!("another `{member}`"), format!("{value} as before"))?;
            } else {
                let was = before.get(member).unwrap_or(&Value::Null);
                expect(was == value, format!("`{member}` as it was, {was}"), value.to_string())?;
            }
        }
    }
    expect(told == after, format!("the record of the update is that of a look-up: {after}"), told.to_string())
}

pub(super) async fn update_refuses_what_the_vendor_cannot_change(stage: &Stage) -> Result<(), Miss> {
    let (provider, address) = (stage.provider()?, stage.seed(0).await.address);
    let seen = stage.watch(async { provider.update(&address, &KeyPatch::new()).await.map(drop) }).await;
    refused_by_name("update with a patch that changes nothing", ErrorKind::InvalidRequest, "patch", seen)?;
    let parameters = CHANGED.iter().map(|(parameter, _)| *parameter).chain([Parameter::Enabled]);
    for parameter in parameters {
        for clear in [false, true] {
            let takes = stage.info.capabilities().takes(Operation::Update, parameter);
            let (verb, kind) = match (takes, clear) {
                (_, true) if parameter == Parameter::Enabled => continue,
                (None, _) => ("that sets or clears", ErrorKind::Unsupported),
                (Some(ParameterSupport::SetOnly), true) => ("that clears", ErrorKind::Unsupported),
                (Some(ParameterSupport::Required), true) => ("that clears", ErrorKind::InvalidRequest),
                _ => continue,
            };
            let patch = change(KeyPatch::new(), parameter, clear);
            let seen = stage.watch(async { provider.update(&address, &patch).await.map(drop) }).await;
            refused_by_name(&format!("update {verb} `{parameter}`"), kind, parameter.as_str(), seen)?;
        }
    }
    Ok(())
}

pub(super) async fn an_update_is_safe_to_repeat(stage: &Stage) -> Result<(), Miss> {
    let (provider, address, patch) = (stage.provider()?, stage.seed(0).await.address, stage.patch());
    stage.proxy.plan([Plan::LoseAnswer]);
    let first = success("update whose first answer is lost", provider.update(&address, &patch).await)?;
    let again = success("the same update again", provider.update(&address, &patch).await)?;
    let [first, again] = [&first, &again].map(comparable);
    expect(first == again, format!("the same record: {first}"), again.to_string())
}

/// A plaintext that the vendor should call valid: of a seeded key, or of one that is made.
async fn valid_plaintext(stage: &Stage) -> Result<SecretString, Miss> {
    if let Some(plaintext) = stage.seed(0).await.plaintext {
        return Ok(plaintext);
    }
    if !stage.has(Operation::Create) {
        let why = "no plaintext is known: the harness seeds none, and the vendor makes no keys";
        return Err(Miss::NotApplicable(why.to_owned()));
    }
    let issued = stage.provider()?.create(&stage.new_key(Operation::Create)).await;
    Ok(success("create", issued)?.plaintext)
}

fn told_verdict(verdict: &Result<Verdict, Error>) -> String {
    match verdict {
        Ok(Verdict::Valid { .. }) => "valid".to_owned(),
        Ok(Verdict::Refused { reason, .. }) => format!("refused ({reason})"),
        Ok(Verdict::Inconclusive(error)) => format!("could not tell, for {}", told(error)),
        Ok(verdict) => format!("{verdict:?}"),
        Err(error) => told(error),
    }
}

pub(super) async fn a_verification_has_three_outcomes(stage: &Stage) -> Result<(), Miss> {
    let (plaintext, request) = (valid_plaintext(stage).await?, stage.verify_request());
    let verdict = stage.provider()?.verify(&plaintext, &request).await;
    let valid = verdict.as_ref().is_ok_and(Verdict::is_valid);
    expect(valid, "the plaintext of a key is valid", told_verdict(&verdict))?;
    let verdict = stage.provider()?.verify(&stage.own_plaintext(7), &request).await;
    let refused = matches!(verdict, Ok(Verdict::Refused { .. }));
    expect(refused, "a plaintext of no key is refused", told_verdict(&verdict))?;
    for (what, plan) in [
        ("the vendor fails", answer(500, &[])),
        ("the caller's own credential is refused", answer(401, &[])),
        ("the answer is lost", Plan::LoseAnswer),
        ("the answer cannot be read", unreadable()),
    ] {
        stage.proxy.plan(vec![plan; 8]);
        let verdict = stage.provider()?.verify(&plaintext, &request).await;
        let untold = matches!(verdict, Ok(Verdict::Inconclusive(_)));
        expect(untold, format!("`could not tell` if {what}"), told_verdict(&verdict))?;
    }
    Ok(())
}

pub(super) async fn a_verification_is_sent_once(stage: &Stage) -> Result<(), Miss> {
    let (plaintext, request) = (valid_plaintext(stage).await?, stage.verify_request());
    for (what, plan) in [("a 503", answer(503, &[])), ("a 429", answer(429, &[])), ("a lost answer", Plan::LoseAnswer)]
    {
        stage.proxy.plan(vec![plan; 8]);
        let provider = stage.provider()?;
        let (_, sent) = stage.watch(provider.verify(&plaintext, &request)).await;
        expect(sent.len() == 1, format!("one request, with {what}"), format!("{} requests", sent.len()))?;
    }
    Ok(())
}

pub(super) async fn verify_refuses_what_the_vendor_cannot_judge_by(stage: &Stage) -> Result<(), Miss> {
    let (provider, plaintext) = (stage.provider()?, stage.own_plaintext(0));
    let takes = |parameter| stage.info.capabilities().takes(Operation::Verify, parameter);
    let somewhere = || Scope::new(["conformance"]).unwrap_or_default();
    let permission = [Permission { name: "read".to_owned(), actions: None }];
    let mut tried = Vec::new();
    match takes(Parameter::Scope) {
        None => tried.push((VerifyRequest::new(somewhere()), ErrorKind::Unsupported, "scope")),
        Some(ParameterSupport::Required) => {
            tried.push((VerifyRequest::new(Scope::account()), ErrorKind::InvalidRequest, "scope"));
        }
        Some(_) => {}
    }
    if takes(Parameter::Permissions).is_none() {
        let request = stage.verify_request().with_permissions(permission);
        tried.push((request, ErrorKind::Unsupported, "permissions"));
    }
    if tried.is_empty() {
        return Err(Miss::NotApplicable("the vendor judges by everything that can be asked".to_owned()));
    }
    for (request, kind, name) in tried {
        let seen = stage.watch(async { provider.verify(&plaintext, &request).await.map(drop) }).await;
        refused_by_name(&format!("verify that the vendor cannot do as to `{name}`"), kind, name, seen)?;
    }
    Ok(())
}

pub(super) async fn a_revoked_key_works_no_more(stage: &Stage) -> Result<(), Miss> {
    let (provider, seeded) = (stage.provider()?, stage.seed(0).await);
    success("get before", provider.get(&seeded.address).await)?;
    success("revoke", provider.revoke(&seeded.address).await)?;
    match provider.get(&seeded.address).await {
        Err(error) => {
            expect(error.kind() == ErrorKind::NotFound, "get of a revoked key is NotFound, if it fails", told(&error))
        }
        Ok(record) => {
            let now = record.status.state;
            expect(now != KeyState::Active, "a revoked key that is still found is not active", now.as_str())
        }
    }
}

pub(super) async fn a_second_revocation_is_not_found(stage: &Stage) -> Result<(), Miss> {
    let (provider, address) = (stage.provider()?, stage.seed(0).await.address);
    success("revoke", provider.revoke(&address).await)?;
    let second = provider.revoke(&address).await;
    match &second {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        // A vendor that keeps its revoked keys has one to revoke again.
        Ok(_) if provider.get(&address).await.is_ok() => Ok(()),
        _ => fail("a second revoke is NotFound, or a success where the key is still found", told_of(&second)),
    }
}

pub(super) async fn revoking_an_unknown_key_is_not_found(stage: &Stage) -> Result<(), Miss> {
    stage.seed(0).await;
    let unknown = stage.harness.unknown();
    for throttled in [false, true] {
        stage.proxy.plan(throttled.then(|| answer(429, &[])));
        let result = stage.provider()?.revoke(&unknown).await;
        let holds = result.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotFound);
        let what = if throttled { ", after a 429 too" } else { "" };
        expect(holds, format!("revoke of {unknown} is NotFound{what}"), told_of(&result))?;
    }
    Ok(())
}

pub(super) async fn a_revocation_whose_answer_was_lost_is_a_success(stage: &Stage) -> Result<(), Miss> {
    let (provider, address) = (stage.provider()?, stage.seed(0).await.address);
    stage.proxy.plan([Plan::LoseAnswer]);
    let (result, sent) = stage.watch(provider.revoke(&address)).await;
    let seen = format!("{}; {} requests", told_of(&result), sent.len());
    // A vendor that says the same of what is gone and of what may not be touched leaves room for doubt.
    let says_gone = match provider.get(&address).await {
        Ok(_) => true,
        Err(error) => matches!(error.status(), Some(404 | 410)),
    };
    if says_gone {
        return expect(
            result.is_ok() && sent.len() == 2,
            "a success after a repeat, if the first answer is lost",
            seen,
        );
    }
    let unknown = result.is_err_and(|error| error.kind() == ErrorKind::OutcomeUnknown && error.may_have_executed());
    expect(unknown && sent.len() == 2, "OutcomeUnknown after a repeat that is not answered with 404", seen)
}
