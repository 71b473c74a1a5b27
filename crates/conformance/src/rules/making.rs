//! Making keys, bringing keys along, and giving them a new plaintext.

use http::header::RETRY_AFTER;
use keymux_core::{
    ErrorKind, ExposeSecret, Fact, IssuedKey, KeyAddress, KeyRecord, NewKey, Operation, Parameter, ParameterSupport,
    Verdict,
};

use super::common::{lost_is_outcome_unknown, refused_by_name};
use crate::proxy::answer;
use crate::stage::{Stage, printed_record, set, unset};
use crate::verdict::{Miss, expect, fail, success};

fn recorded(issued: &IssuedKey) -> Result<&KeyRecord, Miss> {
    let record = issued.record.as_ref();
    record.map_or_else(|| fail("a record of the key that was made", "a key without an address"), Ok)
}

fn address(issued: &IssuedKey) -> Result<KeyAddress, Miss> {
    recorded(issued).map(|record| record.address.clone())
}

pub(super) async fn a_made_key_is_found(stage: &Stage) -> Result<(), Miss> {
    let provider = stage.provider()?;
    let issued = success("create", provider.create(&stage.new_key(Operation::Create)).await)?;
    success("get of the key that was made", provider.get(&address(&issued)?).await)?;
    Ok(())
}

pub(super) async fn nothing_that_is_asked_for_is_dropped(stage: &Stage) -> Result<(), Miss> {
    let (provider, key) = (stage.provider()?, stage.new_key(Operation::Create));
    let issued = success("create", provider.create(&key).await)?;
    // That it is found at all is a rule of its own.
    let told = recorded(&issued)?.clone();
    let record = provider.get(&told.address).await.unwrap_or(told);
    matches_request(&key, &record)
}

/// What a record says of what was asked for. A vendor's fact that is not there says nothing.
fn matches_request(key: &NewKey, record: &KeyRecord) -> Result<(), Miss> {
    fn same<T: PartialEq + std::fmt::Debug>(name: Parameter, asked: Option<&T>, fact: &Fact<T>) -> Result<(), Miss> {
        match (asked, fact) {
            (None, _) | (_, Fact::Unsupported | Fact::Missing) => Ok(()),
            (Some(asked), fact) => {
                expect(fact.known() == Some(asked), format!("`{name}` of {asked:?}, as asked"), format!("{fact:?}"))
            }
        }
    }
    same(Parameter::Name, key.name.as_ref(), &record.name)?;
    same(Parameter::ExpiresAt, key.expires_at.as_ref(), &record.expires_at)?;
    same(Parameter::Permissions, key.permissions.as_ref(), &record.permissions)?;
    same(Parameter::IpAllowlist, key.ip_allowlist.as_ref(), &record.ip_allowlist)?;
    same(Parameter::MaxUses, key.max_uses.as_ref(), &record.limits.max_uses)?;
    same(Parameter::Metadata, key.metadata.as_ref(), &record.metadata)?;
    same(Parameter::Customer, key.customer.as_ref(), &record.owner.customer)
}

pub(super) async fn a_plaintext_is_given_once(stage: &Stage) -> Result<(), Miss> {
    let provider = stage.provider()?;
    let issued = success("create", provider.create(&stage.new_key(Operation::Create)).await)?;
    let plaintext = issued.plaintext.expose_secret();
    expect(!plaintext.is_empty(), "a plaintext", "an empty one")?;
    let mut printed =
        vec![("the issued key", format!("{issued:?} {issued:#?} {}", printed_record(recorded(&issued)?)))];
    if let Ok(record) = provider.get(&address(&issued)?).await {
        printed.push(("the record of a look-up", printed_record(&record)));
    }
    if stage.has(Operation::ListPage) {
        let pages = stage.pages(&*provider, 100).await?;
        let records = pages.iter().flat_map(|page| &page.items);
        printed.push(("the list", records.map(printed_record).collect()));
    }
    for (what, text) in printed {
        expect(!text.contains(plaintext), format!("no plaintext in what {what} prints"), "the plaintext")?;
    }
    Ok(())
}

pub(super) async fn create_refuses_what_the_vendor_does_not_take(stage: &Stage) -> Result<(), Miss> {
    refuses(stage, Operation::Create).await
}

