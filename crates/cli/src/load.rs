//! Where the accounts come from.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};
use keymux::config::{AccountConfig, ConfigFile};
use keymux::{AccountName, AttemptEvent, ClientOptions, Keymux, Observer, RetryEvent, Transport, WaitEvent};

use crate::args::Global;
use crate::console::Console;
use crate::exit::Failure;
use crate::progress::{Waits, Watch};
use crate::shutdown::AttemptObserver;
use crate::trail::Trail;
use crate::trailed::Trailed;

/// How many accounts of a file are set up at once. Each may run a command.
const BUILT_AT_ONCE: usize = 8;

/// Sets accounts up: those of a file, or, without one, those of the environment.
#[derive(Debug)]
pub(crate) struct Loader<'a> {
    global: &'a Global,
    console: &'a Console,
    transport: Option<Arc<dyn Transport>>,
    /// Who hears of the waits of the accounts.
    waits: Option<Arc<Waits>>,
}

impl<'a> Loader<'a> {
    pub(crate) fn new(global: &'a Global, console: &'a Console) -> Self {
        Self { global, console, transport: None, waits: None }
    }

    /// The same accounts, whose requests go to `transport` and nowhere else.
    pub(crate) fn through(&self, transport: Arc<dyn Transport>) -> Self {
        Self { transport: Some(transport), waits: None, ..*self }
    }

    /// The same accounts, of whose waits `waits` hears.
    pub(crate) fn told(&self, waits: &Arc<Waits>) -> Self {
        Self { transport: None, waits: Some(Arc::clone(waits)), ..*self }
    }

    /// Why a change is made, as the user says.
    pub(crate) fn reason(&self) -> Option<&str> {
        self.global.reason.as_deref()
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
        self.all_of(self.file()?.as_ref()).await
    }

    /// All accounts of a file that was read already, or of the environment.
    pub(crate) async fn all_of(&self, file: Option<&ConfigFile>) -> Result<Keymux, Failure> {
        if let Some(file) = file {
            return self.build(file, file.accounts()).await;
        }
        for name in keymux::empty_variables(&|name| std::env::var_os(name)) {
            self.console.note(&format!("keymux: {name} is set but empty, and counts as not set"));
        }
        let options = self
            .options(None)?
            .with_list_size_setting("`max_list_mib` of an account in a configuration file")
            .with_trust_setting(
                "`root_certificates_file` of an account in a configuration file, or the variable SSL_CERT_FILE",
            );
        let keymux = Keymux::builder().with_env_partial(&options).build()?;
        Ok(match self.trail(None) {
            Some(trail) => Trailed::all(&keymux, &trail)?,
            None => keymux,
        })
    }

    /// Where changes are written: the file that was named, else that of the configuration. A dry run changes nothing.
    fn trail(&self, file: Option<&ConfigFile>) -> Option<Arc<Trail>> {
        let path = self.global.trail.as_deref().or_else(|| file?.trail()).filter(|_| self.transport.is_none())?;
        Some(Arc::new(Trail::new(path.to_owned(), self.global.reason.as_deref(), self.console)))
    }

    /// The accounts of [`any_of`](Self::any_of), each of which is set up: for commands that change something, which is
    /// all or nothing as far as can be told before.
    pub(crate) async fn of(&self, names: impl IntoIterator<Item = &AccountName>) -> Result<Keymux, Failure> {
        let names: BTreeSet<&AccountName> = names.into_iter().collect();
        let keymux = self.any_of(names.iter().copied()).await?;
        let mut broken: Vec<_> = keymux.unavailable_accounts().filter(|(name, _)| names.contains(name)).collect();
        let Some((_, last)) = broken.pop() else { return Ok(keymux) };
        for (_, error) in broken {
            self.console.error(None, error);
        }
        Err(last.clone().into())
    }

    /// These accounts, so that no credential of another one is fetched. All, if one of them does not exist, since the
    /// error names those that there are. One that cannot be set up is a broken account, which fails where it is asked.
    pub(crate) async fn any_of(&self, names: impl IntoIterator<Item = &AccountName>) -> Result<Keymux, Failure> {
        let Some(file) = self.file()? else { return self.all_of(None).await };
        let names: BTreeSet<&AccountName> = names.into_iter().collect();
        if names.iter().any(|name| file.account(name).is_none()) {
            return self.all_of(Some(&file)).await;
        }
        self.build(&file, names.into_iter().filter_map(|name| file.account(name))).await
    }

    async fn build(
        &self,
        file: &ConfigFile,
        accounts: impl Iterator<Item = &AccountConfig>,
    ) -> Result<Keymux, Failure> {
        let trail = self.trail(Some(file));
        let mut builds = Vec::new();
        for account in accounts {
            let options = self.options(Some(account.name()))?;
            builds.push(async move { (account, account.build(&options).await) });
        }
        let mut built = stream::iter(builds).buffered(BUILT_AT_ONCE);
        let mut builder = Keymux::builder();
        while let Some((account, result)) = built.next().await {
            let name = account.name().as_str();
            builder = match (result, &trail) {
                (Ok(provider), Some(trail)) => {
                    builder.with_account(name, Trailed::new(account.name().clone(), provider, trail))
                }
                (Ok(provider), None) => builder.with_account(name, provider),
                (Err(error), _) => builder.with_unavailable_account(name, account.provider(), error),
            };
        }
        Ok(builder.build()?)
    }

    /// The options of one account, or of all that are named after their vendors.
    fn options(&self, account: Option<&AccountName>) -> Result<ClientOptions, Failure> {
        let mut options = ClientOptions::new().with_application(concat!("keymux-cli/", env!("CARGO_PKG_VERSION")))?;
        if let Some(transport) = &self.transport {
            options = options.with_transport(Arc::clone(transport));
        }
        let mut observers: Vec<Box<dyn Observer>> = vec![Box::new(AttemptObserver)];
        if let Some(waits) = &self.waits {
            observers.push(Box::new(Watch { waits: Arc::clone(waits), account: account.cloned() }));
        }
        if self.console.shows_requests() {
            observers.push(Box::new(Requests(self.console.clone())));
        }
        Ok(options.with_observer(Arc::new(All(observers))))
    }
}

/// Tells each of them.
#[derive(Debug)]
struct All(Vec<Box<dyn Observer>>);

impl Observer for All {
    fn on_attempt(&self, event: &AttemptEvent<'_>) {
        self.0.iter().for_each(|observer| observer.on_attempt(event));
    }

    fn on_retry(&self, event: &RetryEvent<'_>) {
        self.0.iter().for_each(|observer| observer.on_retry(event));
    }

    fn on_wait(&self, event: &WaitEvent<'_>) {
        self.0.iter().for_each(|observer| observer.on_wait(event));
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
