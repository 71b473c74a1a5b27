//! Looking keys up, and listing them.

use std::collections::BTreeSet;

use keymux_core::{ApiKeyProvider, Cursor, ErrorKind, KeyAddress, KeyRecord, KeyRef, Operation, Page};
use serde_json::Value;

use super::common::comparable;
use crate::harness::Seeded;
use crate::proxy::{Plan, answer, unreadable};
use crate::stage::Stage;
use crate::verdict::{Miss, expect, fail, success, told_of};

pub(super) async fn an_address_leads_back_to_its_key(stage: &Stage) -> Result<(), Miss> {
    let provider = stage.provider()?;
    for number in 0..2 {
        let address = stage.seed(number).await.address;
        let record = success("get of a seeded key", provider.get(&address).await)?;
        expect(record.address == address, format!("the address {address}"), record.address.to_string())?;
        let reference = record.key_ref().to_string();
        let parsed = success("parsing its reference", reference.parse::<KeyRef>())?;
        let again = success("get of its reference", provider.get(parsed.address()).await)?;
        expect(again.address == address, format!("{reference} leads to {address}"), again.address.to_string())?;
    }
    Ok(())
}

pub(super) async fn an_unknown_key_is_not_found(stage: &Stage) -> Result<(), Miss> {
    let provider = stage.provider()?;
    stage.seed(0).await;
    let unknown = Seeded::new(stage.harness.unknown());
    for operation in stage.operations() {
        if !matches!(operation, Operation::Get | Operation::Update | Operation::Rotate) {
            continue;
        }
        let done = stage.call(&*provider, operation, &unknown).await;
        let holds = done.error.as_ref().is_some_and(|error| error.kind() == ErrorKind::NotFound);
        expect(holds, format!("{operation} of {} is NotFound", unknown.address), done.told())?;
    }
    Ok(())
}

pub(super) async fn only_an_unknown_key_is_not_found(stage: &Stage) -> Result<(), Miss> {
    let address = stage.seed(0).await.address;
    let table: [(&str, Plan, &[ErrorKind]); 4] = [
        ("a 401", answer(401, &[]), &[ErrorKind::Unauthenticated]),
        ("a 429", answer(429, &[]), &[ErrorKind::RateLimited]),
        ("a 503", answer(503, &[]), &[ErrorKind::Server]),
        ("a lost answer", Plan::LoseAnswer, &[ErrorKind::Transport, ErrorKind::Timeout]),
    ];
    for (what, plan, kinds) in table {
        stage.proxy.plan(vec![plan; 16]);
        let result = stage.provider()?.get(&address).await;
        let holds = result.as_ref().is_err_and(|error| kinds.contains(&error.kind()));
        expect(holds, format!("get with {what} is one of {kinds:?}"), told_of(&result))?;
    }
    Ok(())
}

pub(super) async fn an_unreadable_answer_is_an_error(stage: &Stage) -> Result<(), Miss> {
    let address = stage.seed(0).await.address;
    stage.proxy.plan([unreadable()]);
    let result = stage.provider()?.get(&address).await;
    let holds = result.as_ref().is_err_and(|error| error.kind() == ErrorKind::Decode);
    expect(holds, "get with a page of HTML in place of JSON is Decode", told_of(&result))
}

pub(super) async fn looking_changes_nothing(stage: &Stage) -> Result<(), Miss> {
    let (provider, address) = (stage.provider()?, stage.seed(0).await.address);
    let first = success("get", provider.get(&address).await)?;
    if stage.has(Operation::ListPage) {
        stage.pages(&*provider, 100).await?;
    }
    let second = success("get", provider.get(&address).await)?;
    expect(first == second, format!("the same record again: {first:?}"), format!("{second:?}"))
}

/// More pages than the list of this rule can have.
fn too_many(stage: &Stage) -> usize {
    2 * stage.harness.page_size() + 100
}

/// The list of two pages and one key, and the addresses that were seeded.
async fn long_list(
    stage: &Stage,
    provider: &dyn ApiKeyProvider,
) -> Result<(Vec<Page<KeyRecord>>, BTreeSet<KeyAddress>), Miss> {
    let mut addresses = BTreeSet::new();
    for number in 0..=2 * stage.harness.page_size() {
        addresses.insert(stage.seed(number).await.address);
    }
    Ok((stage.pages(provider, too_many(stage)).await?, addresses))
}

pub(super) async fn each_key_is_listed_once(stage: &Stage) -> Result<(), Miss> {
    let provider = stage.provider()?;
    let (pages, seeded) = long_list(stage, &*provider).await?;
    let mut listed = BTreeSet::new();
    for record in pages.iter().flat_map(|page| &page.items) {
        let address = &record.address;
        expect(listed.insert(address.clone()), "each key once", format!("{address} a second time"))?;
    }
    match seeded.difference(&listed).next() {
        Some(address) => fail(format!("{} seeded keys in the list", seeded.len()), format!("{address} is not there")),
        None => Ok(()),
    }
}

