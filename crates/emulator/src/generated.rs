//! Keys that are made when they are asked for, so that a million of them take no memory.
//!
//! A key is a function of the seed number, the vendor, the number of keys, its index and, for its times, the day. Its id ends in a token that
//! holds the index, so that a look-up computes where others search.

use crate::clock::Instant;
use crate::entry::{Address, Entry};

/// How many keys can be generated for each vendor.
pub const MAX_KEYS: usize = 1_000_000;

/// No group and no workspace has more generated keys than this: a list without pages stays below 8 MiB.
const KEYS_OF_AN_OWNER: u64 = 10_000;

/// Few keys are spread too.
const FEWEST_OWNERS: u64 = 4;

/// An index has six digits, and so has the mark that hides it.
const TOKEN: usize = 12;
const MARKS: u64 = 1_000_000;

/// How the keys of a vendor are made.
#[derive(Debug)]
pub(crate) struct Recipe {
    /// The id of the group or workspace with this number.
    pub(crate) owner: fn(&Draw) -> String,
    /// The ids of a key. The last one ends in the token.
    pub(crate) address: fn(&Draw, owner: &str) -> Address,
    /// The object with this address, and its plaintext, which ends in the token if keys are looked up by it.
    pub(crate) key: fn(&Draw, owner: &str, address: Address) -> Entry,
}

/// The generated keys of a vendor.
#[derive(Debug)]
pub(crate) struct Generated {
    recipe: &'static Recipe,
    seed: u64,
    /// The beginning of the day on which the emulator was started: expiries and uses are on both sides of it.
    now: Instant,
    count: u64,
    owners: Vec<String>,
}

impl Generated {
    /// No more than [`MAX_KEYS`] keys.
    pub(crate) fn new(recipe: &'static Recipe, vendor: &str, seed: u64, count: usize, now: Instant) -> Self {
        // Emulators of one day have the same keys.
        let now = Instant(now.0 - now.0 % DAY);
        let seed = mixed(seed ^ hash(vendor));
        let count = u64::try_from(count.min(MAX_KEYS)).unwrap_or_default();
        let owners = (0..count.div_ceil(KEYS_OF_AN_OWNER).max(FEWEST_OWNERS))
            .map(|index| (recipe.owner)(&Draw { seed: mixed(seed), now, index }))
            .collect();
        Self { recipe, seed, now, count, owners }
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The groups or workspaces of the keys. The key with an index belongs to the one with its remainder.
    pub(crate) fn owners(&self) -> &[String] {
        &self.owners
    }

    pub(crate) fn address(&self, index: u64) -> Option<Address> {
        let (draw, owner) = self.draw(index)?;
        Some((self.recipe.address)(&draw, owner))
    }

    pub(crate) fn entry(&self, index: u64) -> Option<Entry> {
        let (draw, owner) = self.draw(index)?;
        Some((self.recipe.key)(&draw, owner, (self.recipe.address)(&draw, owner)))
    }

    /// The index of the key with this address.
    pub(crate) fn index_of(&self, address: &[String]) -> Option<u64> {
        let index = self.index_in(address.last()?)?;
        (self.address(index)? == address).then_some(index)
    }

    /// The index that a token at the end of a text holds, which may be the token of no key.
    pub(crate) fn index_in(&self, text: &str) -> Option<u64> {
        let token = text.get(text.len().checked_sub(TOKEN)?..)?;
        let (mark, hidden) = token.split_at_checked(TOKEN / 2)?;
        let number = |digits: &str| digits.parse::<u64>().ok().filter(|number| *number < MARKS);
        let index = (number(hidden)? + MARKS - number(mark)?) % MARKS;
        (index < self.count).then_some(index)
    }

    fn draw(&self, index: u64) -> Option<(Draw, &str)> {
        let owner = index.checked_rem(u64::try_from(self.owners.len()).ok()?)?;
        let owner = self.owners.get(usize::try_from(owner).ok()?)?;
        (index < self.count).then_some((Draw { seed: self.seed, now: self.now, index }, owner))
    }
}

/// The source of what differs between keys: always the same for the same question.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draw {
    seed: u64,
    pub(crate) now: Instant,
    pub(crate) index: u64,
}

