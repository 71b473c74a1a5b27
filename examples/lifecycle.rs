//! The life of a key at every vendor, over the trait alone: made, listed, changed, verified, rotated, revoked, as far as
//! the vendor can. What it cannot is told with the alternative.
//!
//! ```text
//! cargo run --example lifecycle
//! ```
#![allow(clippy::print_stdout, reason = "this program prints its result")]

use std::convert::Infallible;
use std::future::ready;

use keymux::rotation::{OldKeyEnd, Stage};
use keymux::{
    AccountName, Action, Change, Error, ErrorKind, IssuedKey, KeyPatch, KeyRecord, Keymux, NewKey, Operation,
    Parameter, Permission, RotationCause, Scope, SecretString, Verdict, VerifyRequest, baseten, braintrust, datkey,
    mielto, oneloop,
};
use keymux_emulator::Emulator;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let emulator = Emulator::start().await?;
    let keymux = stand_ins(&emulator)?;
    let names: Vec<AccountName> = keymux.accounts().map(|(name, _)| name.clone()).collect();
    for name in names {
        println!("{name}");
        match live(&keymux, &name).await {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Unsupported => println!("  {error}"),
            Err(error) => return Err(error.into()),
        }
        println!();
    }
    Ok(())
}

/// One key from its making to its end.
async fn live(keymux: &Keymux, account: &AccountName) -> Result<(), Error> {
    let capabilities = keymux.account(account)?.info().capabilities();
    let scope = scope(keymux, account).await?;

    let mut new = NewKey::new(scope.clone());
    let takes = |parameter| capabilities.takes(Operation::Create, parameter).is_some();
    if takes(Parameter::Name) {
        new = new.with_name("lifecycle");
    }
    if takes(Parameter::Permissions) && account.as_str() == "oneloop" {
        new = new.with_permissions([Permission { name: "invoices".to_owned(), actions: Some(vec![Action::Read]) }]);
    }
    if takes(Parameter::Customer) {
        new = new.with_customer("cust-1");
    }
    let issued = keymux.create(account, &new).await?;
    // The stand-ins tell where a new key is.
    let Some(mut key) = issued.record else { return Ok(()) };
    let mut plaintext = issued.plaintext;
    println!("  created   {}", key.key_ref());

    if capabilities.is_native(Operation::ListPage) {
        let mut keys = keymux.list(account, scope.clone(), None)?;
        let (mut count, mut found) = (0, false);
        while let Some(listed) = keys.next().await {
            count += 1;
            found |= listed?.address == key.address;
        }
        println!("  listed    {count} keys, {} among them", if found { "the new one" } else { "not the new one" });
    } else {
        tell(keymux, account, Operation::ListPage)?;
    }

    match patch(keymux, account)? {
        Some(patch) => {
            key = keymux.update(&key.key_ref(), &patch).await?;
            println!("  changed   {}", shown(&key));
        }
        None => tell(keymux, account, Operation::Update)?,
    }

    verify(keymux, account, &scope, &plaintext).await?;
    let mut stored = None;
    let store = |issued: IssuedKey| {
        stored = Some(issued);
        ready(Ok::<_, Infallible>(()))
    };
    match keymux.rotate(&key.key_ref(), store).await {
        Ok(rotated) => {
            // The old key was revoked only after this one was stored.
            if let Some(IssuedKey { record: Some(record), plaintext: new, .. }) = stored {
                (key, plaintext) = (record, new);
            }
            let old = match rotated.rotation.stage() {
                Stage::Done { old: OldKeyEnd::Revoked, .. } => "revoked",
                _ => "still there",
            };
            println!("  rotated   to {}, the old one is {old}", key.key_ref());
            verify(keymux, account, &scope, &plaintext).await?;
        }
        Err(stopped) => match stopped.into_parts() {
            (RotationCause::Vendor(error), _) if error.kind() == ErrorKind::Unsupported => {
                println!("  -         {error}");
            }
            (RotationCause::Vendor(error), _) => return Err(error),
            (other, _) => println!("  -         {other:?}"),
        },
    }

    keymux.revoke(&key.key_ref()).await?;
    match keymux.get(&key.key_ref()).await {
        Ok(record) => println!("  revoked   and still found: {}", record.status.state),
        Err(error) => println!("  revoked   and gone: {}", error.kind()),
    }
    Ok(())
}