pub(super) async fn a_list_goes_on_where_it_was_left(stage: &Stage) -> Result<(), Miss> {
    let provider = stage.provider()?;
    let (pages, _) = long_list(stage, &*provider).await?;
    if pages.len() < 2 {
        return Err(Miss::NotApplicable("the whole list came as one page".to_owned()));
    }
    let addresses = |page: &Page<KeyRecord>| page.items.iter().map(|key| key.address.clone()).collect::<Vec<_>>();
    for (page, then) in pages.iter().zip(pages.iter().skip(1)) {
        let stored = serde_json::to_string(&page.next).unwrap_or_default();
        let cursor: Option<Cursor> = serde_json::from_str(&stored).unwrap_or_default();
        let resumed = stage.provider()?.list_page(&stage.harness.scope(), cursor.as_ref()).await;
        let resumed = success(&format!("list_page of the stored cursor {stored}"), resumed)?;
        let (expected, seen) = (addresses(then), addresses(&resumed));
        expect(expected == seen, format!("a new provider goes on with {expected:?}"), format!("{seen:?}"))?;
    }
    Ok(())
}

pub(super) async fn a_list_ends(stage: &Stage) -> Result<(), Miss> {
    let provider = stage.provider()?;
    let (pages, _) = long_list(stage, &*provider).await?;
    let ends = pages.last().is_some_and(|page| page.next.is_none());
    expect(ends, "a last page, without a cursor", format!("a cursor on each of {} pages", pages.len()))
}

pub(super) async fn a_listed_record_is_as_from_get(stage: &Stage) -> Result<(), Miss> {
    let provider = stage.provider()?;
    stage.seed(0).await;
    for listed in stage.pages(&*provider, 100).await?.iter().flat_map(|page| &page.items) {
        let got = success(&format!("get of the listed key {}", listed.address), provider.get(&listed.address).await)?;
        let (listed, got) = (comparable(listed), comparable(&got));
        expect(listed == got, format!("the record of a look-up: {got}"), listed.to_string())?;
    }
    Ok(())
}

pub(super) async fn a_row_that_cannot_be_read_is_told_beside_the_others(stage: &Stage) -> Result<(), Miss> {
    let provider = stage.provider()?;
    stage.seed(0).await;
    stage.seed(1).await;
    let whole = success("list_page", provider.list_page(&stage.harness.scope(), None).await)?;
    stage.proxy.plan([Plan::Rewrite(spoil_a_row)]);
    let page = success(
        "list_page of a page of which one row is no object",
        provider.list_page(&stage.harness.scope(), None).await,
    )?;
    if page.items.len() == whole.items.len() && page.unreadable.is_empty() {
        return Err(Miss::NotApplicable("no list of objects in the vendor's answer to spoil".to_owned()));
    }
    let mut others: BTreeSet<_> = whole.items.iter().map(|key| &key.address).collect();
    whole.items.first().map(|spoilt| others.remove(&spoilt.address));
    let given: BTreeSet<_> = page.items.iter().map(|key| &key.address).collect();
    expect(others == given, format!("the {} other rows", others.len()), format!("{} rows", given.len()))?;
    let decode = page.unreadable.iter().all(|error| error.kind() == ErrorKind::Decode);
    let told = format!("{} errors: {:?}", page.unreadable.len(), page.unreadable);
    expect(page.unreadable.len() == 1 && decode, "one error, Decode, of the row that is no object", told)
}

/// Puts a number in the place of the first object of the body's list.
fn spoil_a_row(body: &mut Value) {
    let list = match body {
        Value::Array(rows) => Some(rows),
        Value::Object(members) => members.values_mut().find_map(|member| match member {
            Value::Array(rows) if rows.first().is_some_and(Value::is_object) => Some(rows),
            _ => None,
        }),
        _ => None,
    };
    if let Some(row) = list.and_then(|rows| rows.first_mut()) {
        *row = Value::from(0);
    }
}

pub(super) async fn the_scopes_have_that_of_the_keys(stage: &Stage) -> Result<(), Miss> {
    let provider = stage.provider()?;
    stage.seed(0).await;
    let (mut cursor, mut scopes, mut pages) = (None::<Cursor>, Vec::new(), 0);
    loop {
        let page = success("scopes_page", provider.scopes_page(cursor.as_ref()).await)?;
        scopes.extend(page.items.into_iter().map(|info| info.scope));
        cursor = page.next;
        pages += 1;
        if cursor.is_none() {
            break;
        }
        expect(pages < too_many(stage), "a last page of scopes, without a cursor", format!("{pages} pages"))?;
    }
    let own = stage.harness.scope();
    expect(scopes.contains(&own), format!("the scope {own} among the scopes"), format!("{scopes:?}"))?;
    if stage.has(Operation::ListPage) {
        for scope in &scopes {
            success(&format!("list_page of the scope {scope}"), provider.list_page(scope, None).await)?;
        }
    }
    Ok(())
}
