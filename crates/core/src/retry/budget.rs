//! The retry budget: when most calls fail, retries stop adding load.

use std::sync::atomic::{AtomicU64, Ordering};

use super::RetryPolicy;

/// One retry, in the unit of the bucket, so that a success can add a fraction of one.
const RETRY: u64 = 1000;

/// A token bucket, shared by all clones of a client.
#[derive(Debug)]
pub(crate) struct Budget {
    tokens: AtomicU64,
    capacity: u64,
    credit: u64,
}

impl Budget {
    pub(crate) fn new(policy: &RetryPolicy) -> Self {
        let burst = u64::from(policy.budget_burst) * RETRY;
        // The ratio is not negative; the cast saturates.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "see above"
        )]
        let credit = (policy.budget_ratio * RETRY as f64) as u64;
        // Without a burst, successes can still save up for one retry.
        let capacity = if credit > 0 { burst.max(RETRY) } else { burst };
        Self { tokens: AtomicU64::new(burst), capacity, credit }
    }

    pub(crate) fn allows_retry(&self) -> bool {
        self.tokens.load(Ordering::Relaxed) >= RETRY
    }

    /// Takes one retry. Two tasks that both saw the last token may both take it; the bucket stays at zero.
    pub(crate) fn take_retry(&self) {
        self.change(|tokens| tokens.saturating_sub(RETRY));
    }

    pub(crate) fn add_success(&self) {
        if self.tokens.load(Ordering::Relaxed) < self.capacity {
            self.change(|tokens| tokens.saturating_add(self.credit).min(self.capacity));
        }
    }

    fn change(&self, change: impl Fn(u64) -> u64) {
        // The closure never declines, so that the update cannot fail.
        let _ = self.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tokens| Some(change(tokens)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_burst_a_retry_has_to_be_earned() {
        let budget = Budget::new(&RetryPolicy::default().with_budget(0, 0.5));
        assert!(!budget.allows_retry());
        budget.add_success();
        budget.add_success();
        assert!(budget.allows_retry());
        assert!(!Budget::new(&RetryPolicy::default().with_budget(0, 0.0)).allows_retry());
    }

    #[test]
    fn retries_end_with_the_burst_and_come_back_with_successes() {
        let budget = Budget::new(&RetryPolicy::default().with_budget(2, 0.5));
        budget.take_retry();
        assert!(budget.allows_retry());
        budget.take_retry();
        assert!(!budget.allows_retry());
        budget.add_success();
        assert!(!budget.allows_retry());
        budget.add_success();
        assert!(budget.allows_retry());
        (0..100).for_each(|_| budget.add_success());
        assert_eq!(budget.tokens.load(Ordering::Relaxed), 2 * RETRY, "never above the burst");
    }
}
