//! Numbers that nobody else has: ids of leases and of changes. They are no secrets.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// 16 hexadecimal digits. The standard library seeds each of these hashers from the operating system.
pub(crate) fn digits() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_alike() {
        let all: std::collections::BTreeSet<String> = (0..1000).map(|_| digits()).collect();
        assert!(all.len() == 1000 && all.iter().all(|id| id.len() == 16), "{}", all.len());
    }
}