impl Draw {
    /// Any number, another for each question.
    pub(crate) fn number(&self, question: &str) -> u64 {
        mixed(mixed(self.seed ^ self.index) ^ hash(question))
    }

    /// A number below a limit.
    pub(crate) fn below(&self, question: &str, limit: u64) -> u64 {
        self.number(question).checked_rem(limit).unwrap_or_default()
    }

    /// Whether this is one of the keys that lack something or differ otherwise: about one in so many. The first key
    /// never is: it shows most of what a vendor can tell.
    pub(crate) fn one_in(&self, question: &str, many: u64) -> bool {
        self.index > 0 && self.below(question, many) == 0
    }

    pub(crate) fn pick<T: Copy>(&self, question: &str, all: &[T]) -> Option<T> {
        let place = self.below(question, u64::try_from(all.len()).ok()?);
        all.get(usize::try_from(place).ok()?).copied()
    }

    /// A name of its own for each key, which ends in its index.
    pub(crate) fn name(&self) -> String {
        const PLACES: [&str; 8] = ["staging", "production", "eu", "us", "nightly", "mobile", "batch", "partner"];
        const USES: [&str; 8] = ["deploy", "importer", "billing", "reports", "gateway", "search", "tests", "backup"];
        let word = |question, words| self.pick(question, words).unwrap_or_default();
        format!("{} {} {}", word("place", &PLACES), word("use", &USES), self.index)
    }

    /// Twelve digits that hold the index.
    pub(crate) fn token(&self) -> String {
        let mark = self.below("mark", MARKS);
        let hidden = (self.index + mark) % MARKS;
        format!("{mark:06}{hidden:06}")
    }

    /// A UUID that ends in the token.
    pub(crate) fn uuid(&self) -> String {
        let bits = self.number("uuid");
        let [head, mid, version, variant] = [bits >> 32, bits >> 16 & 0xffff, bits >> 8 & 0xfff, bits & 0xfff];
        format!("{head:08x}-{mid:04x}-4{version:03x}-8{variant:03x}-{}", self.token())
    }

    /// An instant on one of so many days before the keys were made.
    pub(crate) fn past(&self, question: &str, days: u64) -> Instant {
        Instant(self.now.0.saturating_sub(self.below(question, days * DAY)))
    }

    /// When a key was made: on one of the last 545 days.
    pub(crate) fn created(&self) -> Instant {
        self.past("created", PAST_DAYS)
    }

    /// An instant between the making of a key and now.
    pub(crate) fn since_created(&self, question: &str) -> Instant {
        let created = self.created().0;
        Instant(created + self.below(question, self.now.0.saturating_sub(created).max(1)))
    }

    /// When a key was last used: never (one in three), in the last week, or at any time since it was made.
    pub(crate) fn used(&self) -> Option<Instant> {
        if self.one_in("not used", 3) {
            return None;
        }
        let since_created = self.since_created("used");
        let is_busy = self.one_in("busy", 2);
        Some(if is_busy { self.past("used lately", 7).max(self.created()) } else { since_created })
    }

    /// When a key ends: never (one in two), else some time ago, in the next days or weeks, or in some years.
    pub(crate) fn expiry(&self) -> Option<Instant> {
        if self.one_in("no expiry", 2) {
            return None;
        }
        let ahead = |days: u64| Instant(self.now.0 + DAY + self.below("expiry", days * DAY));
        Some(if self.one_in("expired", 4) {
            self.since_created("expiry")
        } else if self.one_in("ends soon", 4) {
            ahead(6)
        } else if self.one_in("ends in weeks", 3) {
            ahead(60)
        } else {
            ahead(1000)
        })
    }
}

/// In milliseconds.
const DAY: u64 = 86_400_000;

/// The oldest key is as old as this.
const PAST_DAYS: u64 = 545;

/// Bits that depend on every bit of the number: the finish of SplitMix64.
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// FNV-1a.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
