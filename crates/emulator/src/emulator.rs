//! The five vendors together, for as long as the value lives.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::clock::Clock;
use crate::error::InvalidSetting;
use crate::server::Server;
use crate::settings::{Settings, invalid};
use crate::vendor::Vendor;
use crate::vendors;
use crate::vendors::baseten::signing::file_public_key;

/// Five running vendors. Dropping it closes their ports and every connection to them.
#[derive(Debug)]
#[must_use = "the vendors stop when the emulator is dropped"]
pub struct Emulator {
    baseten: Vendor,
    braintrust: Vendor,
    mielto: Vendor,
    datkey: Vendor,
    oneloop: Vendor,
    clock: Arc<Clock>,
    _server: Server,
}

impl Emulator {
    pub(crate) async fn open(settings: &Settings, ports: [u16; 5]) -> io::Result<Self> {
        let clock = Arc::new(Clock::default());
        let open = |blueprint, port| Vendor::open(blueprint, &clock, settings, port);
        let (baseten, baseten_site) = open(&vendors::baseten::BLUEPRINT, ports[0])?;
        let (braintrust, braintrust_site) = open(&vendors::braintrust::BLUEPRINT, ports[1])?;
        let (mielto, mielto_site) = open(&vendors::mielto::BLUEPRINT, ports[2])?;
        let (datkey, datkey_site) = open(&vendors::datkey::BLUEPRINT, ports[3])?;
        let (oneloop, oneloop_site) = open(&vendors::oneloop::BLUEPRINT, ports[4])?;
        settings.apply([&baseten, &braintrust, &mielto, &datkey, &oneloop])?;
        let sites = vec![baseten_site, braintrust_site, mielto_site, datkey_site, oneloop_site];
        let server = Server::start(sites).await?;
        Ok(Self { baseten, braintrust, mielto, datkey, oneloop, clock, _server: server })
    }

    /// Moves the clock of all five vendors ahead, so that keys expire without waiting.
    ///
    /// At the start it shows the real time; it goes on until it is [stopped](Self::stop_clock), and never goes back.
    /// Datkey and Oneloop judge by it when they verify a key. The other vendors tell an expiry at most, and judge
    /// nothing. [Limits](Vendor::limit) go by it everywhere.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// All five vendors, in the order of their ports.
    #[must_use]
    pub fn vendors(&self) -> [&Vendor; 5] {
        [&self.baseten, &self.braintrust, &self.mielto, &self.datkey, &self.oneloop]
    }

    /// The environment variables that point a client at the vendors: `BASETEN_API_KEY`, `BASETEN_BASE_URL` and so on,
    /// each with its value.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, String)> {
        let of_one = |vendor: &Vendor| {
            let name = vendor.name().to_ascii_uppercase();
            [
                (format!("{name}_API_KEY"), vendor.credential().to_owned()),
                (format!("{name}_BASE_URL"), vendor.base_url().to_owned()),
            ]
        };
        self.vendors().into_iter().flat_map(of_one).collect()
    }

    /// The [variables](Self::variables) as lines for a shell: `export BASETEN_API_KEY=…`.
    #[must_use]
    pub fn exports(&self) -> String {
        // Neither a credential nor a base URL has a character that a shell takes for more than itself.
        let lines = self
            .variables()
            .into_iter()
            .flat_map(|(name, value)| ["export ".to_owned(), name, "=".to_owned(), value, "\n".to_owned()]);
        lines.collect()
    }

    /// Stops the clock of all five vendors, so that from now on only [`advance`](Self::advance) moves it. It does not go
    /// on again.
    ///
    /// With it a test of a [limit](Vendor::limit) depends on no real time. The clock counts microseconds.
    pub fn stop_clock(&self) {
        self.clock.stop();
    }

    /// The time on the clock of all five vendors, which the `Date` of their answers tells too.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_micros(self.clock.micros().0)
    }

    /// Baseten. Addresses are `[group_id, api_key_prefix]`.
    ///
    /// There from the start: a key with a name, one without, and a registered one, whose prefix holds a slash, a plus
    /// and a space; their group; and three keys of the workspace. Everything of the group
    /// [`BASETEN_FOREIGN_GROUP`](crate::BASETEN_FOREIGN_GROUP) answers 403.
    #[must_use]
    pub fn baseten(&self) -> &Vendor {
        &self.baseten
    }

    /// Braintrust. Addresses are `[api_key_id]`; an id that is not a UUID gets another 400 than one that is unknown.
    ///
    /// There from the start: a key with every field, one with the required fields alone, and one with nulls; and
    /// a service token.
    #[must_use]
    pub fn braintrust(&self) -> &Vendor {
        &self.braintrust
    }

    /// Mielto. Addresses are `[api_key_id]`.
    ///
    /// There from the start: an active key with an expiry, permissions, an address list and collections; an inactive
    /// one; one without limits; and one with the required fields alone. Some tell a `secret` or a `hashed_secret`,
    /// which the schema allows: obviously invented ones.
    #[must_use]
    pub fn mielto(&self) -> &Vendor {
        &self.mielto
    }

    /// Datkey. Addresses are `[id]`.
    ///
    /// There from the start: a key with limits, an expired one, one whose verifications are used up, and one without
    /// limits, whose optional fields are null. They are of the API `api_example_1` and verify with their
    /// [plaintexts](Vendor::plaintext). New keys may be of any API.
    #[must_use]
    pub fn datkey(&self) -> &Vendor {
        &self.datkey
    }

    /// Oneloop. Addresses are `[workspace_id, key_id]`.
    ///
    /// There from the start: an enabled key with scopes and an expiry, a disabled one, a deleted one, and one of
    /// another workspace; they verify with their [plaintexts](Vendor::plaintext). Both workspaces have scopes.
    #[must_use]
    pub fn oneloop(&self) -> &Vendor {
        &self.oneloop
    }
}

impl Settings {
    /// Sets the vendors up, which do not answer yet.
    fn apply(&self, vendors: [&Vendor; 5]) -> io::Result<()> {
        let set = |outcome: Result<(), InvalidSetting>| outcome.map_err(|wrong| invalid(wrong.to_string()));
        for vendor in vendors {
            if let Some(limit) = &self.limit {
                set(vendor.limit(limit.clone()))?;
            }
            if vendor.name() == "baseten" {
                let key = self.baseten_public_key.as_deref();
                if !vendor.backend().with(|store| file_public_key(store, key)) {
                    return Err(invalid(
                        "the public key for baseten is not the Base64 of an Ed25519 public key".to_owned(),
                    ));
                }
            }
        }
        for (name, plan) in &self.faults {
            let vendor = vendors.iter().find(|vendor| vendor.name() == name);
            let unknown = || {
                let known = vendors.map(Vendor::name).join(", ");
                invalid(format!("there is a plan of faults for the vendor {name:?}, and the vendors are {known}"))
            };
            set(vendor.ok_or_else(unknown)?.faults(plan.clone()))?;
        }
        Ok(())
    }
}
