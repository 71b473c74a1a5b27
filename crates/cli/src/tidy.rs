//! What has to be undone before the program ends, whoever ends it: a reserved file goes, a terminal shows again what is
//! typed. What must not be cut short is waited for.

use std::process;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::exit::Exit;

/// How long an end waits for what must not be cut short, such as a plaintext that is being written.
const PATIENCE: Duration = Duration::from_secs(2);

struct Registry {
    undo: Vec<(u64, Box<dyn FnOnce() + Send>)>,
    next: u64,
    /// How many things are under way that must not be cut short.
    busy: usize,
}

static REGISTRY: Mutex<Registry> = Mutex::new(Registry { undo: Vec::new(), next: 0, busy: 0 });
static IDLE: Condvar = Condvar::new();

fn registry() -> MutexGuard<'static, Registry> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Something that is undone when this is dropped, or when the program ends before.
#[derive(Debug)]
#[must_use]
pub(crate) struct Undo(u64);

impl Undo {
    pub(crate) fn new(undo: impl FnOnce() + Send + 'static) -> Self {
        let mut registry = registry();
        let id = registry.next;
        registry.next += 1;
        registry.undo.push((id, Box::new(undo)));
        Self(id)
    }

    /// What was done stays.
    pub(crate) fn keep(self) {
        registry().undo.retain(|(id, _)| *id != self.0);
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        let mut registry = registry();
        if let Some(at) = registry.undo.iter().position(|(id, _)| *id == self.0) {
            (registry.undo.remove(at).1)();
        }
    }
}

/// While it lives, the end of the program waits for it, though not for ever.
#[derive(Debug)]
#[must_use]
pub(crate) struct Busy(());

impl Busy {
    pub(crate) fn new() -> Self {
        registry().busy += 1;
        Self(())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        registry().busy -= 1;
        IDLE.notify_all();
    }
}

/// Undoes everything, the newest first, and ends the program.
pub(crate) fn end(exit: Exit) -> ! {
    let waited = IDLE.wait_timeout_while(registry(), PATIENCE, |registry| registry.busy > 0);
    // Held to the end, so that nothing is begun meanwhile.
    let (mut registry, _) = waited.unwrap_or_else(PoisonError::into_inner);
    while let Some((_, undo)) = registry.undo.pop() {
        undo();
    }
    process::exit(exit.number().into())
}
