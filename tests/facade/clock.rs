//! The emulator's clock as that of its clients: it stands still, and moves on when all of them wait.

use std::collections::BTreeMap;
use std::future::{pending, poll_fn};
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;
use keymux::{ClientOptions, Clock, Randomness, Sleep};
use keymux_emulator::Emulator;
use tokio::sync::Notify;

/// The time limit of an attempt, which waits for the vendor. A longer one is that of a call in a queue.
const ATTEMPT: Duration = Duration::from_secs(3600);
const CALL: Duration = Duration::from_secs(1_000_000);

/// An emulator whose clock moves when no attempt is being made and nobody else can go on. For a runtime of one thread.
#[derive(Debug, Clone)]
pub(crate) struct Stage(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    emulator: Emulator,
    began: (Instant, SystemTime),
    attempts: AtomicUsize,
    changed: Notify,
    sleepers: Mutex<Sleepers>,
}

#[derive(Debug, Default)]
struct Sleepers {
    next_id: u64,
    wakers: BTreeMap<(Duration, u64), Option<Waker>>,
}

struct Sleeper(Stage, (Duration, u64));

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.0.0.sleepers.lock().unwrap().wakers.remove(&self.1);
    }
}

/// While it lives, the clock stands still.
pub(crate) struct Held(Stage);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.0.attempts.fetch_sub(1, Ordering::SeqCst);
        self.0.0.changed.notify_one();
    }
}

impl Deref for Stage {
    type Target = Emulator;

    fn deref(&self) -> &Emulator {
        &self.0.emulator
    }
}

impl Stage {
    pub(crate) async fn with_keys(number: usize) -> Self {
        let emulator = Emulator::builder().with_keys(number).start().await.unwrap();
        emulator.stop_clock();
        let began = (Instant::now(), emulator.now());
        let (attempts, changed, sleepers) = (AtomicUsize::new(0), Notify::new(), Mutex::default());
        let stage = Self(Arc::new(Inner { emulator, began, attempts, changed, sleepers }));
        tokio::spawn(stage.clone().move_clock());
        stage
    }

    async fn move_clock(self) {
        loop {
            // On a runtime of one thread every task that can go on has its turn between two yields.
            let mut quiet = 0;
            while quiet < 4 && self.0.attempts.load(Ordering::SeqCst) == 0 {
                tokio::task::yield_now().await;
                quiet += 1;
            }
            let next = || self.0.sleepers.lock().unwrap().wakers.pop_first();
            match Some(()).filter(|()| self.0.attempts.load(Ordering::SeqCst) == 0).and_then(|()| next()) {
                Some(((at, _), waker)) => {
                    // The clock counts microseconds.
                    let ahead = at.saturating_sub(self.elapsed()).as_nanos().div_ceil(1000);
                    self.advance(Duration::from_micros(u64::try_from(ahead).unwrap()));
                    waker.into_iter().for_each(Waker::wake);
                }
                None => self.0.changed.notified().await,
            }
        }
    }

    /// Since the start, on the emulator's clock.
    pub(crate) fn elapsed(&self) -> Duration {
        self.now().duration_since(self.0.began.1).unwrap()
    }

    pub(crate) fn hold(&self) -> Held {
        self.0.attempts.fetch_add(1, Ordering::SeqCst);
        Held(self.clone())
    }

    /// Options with this clock.
    pub(crate) fn options(&self) -> ClientOptions {
        ClientOptions::new()
            .with_clock(Arc::new(self.clone()))
            .with_randomness(Arc::new(Half))
            .with_attempt_timeout(ATTEMPT)
            .with_total_timeout(CALL)
    }
}

impl Clock for Stage {
    fn instant(&self) -> Instant {
        self.0.began.0 + self.elapsed()
    }

    fn timestamp(&self) -> Timestamp {
        Timestamp::try_from(self.now()).unwrap()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let mut sleepers = self.0.sleepers.lock().unwrap();
        sleepers.next_id += 1;
        let key = (self.elapsed().saturating_add(duration), sleepers.next_id);
        sleepers.wakers.insert(key, None);
        self.0.changed.notify_one();
        let sleeper = Sleeper(self.clone(), key);
        Box::pin(poll_fn(move |context| {
            let Sleeper(stage, key) = &sleeper;
            match stage.0.sleepers.lock().unwrap().wakers.get_mut(key) {
                Some(waker) => {
                    *waker = Some(context.waker().clone());
                    Poll::Pending
                }
                None => Poll::Ready(()),
            }
        }))
    }

    fn time_limit(&self, duration: Duration) -> Sleep {
        if duration > ATTEMPT {
            return self.sleep(duration);
        }
        let held = self.hold();
        Box::pin(async move {
            let _held = held;
            pending::<()>().await;
        })
    }
}

/// No luck, and no bad luck.
#[derive(Debug)]
struct Half;

impl Randomness for Half {
    fn fraction(&self) -> f64 {
        0.5
    }
}
