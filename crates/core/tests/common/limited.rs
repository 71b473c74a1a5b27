//! A vendor with a limiter on real sockets, and a clock that moves when everybody waits.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use keymux_core::{ClientOptions, Clock, Pipeline, Sleep};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::pipeline;

/// The longest time limit of an attempt, which waits for the vendor. A longer one is that of a call in a queue.
const ATTEMPT: Duration = Duration::from_secs(3600);

/// A clock whose time moves on when no attempt is being made and nobody else can go on.
#[derive(Debug, Clone)]
pub(crate) struct IdleClock(Arc<Idle>);

#[derive(Debug)]
struct Idle {
    started: Instant,
    attempts: AtomicUsize,
    sleepers: Mutex<Sleepers>,
}

#[derive(Debug, Default)]
struct Sleepers {
    elapsed: Duration,
    next_id: u64,
    wakers: BTreeMap<(Duration, u64), Option<Waker>>,
}

struct Sleeper(Arc<Idle>, (Duration, u64));

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.0.sleepers.lock().unwrap().wakers.remove(&self.1);
    }
}

struct Attempt(Arc<Idle>);

impl Drop for Attempt {
    fn drop(&mut self) {
        self.0.attempts.fetch_sub(1, Ordering::SeqCst);
    }
}

impl IdleClock {
    pub(crate) fn new() -> Self {
        let idle = Idle { started: Instant::now(), attempts: AtomicUsize::new(0), sleepers: Mutex::default() };
        let idle = Arc::new(idle);
        let clock = Self(Arc::clone(&idle));
        tokio::spawn(async move {
            loop {
                // On this runtime of one thread every task that can go on has its permit between two yields.
                let mut quiet = 0;
                while quiet < 4 {
                    tokio::task::yield_now().await;
                    quiet = if idle.attempts.load(Ordering::SeqCst) == 0 { quiet + 1 } else { 0 };
                }
                let mut state = idle.sleepers.lock().unwrap();
                if let Some((&(at, id), waker)) = state.wakers.iter_mut().next() {
                    let waker = waker.take();
                    state.wakers.remove(&(at, id));
                    state.elapsed = state.elapsed.max(at);
                    waker.into_iter().for_each(Waker::wake);
                }
            }
        });
        clock
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.sleepers.lock().unwrap().elapsed
    }
}

impl Clock for IdleClock {
    fn instant(&self) -> Instant {
        self.0.started + self.elapsed()
    }

    fn timestamp(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH + self.elapsed()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let mut state = self.0.sleepers.lock().unwrap();
        state.next_id += 1;
        let key = (state.elapsed.saturating_add(duration), state.next_id);
        state.wakers.insert(key, None);
        let sleeper = Sleeper(Arc::clone(&self.0), key);
        Box::pin(poll_fn(move |context| {
            let Sleeper(idle, key) = &sleeper;
            match idle.sleepers.lock().unwrap().wakers.get_mut(key) {
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
        self.0.attempts.fetch_add(1, Ordering::SeqCst);
        let attempt = Attempt(Arc::clone(&self.0));
        Box::pin(async move {
            let _attempt = attempt;
            tokio::time::sleep(Duration::from_secs(60)).await;
        })
    }
}

/// What the vendor answers to its nth request, from 0, at this time of the clock.
type Rule = Arc<dyn Fn(usize, Duration, &str) -> String + Send + Sync>;

/// Answers each request by a rule, and notes it.
pub(crate) struct Vendor {
    url: String,
    clock: IdleClock,
    /// When requests came, and what they were answered.
    seen: Arc<Mutex<Vec<(Duration, String)>>>,
}

impl Vendor {
    pub(crate) async fn start(
        clock: &IdleClock,
        rule: impl Fn(usize, Duration, &str) -> String + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let rule: Rule = Arc::new(rule);
        let vendor = Self { url, clock: clock.clone(), seen: Arc::clone(&seen) };
        let clock = clock.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, clock.clone(), Arc::clone(&rule), Arc::clone(&seen)));
            }
        });
        vendor
    }

    /// Allows `limit` requests in each second of the clock, and tells refused ones to come back in a second.
    pub(crate) async fn limited(clock: &IdleClock, limit: usize) -> Self {
        let second = Mutex::new((0, 0));
        Self::start(clock, move |_, now, _| {
            let mut second = second.lock().unwrap();
            if second.0 != now.as_secs() {
                *second = (now.as_secs(), 0);
            }
            second.1 += 1;
            if second.1 <= limit { ok() } else { refused("Retry-After: 1") }
        })
        .await
    }

    pub(crate) fn client(&self, options: ClientOptions) -> Pipeline {
        let options = options.with_clock(Arc::new(self.clock.clone())).with_attempt_timeout(ATTEMPT);
        pipeline(&self.url, options)
    }

    pub(crate) fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    pub(crate) fn times(&self) -> Vec<Duration> {
        self.seen.lock().unwrap().iter().map(|(at, _)| *at).collect()
    }

    pub(crate) fn refusals(&self) -> usize {
        self.seen.lock().unwrap().iter().filter(|(_, answer)| answer.starts_with("HTTP/1.1 429")).count()
    }
}

async fn serve(mut stream: TcpStream, clock: IdleClock, rule: Rule, seen: Arc<Mutex<Vec<(Duration, String)>>>) {
    let mut buffer = Vec::new();
    loop {
        while !buffer.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
            if !matches!(stream.read_buf(&mut buffer).await, Ok(1..)) {
                return;
            }
        }
        let head = String::from_utf8(std::mem::take(&mut buffer)).unwrap();
        let answer = {
            let mut seen = seen.lock().unwrap();
            let now = clock.elapsed();
            let answer = rule(seen.len(), now, head.lines().next().unwrap_or_default());
            seen.push((now, answer.clone()));
            answer
        };
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

pub(crate) fn answer(status: &str, header: &str, body: &str) -> String {
    let header = if header.is_empty() { String::new() } else { format!("{header}\r\n") };
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{header}\r\n{body}", body.len())
}

pub(crate) fn ok() -> String {
    answer("200 OK", "", r#"{"id":"a"}"#)
}

pub(crate) fn refused(header: &str) -> String {
    answer("429 Too Many Requests", header, "")
}

pub(crate) fn unauthenticated() -> String {
    answer("401 Unauthorized", "", r#"{"code":"BAD_TOKEN","message":"who are you"}"#)
}
