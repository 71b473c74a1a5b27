//! The guard of every list that comes in pages: where it would never end, it ends with an error.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeSet, HashSet};
use std::hash::{Hash, Hasher};

use crate::capability::Operation;
use crate::error::{Error, ErrorKind};
use crate::names::{AccountName, ProviderId};
use crate::page::{Cursor, MAX_CURSOR_BYTES};

/// After so many pages in a row without anything new a list is taken for endless: a vendor that does not look at where a
/// page is to begin gives the first one for ever.
const MAX_FRUITLESS: u64 = 100;

/// The most scopes that one account may list. Vendors document no number; accounts have tens of them.
const MAX_SCOPES: u64 = 100_000;

/// How many identities are remembered beyond the page before.
const SAMPLE: usize = 64;

/// Follows one list of keys or of scopes, page by page, and refuses what has no end.
///
/// Give each page to [`turn`](ListGuard::turn) as it comes; it returns where the list goes on. These are errors of the
/// kind [`ErrorKind::Decode`], after which nothing more of the list may be asked for:
///
/// - a cursor that the vendor gave before, in a cycle of any length;
/// - a cursor of more than [`MAX_CURSOR_BYTES`];
/// - more pages after 100 in a row that are empty or hold what the last one that was not empty holds, whatever their
///   cursors are;
/// - more pages after the list has given the same keys or scopes twice over, in a cycle of any length;
/// - more than 100,000 scopes. Keys are not limited.
///
/// It remembers 8 bytes for each page, and of keys and scopes those of two pages and a sample of 64.
#[derive(Debug)]
pub struct ListGuard {
    operation: Operation,
    provider: ProviderId,
    account: Option<AccountName>,
    /// The cursors that were followed, as hashes.
    followed: HashSet<u64>,
    /// The identities on the last two pages that were not empty, as hashes.
    before: HashSet<u64>,
    here: HashSet<u64>,
    /// How many pages in a row brought nothing that was not on the one before.
    fruitless: u64,
    sample: Sample,
    /// How many entries were listed.
    listed: u64,
}

/// The identities with the smallest hashes. While what comes is new, one of them is now and then smaller than these: when
/// a list has doubled without any, it repeats itself (of a list that does not, it would be true once in 2^64 times).
#[derive(Debug, Default)]
struct Sample {
    smallest: BTreeSet<u64>,
    /// How many entries came until the sample last changed, and how many entries and pages since.
    until: u64,
    since: u64,
    pages: u64,
}

impl Sample {
    fn take(&mut self, identity: u64) {
        self.since += 1;
        let is_full = self.smallest.len() == SAMPLE;
        if is_full && self.smallest.last().is_some_and(|largest| identity >= *largest) {
            return;
        }
        if self.smallest.insert(identity) {
            if is_full {
                self.smallest.pop_last();
            }
            self.until += std::mem::take(&mut self.since);
            self.pages = 0;
        }
    }

    fn repeats(&self) -> bool {
        self.pages >= MAX_FRUITLESS && self.since >= self.until
    }
}

impl ListGuard {
    /// Follows the pages of `operation`, [`Operation::ListPage`] or [`Operation::ScopesPage`], at this vendor.
    #[must_use]
    pub fn new(operation: Operation, provider: ProviderId) -> Self {
        Self {
            operation,
            provider,
            account: None,
            followed: HashSet::new(),
            before: HashSet::new(),
            here: HashSet::new(),
            fruitless: 0,
            sample: Sample::default(),
            listed: 0,
        }
    }

    /// Names the account in errors.
    #[must_use]
    pub fn with_account(mut self, account: AccountName) -> Self {
        self.account = Some(account);
        self
    }

    /// Notes the page that was fetched at `at`: the identities of what it holds (the address of each key, each scope), and
    /// where it says the list goes on. Returns that cursor, or `None` after the last page.
    pub fn turn<I: Hash>(
        &mut self,
        at: Option<&Cursor>,
        identities: impl IntoIterator<Item = I>,
        next: Option<Cursor>,
    ) -> Result<Option<Cursor>, Error> {
        self.sample.pages += 1;
        let mut page = HashSet::new();
        for identity in identities {
            let identity = hash(&identity);
            page.insert(identity);
            self.sample.take(identity);
            self.listed += 1;
        }
        let brings_none = page.is_subset(&self.here);
        if !page.is_empty() {
            self.before = std::mem::replace(&mut self.here, page);
        }
        self.fruitless = if brings_none { self.fruitless + 1 } else { 0 };
        let one = if self.operation == Operation::ScopesPage { "scope" } else { "key" };
        if one == "scope" && self.listed > MAX_SCOPES {
            return Err(self.refused(format!(
                "the vendor lists more than {MAX_SCOPES} scopes in one account, which is taken for a list without an end; \
                 name the scopes to be read"
            )));
        }
        let Some(next) = next else { return Ok(None) };
        if next.as_str().len() > MAX_CURSOR_BYTES {
            return Err(self.refused(format!(
                "the vendor gave a cursor of {} bytes; at most {MAX_CURSOR_BYTES} are sent, so the rest of the list cannot be \
                 read",
                next.as_str().len()
            )));
        }
        // The page that the list was begun at counts as followed.
        self.followed.extend(at.map(hash));
        if !self.followed.insert(hash(&next)) {
            return Err(self.refused("the vendor gave a cursor again that it gave before; the list would never end"));
        }
        if self.fruitless >= MAX_FRUITLESS || self.sample.repeats() {
            let pages = self.fruitless.max(self.sample.pages);
            return Err(self.refused(format!(
                "the vendor says that there is more, and the last {pages} pages brought no new {one}"
            )));
        }
        Ok(Some(next))
    }

