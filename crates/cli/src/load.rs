//! Where the accounts come from.

use std::sync::Arc;

use keymux::{AttemptEvent, HttpOptions, Keymux, Observer, RetryEvent};

use crate::args::Global;
use crate::console::Console;
use crate::exit::Failure;

/// The accounts: of the file that was named, else of the environment.
pub(crate) fn load(global: &Global, console: &Console) -> Result<Keymux, Failure> {
    if let Some(path) = &global.config {
        return Err(Failure::Usage(format!("{}: configuration files are not read yet", path.display())));
    }
    let mut options = HttpOptions::new().with_application(concat!("keymux-cli/", env!("CARGO_PKG_VERSION")))?;
    if console.shows_requests() {
        options = options.with_observer(Arc::new(Requests(console.clone())));
    }
    Ok(Keymux::builder().with_env(&options)?.build()?)
}

/// Writes a line for each request: what `-v` shows.
#[derive(Debug)]
struct Requests(Console);

impl Observer for Requests {
    fn on_attempt(&self, event: &AttemptEvent<'_>) {
        let outcome = match (event.status, event.error) {
            (Some(status), _) => status.to_string(),
            (None, Some(error)) => error.to_string(),
            (None, None) => "no answer".to_owned(),
        };
        self.0.note(&format!(
            "{}: {} {} -> {outcome} (attempt {}, {} ms)",
            event.provider,
            event.method,
            event.path,
            event.attempt,
            event.duration.as_millis(),
        ));
    }

    fn on_retry(&self, event: &RetryEvent<'_>) {
        let why = if event.server_delay.is_some() { "as the vendor asks" } else { "before the next attempt" };
        self.0.note(&format!("{}: {}; waits {:.1} s, {why}", event.provider, event.error, event.delay.as_secs_f64()));
    }
}
