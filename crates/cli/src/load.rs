//! Where the accounts come from.

use std::collections::BTreeSet;
use std::sync::Arc;

use keymux::config::ConfigFile;
use keymux::{AccountName, AttemptEvent, HttpOptions, Keymux, Observer, RetryEvent, Transport};

use crate::args::Global;
use crate::console::Console;
use crate::exit::Failure;

/// Sets accounts up: those of a file, or, without one, those of the environment.
#[derive(Debug)]
pub(crate) struct Loader<'a> {
    global: &'a Global,
    console: &'a Console,
    transport: Option<Arc<dyn Transport>>,
}

impl<'a> Loader<'a> {
    pub(crate) fn new(global: &'a Global, console: &'a Console) -> Self {
        Self { global, console, transport: None }
    }

    /// The same accounts, whose requests go to `transport` and nowhere else.
    pub(crate) fn through(&self, transport: Arc<dyn Transport>) -> Self {
        Self { transport: Some(transport), ..*self }
    }

    /// The file, if there is one: read and checked, and no credential looked at.
    pub(crate) fn file(&self) -> Result<Option<ConfigFile>, Failure> {
        let path = match &self.global.config {
            Some(path) => Some(path.clone()),
            None => ConfigFile::locate(&|name| std::env::var_os(name))?,
        };
        let Some(path) = path else { return Ok(None) };
        let file = ConfigFile::read(path)?;
        for warning in file.warnings() {
            self.console.note(&format!("keymux: {warning}"));
        }
        Ok(Some(file))
    }

    /// All accounts.
    pub(crate) async fn all(&self) -> Result<Keymux, Failure> {
        let builder = Keymux::builder();
        let builder = match self.file()? {
            Some(file) => builder.with_config(&file, &self.options()?).await?,
            None => builder.with_env(&self.options()?)?,
        };
        Ok(builder.build()?)
    }

    /// These accounts, so that no credential of another one is fetched. All, if one of them does not exist, since the
    /// error names those that there are.
    pub(crate) async fn of(&self, names: impl IntoIterator<Item = &AccountName>) -> Result<Keymux, Failure> {
        let Some(file) = self.file()? else { return self.all().await };
        let names: BTreeSet<&AccountName> = names.into_iter().collect();
        let mut builder = Keymux::builder();
        let options = self.options()?;
        for name in names {
            match file.account(name) {
                Some(account) => builder = builder.with_account(name.as_str(), account.build(&options).await?),
                None => return self.all().await,
            }
        }
        Ok(builder.build()?)
    }

    fn options(&self) -> Result<HttpOptions, Failure> {
        let mut options = HttpOptions::new().with_application(concat!("keymux-cli/", env!("CARGO_PKG_VERSION")))?;
        if let Some(transport) = &self.transport {
            options = options.with_transport(Arc::clone(transport));
        }
        if !self.console.shows_requests() {
            return Ok(options);
        }
        Ok(options.with_observer(Arc::new(Requests(self.console.clone()))))
    }
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