/// The first scope of the account, where keys live in scopes; an API of its own at a vendor that lists none.
async fn scope(keymux: &Keymux, account: &AccountName) -> Result<Scope, Error> {
    let provider = keymux.account(account)?;
    let capabilities = provider.info().capabilities();
    if capabilities.takes(Operation::Create, Parameter::Scope).is_none() {
        return Ok(Scope::account());
    }
    if !capabilities.is_native(Operation::ScopesPage) {
        return Scope::new(["api_example"]);
    }
    let page = provider.scopes_page(None).await?;
    let first = page.items.into_iter().next();
    first.map_or_else(|| Ok(Scope::account()), |info| Ok(info.scope))
}

/// A change that the vendor takes, if it takes any.
fn patch(keymux: &Keymux, account: &AccountName) -> Result<Option<KeyPatch>, Error> {
    let capabilities = keymux.account(account)?.info().capabilities();
    let takes = |parameter| capabilities.takes(Operation::Update, parameter).is_some();
    Ok(if takes(Parameter::Name) {
        Some(KeyPatch::new().with_name(Change::Set("renamed".to_owned())))
    } else if takes(Parameter::MaxUses) {
        Some(KeyPatch::new().with_max_uses(Change::Set(10)))
    } else {
        None
    })
}

async fn verify(keymux: &Keymux, account: &AccountName, scope: &Scope, plaintext: &SecretString) -> Result<(), Error> {
    let capabilities = keymux.account(account)?.info().capabilities();
    // Where the vendor can tell keys of one scope from those of another.
    let takes_scope = capabilities.takes(Operation::Verify, Parameter::Scope).is_some();
    let request = if takes_scope { VerifyRequest::new(scope.clone()) } else { VerifyRequest::default() };
    match keymux.verify(account, plaintext, &request).await {
        Ok(Verdict::Valid { .. }) => println!("  verified  valid"),
        Ok(Verdict::Refused { reason, .. }) => println!("  verified  refused: {reason}"),
        Ok(verdict) => println!("  verified  could not tell: {verdict:?}"),
        Err(error) if error.kind() == ErrorKind::Unsupported => println!("  -         {error}"),
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Says what the vendor lacks, and what to do in its place.
fn tell(keymux: &Keymux, account: &AccountName, operation: Operation) -> Result<(), Error> {
    println!("  -         {}", keymux.account(account)?.info().unsupported(operation));
    Ok(())
}

fn shown(key: &KeyRecord) -> String {
    let uses = key.limits.max_uses.known().map(|uses| format!(", at most {uses} uses"));
    format!("{}{}", key.name.known().map_or("unnamed", String::as_str), uses.unwrap_or_default())
}

/// An account at each stand-in.
fn stand_ins(emulator: &Emulator) -> Result<Keymux, Error> {
    let [baseten, braintrust, mielto, datkey, oneloop] =
        [emulator.baseten(), emulator.braintrust(), emulator.mielto(), emulator.datkey(), emulator.oneloop()];
    Keymux::builder()
        .with_provider(baseten::Config::new(baseten.credential()).with_base_url(baseten.base_url()).build()?)
        .with_provider(braintrust::Config::new(braintrust.credential()).with_base_url(braintrust.base_url()).build()?)
        .with_provider(mielto::Config::new(mielto.credential()).with_base_url(mielto.base_url()).build()?)
        .with_provider(datkey::Config::new(datkey.credential()).with_base_url(datkey.base_url()).build()?)
        .with_provider(oneloop::Config::new(oneloop.credential()).with_base_url(oneloop.base_url()).build()?)
        .build()
}