    /// Whether this identity of the last page was on the one before it, empty pages aside.
    pub(crate) fn was_before(&self, identity: &impl Hash) -> bool {
        !self.before.is_empty() && self.before.contains(&hash(identity))
    }

    fn refused(&self, reason: impl Into<String>) -> Error {
        let error = Error::new(ErrorKind::Decode)
            .with_provider(self.provider.clone())
            .with_operation(self.operation.as_str())
            .with_message(reason);
        match &self.account {
            Some(account) => error.with_account(account.clone()),
            None => error,
        }
    }
}

fn hash(identity: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    identity.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

    use super::*;

    /// How many pages are followed until the guard refuses; `page` gives the identities of a page, whose cursor is new.
    fn pages(operation: Operation, most: u64, page: impl Fn(u64) -> Vec<u64>) -> Option<(u64, String)> {
        let mut guard = ListGuard::new(operation, ProviderId::new("acme"));
        let mut at = None;
        for number in 0..most {
            match guard.turn(at.as_ref(), page(number), Some(Cursor::new(number.to_string()))) {
                Ok(next) => at = next,
                Err(error) => return Some((number + 1, error.to_string())),
            }
        }
        None
    }

    #[test]
    fn a_list_that_repeats_itself_is_found_whatever_the_length_of_its_cycle() {
        for operation in [Operation::ListPage, Operation::ScopesPage] {
            for (cycle, size) in [(1, 0), (1, 1), (2, 1), (3, 20), (10, 100), (300, 5), (200, 100)] {
                let page = |number| (0..size).map(|row| (number % cycle) * size + row).collect();
                let (found, error) = pages(operation, 100 + 2 * cycle + 100, page).unwrap();
                assert!(found >= 100, "{found} pages of a cycle of {cycle}");
                assert!(error.contains("brought no new"), "{error}");
            }
        }
    }

    #[test]
    fn a_list_that_goes_on_with_new_keys_is_followed() {
        assert_eq!(pages(Operation::ListPage, 20_000, |number| vec![number]), None);
        // Large pages first, then many small ones, and empty ones between.
        let shrinking = |number: u64| match number {
            0..100 => (number * 1000..(number + 1) * 1000).collect(),
            _ if number % 50 == 0 => vec![1_000_000 + number],
            _ => Vec::new(),
        };
        assert_eq!(pages(Operation::ListPage, 5000, shrinking), None);
        // Each page holds half of the one before: the list moves while it is read.
        assert_eq!(pages(Operation::ListPage, 2000, |number| (number * 5..number * 5 + 10).collect()), None);
    }

    #[test]
    fn scopes_of_one_account_have_a_most_and_keys_have_none() {
        let fresh = |number: u64| (number * 1000..(number + 1) * 1000).collect();
        let (found, error) = pages(Operation::ScopesPage, 1000, fresh).unwrap();
        assert_eq!(found, 101);
        assert!(error.contains("more than 100000 scopes"), "{error}");
        assert_eq!(pages(Operation::ListPage, 200, fresh), None);
    }

    #[test]
    fn cursors_go_round_in_no_cycle_and_have_a_most() {
        let mut guard =
            ListGuard::new(Operation::ListPage, ProviderId::new("acme")).with_account("prod".parse().unwrap());
        let cursor = |text: &str| Some(Cursor::new(text));
        guard.turn(None, [1], cursor("a")).unwrap();
        guard.turn(cursor("a").as_ref(), [2], cursor("b")).unwrap();
        let error = guard.turn(cursor("b").as_ref(), [3], cursor("a")).unwrap_err();
        assert!(error.to_string().contains("gave a cursor again"), "{error}");
        assert_eq!((error.kind(), error.account().unwrap().as_str()), (ErrorKind::Decode, "prod"));
        guard.turn(None, [4], cursor(&"x".repeat(MAX_CURSOR_BYTES))).unwrap();
        let error = guard.turn(None, [5], cursor(&"x".repeat(MAX_CURSOR_BYTES + 1))).unwrap_err();
        assert!(error.to_string().contains("a cursor of 4097 bytes") && !error.is_retryable(), "{error}");
        assert_eq!(guard.turn(None, [6], None).unwrap(), None);
    }
}