pub(super) async fn register_refuses_what_the_vendor_does_not_take(stage: &Stage) -> Result<(), Miss> {
    refuses(stage, Operation::Register).await
}

async fn refuses(stage: &Stage, operation: Operation) -> Result<(), Miss> {
    let provider = stage.provider()?;
    for &parameter in Parameter::ALL {
        let mut key = stage.new_key(operation);
        let (what, kind) = match stage.info.capabilities().takes(operation, parameter) {
            None => {
                set(&mut key, parameter);
                (format!("{operation} with `{parameter}`, which the vendor does not take,"), ErrorKind::Unsupported)
            }
            Some(ParameterSupport::Required) => {
                unset(&mut key, parameter);
                (format!("{operation} without `{parameter}`, which the vendor needs,"), ErrorKind::InvalidRequest)
            }
            Some(_) => continue,
        };
        let plaintext = stage.own_plaintext(0);
        let seen = match operation {
            Operation::Register => stage.watch(async { provider.register(&key, &plaintext).await.map(drop) }).await,
            _ => stage.watch(async { provider.create(&key).await.map(drop) }).await,
        };
        refused_by_name(&what, kind, parameter.as_str(), seen)?;
    }
    Ok(())
}

pub(super) async fn a_lost_create_is_outcome_unknown(stage: &Stage) -> Result<(), Miss> {
    lost_is_outcome_unknown(stage, Operation::Create).await
}

pub(super) async fn a_throttled_create_is_sent_again(stage: &Stage) -> Result<(), Miss> {
    let provider = stage.provider()?;
    stage.proxy.plan([answer(429, &[(RETRY_AFTER, "1")])]);
    let (issued, sent) = stage.watch(provider.create(&stage.new_key(Operation::Create))).await;
    let _ = success("create after a 429", issued)?;
    expect(sent.len() == 2, "one request after the 429", format!("{} requests in all", sent.len()))
}

pub(super) async fn a_key_of_ones_own_is_a_key(stage: &Stage) -> Result<(), Miss> {
    let (provider, plaintext) = (stage.provider()?, stage.own_plaintext(0));
    let record = success("register", provider.register(&stage.new_key(Operation::Register), &plaintext).await)?;
    success("get of the key that was registered", provider.get(&record.address).await)?;
    let shown = printed_record(&record).contains(plaintext.expose_secret());
    expect(!shown, "no plaintext in what the record prints", "the plaintext")?;
    is_valid(stage, &*provider, &plaintext).await
}

/// Asks the vendor, if it verifies keys.
async fn is_valid(
    stage: &Stage,
    provider: &dyn keymux_core::ApiKeyProvider,
    plaintext: &keymux_core::SecretString,
) -> Result<(), Miss> {
    if !stage.has(Operation::Verify) {
        return Ok(());
    }
    match success("verify", provider.verify(plaintext, &stage.verify_request()).await)? {
        Verdict::Valid { .. } => Ok(()),
        verdict => fail("the vendor calls the plaintext valid", format!("{verdict:?}")),
    }
}

pub(super) async fn a_lost_registration_is_outcome_unknown(stage: &Stage) -> Result<(), Miss> {
    lost_is_outcome_unknown(stage, Operation::Register).await
}

pub(super) async fn a_rotated_key_has_a_new_plaintext(stage: &Stage) -> Result<(), Miss> {
    let (provider, seeded) = (stage.provider()?, stage.seed(0).await);
    let issued = success("rotate", provider.rotate(&seeded.address).await)?;
    let plaintext = issued.plaintext.expose_secret();
    let old = seeded.plaintext.as_ref().map(ExposeSecret::expose_secret);
    expect(!plaintext.is_empty() && old != Some(plaintext), "a new plaintext", "an empty one, or the old one")?;
    let text = format!("{issued:?} {issued:#?} {}", printed_record(recorded(&issued)?));
    expect(!text.contains(plaintext), "no plaintext in what the issued key prints", "the plaintext")?;
    success("get of the rotated key", provider.get(&address(&issued)?).await)?;
    is_valid(stage, &*provider, &issued.plaintext).await
}

pub(super) async fn a_lost_rotation_is_outcome_unknown(stage: &Stage) -> Result<(), Miss> {
    lost_is_outcome_unknown(stage, Operation::Rotate).await
}
