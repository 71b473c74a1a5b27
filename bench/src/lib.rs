//! What every worker shares: the trait of a peer, the counting allocator, and the loops that are measured.
//!
//! A worker is a process that does one thing `n` times, and prints what it cost as `name=number`. There is one for each
//! peer, so that nothing of one peer is linked into another.

pub mod model;
pub mod wire;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::future::Future;
use std::hint::black_box;
use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};

/// The id that is looked up; the server answers with it.
pub const KEY_ID: &str = "key_000000001";
/// The credential that every peer sends.
pub const CREDENTIAL: &str = "mk_test_EXAMPLE0000000001";

/// Any way to look a key up.
pub trait Peer: Sized + 'static {
    /// A client of the server at `base`.
    fn connect(base: &str) -> impl Future<Output = Self>;

    /// The same client for one more task; a connection of its own, where the client holds but one.
    fn another(&self) -> impl Future<Output = Self>;

    /// Looks the key up, and gives the length of its name, so that the answer is used.
    fn get(&mut self) -> impl Future<Output = usize>;
}

/// The system's allocator, counting what is asked of it. One thread allocates in a worker, so that a plain counter does.
pub struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<u64> = const { Cell::new(0) };
}

fn count(bytes: usize) {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
    BYTES.set(BYTES.get() + bytes as u64);
}

// The trait is unsafe; every call is passed on as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Counts the allocations of the process that this is used in.
#[macro_export]
macro_rules! counted {
    () => {
        #[global_allocator]
        static ALLOCATOR: $crate::Counting = $crate::Counting;
    };
}

/// What a stretch of work cost.
#[derive(Clone, Copy)]
pub struct Meter {
    started: Instant,
    cpu: Duration,
    allocations: u64,
    bytes: u64,
}

impl Meter {
    #[must_use]
    pub fn start() -> Self {
        Self { started: Instant::now(), cpu: cpu_time(), allocations: ALLOCATIONS.get(), bytes: BYTES.get() }
    }

    /// Prints what `n` units of work cost, in all and each.
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    pub fn report(&self, n: u64) {
        let seconds = self.started.elapsed().as_secs_f64();
        let cpu = (cpu_time() - self.cpu).as_secs_f64();
        println!("seconds={seconds}");
        println!("per_second={}", n as f64 / seconds);
        println!("cpu_us={}", cpu * 1e6 / n as f64);
        println!("busy={}", cpu / seconds);
        println!("allocations={}", (ALLOCATIONS.get() - self.allocations) as f64 / n as f64);
        println!("bytes={}", (BYTES.get() - self.bytes) as f64 / n as f64);
        println!("peak_kib={}", peak_kib());
    }
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).unwrap();
    Duration::from(time)
}

/// The largest resident memory of this process so far.
#[must_use]
pub fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// The current-thread runtime: the peers differ in what they do, and not in how a scheduler feels today.
pub fn on_runtime<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // Spawned tasks of peers need not be `Send`.
    tokio::task::LocalSet::new().block_on(&runtime, work)
}

/// The worker of a peer: `one BASE N`, `many BASE N` (64 at a time), or `cold BASE`.
pub fn work<P: Peer>() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    on_runtime(async {
        match *arguments.as_slice() {
            ["cold", base] => {
                black_box(P::connect(base).await.get().await);
                println!("done=1");
            }
            ["one", base, n] => {
                let n: u64 = n.parse().unwrap();
                let mut peer = P::connect(base).await;
                // Connects, and fills what is filled once.
                for _ in 0..10 {
                    peer.get().await;
                }
                let meter = Meter::start();
                for _ in 0..n {
                    black_box(peer.get().await);
                }
                meter.report(n);
            }
            ["many", base, n] => {
                let each = n.parse::<u64>().unwrap() / 64;
                let first = P::connect(base).await;
                let mut peers = Vec::new();
                for _ in 0..64 {
                    peers.push(first.another().await);
                }
                // Connects them all.
                let peers = in_tasks(peers, 10).await;
                let meter = Meter::start();
                in_tasks(peers, each).await;
                meter.report(each * 64);
            }
            _ => panic!("one BASE N | many BASE N | cold BASE"),
        }
    });
}

/// Lets each peer look the key up so many times, all at once, and gives them back.
async fn in_tasks<P: Peer>(peers: Vec<P>, each: u64) -> Vec<P> {
    let tasks = peers.into_iter().map(|mut peer| {
        tokio::task::spawn_local(async move {
            for _ in 0..each {
                black_box(peer.get().await);
            }
            peer
        })
    });
    let mut peers = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        peers.push(task.await.unwrap());
    }
    peers
}
