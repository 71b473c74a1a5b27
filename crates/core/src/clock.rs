//! The clock, the sleep and the random source: the only things that are handed in.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// A future that ends when a time is over.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Tells the time and waits. Tests hand in one of their own.
pub trait Clock: Debug + Send + Sync {
    /// A point in time that only moves forward, for what has elapsed.
    fn instant(&self) -> Instant;

    /// The time of day, for `Retry-After` dates and for keys that expire.
    fn timestamp(&self) -> Timestamp;

    /// Waits between two attempts.
    fn sleep(&self, duration: Duration) -> Sleep;

    /// Limits one attempt. A clock whose [`sleep`](Clock::sleep) does not wait in earnest must wait in earnest here if
    /// it is used with real sockets.
    fn time_limit(&self, duration: Duration) -> Sleep {
        self.sleep(duration)
    }
}

/// Tells what the jitter of a wait is.
pub trait Randomness: Debug + Send + Sync {
    /// A number from 0 up to, not including, 1.
    fn fraction(&self) -> f64;
}

/// The operating system's clock and Tokio's timer.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn instant(&self) -> Instant {
        Instant::now()
    }

    fn timestamp(&self) -> Timestamp {
        Timestamp::now()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// A fast generator, seeded by the operating system; jitter needs no better one.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandomness;

impl Randomness for SystemRandomness {
    fn fraction(&self) -> f64 {
        fastrand::f64()
    }
}
