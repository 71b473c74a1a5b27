//! How an emulator is to be, before it starts.

use std::io;

use crate::emulator::Emulator;
use crate::faults::FaultPlan;
use crate::generated::MAX_KEYS;
use crate::limit::RateLimit;
use crate::settings::{Settings, invalid};
use crate::vendors::baseten::signing::example_public_key;

impl Emulator {
    /// Starts the vendors on free ports of 127.0.0.1. All of them accept connections once this returns.
    ///
    /// Fails if a port cannot be opened or a thread cannot be started. Runs on any executor.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// An emulator with [generated keys](Builder::with_keys), on [ports that are known](Builder::with_base_port), or
    /// otherwise than [`start`](Self::start) makes it.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

/// Sets an [`Emulator`] up: how many keys, on which ports.
///
/// ```
/// use keymux_emulator::Emulator;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let emulator = Emulator::builder().with_keys(1_000_000).with_seed(7).start().await?;
/// let address = emulator.datkey().generated(999_999);
/// # assert!(address.is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing starts before `start`"]
pub struct Builder {
    settings: Settings,
    base_port: u16,
}

impl Default for Builder {
    fn default() -> Self {
        let settings = Settings {
            keys: None,
            seed: 0,
            recorded_requests: 10_000,
            baseten_public_key: Some(example_public_key()),
            limit: None,
            faults: Vec::new(),
        };
        Self { settings, base_port: 0 }
    }
}

impl Builder {
    /// Generates so many keys for each vendor, from 0 to [`MAX_KEYS`], in place of the few that are there otherwise.
    ///
    /// They differ as the vendor documents it: in names, states, expiries, permissions, nulls and absent members. The
    /// first one shows most. They are spread over at least four groups of Baseten and workspaces of Mielto and Oneloop,
    /// of at most 10,000 keys each. Their addresses come from [`Vendor::generated`](crate::Vendor::generated), their
    /// plaintexts from [`Vendor::plaintext`](crate::Vendor::plaintext).
    ///
    /// They take no memory before they are changed: a key is a function of the [seed](Self::with_seed), the vendor, the
    /// number of keys and its index. A key that was changed or verified is kept, in a few kilobytes.
    pub fn with_keys(mut self, number: usize) -> Self {
        self.settings.keys = Some(number);
        self
    }

    /// Generates other keys with each number. Default 0. Without [`with_keys`](Self::with_keys) it changes nothing.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// Serves on this port and the four after it, in the order Baseten, Braintrust, Mielto, Datkey and Oneloop. Default
    /// 0: any free ports.
    pub fn with_base_port(mut self, port: u16) -> Self {
        self.base_port = port;
        self
    }

    /// How many requests each vendor keeps for [`Vendor::requests`](crate::Vendor::requests). Default 10,000, in a few
    /// megabytes; 0 keeps none.
    pub fn with_recorded_requests(mut self, number: usize) -> Self {
        self.settings.recorded_requests = number;
        self
    }

    /// Puts a public key on file at Baseten, in Base64, that registrations have to be signed for; with `None` there is
    /// none, and every registration is refused. Default: that of [`baseten_signing_key`](crate::baseten_signing_key).
    pub fn with_baseten_public_key(mut self, key: Option<&str>) -> Self {
        self.settings.baseten_public_key = key.map(str::to_owned);
        self
    }

    /// Limits the requests to every vendor, as [`Vendor::limit`](crate::Vendor::limit) does for one. Default: no limit.
    pub fn with_limit(mut self, limit: impl Into<RateLimit>) -> Self {
        self.settings.limit = Some(limit.into());
        self
    }

    /// Lets things go wrong at the vendor of this name, as [`Vendor::faults`](crate::Vendor::faults) does. Default: nothing
    /// goes wrong.
    pub fn with_faults(mut self, vendor: impl Into<String>, plan: impl Into<FaultPlan>) -> Self {
        self.settings.faults.push((vendor.into(), plan.into()));
        self
    }

    /// Starts the vendors on 127.0.0.1. All of them accept connections once this returns.
    ///
    /// Fails if more than [`MAX_KEYS`] keys are asked for, if a public key is none, if a limit or a plan cannot be or its
    /// vendor does not exist, if a port cannot be opened, or if a thread cannot be started.
    /// Runs on any executor.
    pub async fn start(self) -> io::Result<Emulator> {
        if let Some(keys) = self.settings.keys.filter(|keys| *keys > MAX_KEYS) {
            return Err(invalid(format!("{keys} keys are more than the {MAX_KEYS} that can be generated")));
        }
        let mut ports = [0; 5];
        if self.base_port > 0 {
            for (port, offset) in ports.iter_mut().zip(0..) {
                let base = self.base_port;
                let outside = || invalid(format!("the ports {base} to {base} + 4 are not all below 65536"));
                *port = base.checked_add(offset).ok_or_else(outside)?;
            }
        }
        Emulator::open(&self.settings, ports).await
    }
}
