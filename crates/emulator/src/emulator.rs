//! The five vendors together, for as long as the value lives.

use std::io;

use crate::server::Server;
use crate::vendor::Vendor;
use crate::vendors;

/// Five running vendors. Dropping it closes their ports and every connection to them.
#[derive(Debug)]
#[must_use = "the vendors stop when the emulator is dropped"]
pub struct Emulator {
    baseten: Vendor,
    braintrust: Vendor,
    mielto: Vendor,
    datkey: Vendor,
    oneloop: Vendor,
    _server: Server,
}

impl Emulator {
    /// Starts the vendors on free ports of 127.0.0.1. All of them accept connections once this returns.
    ///
    /// Fails if a port cannot be opened or a thread cannot be started. Runs on any executor.
    pub async fn start() -> io::Result<Self> {
        let (baseten, baseten_site) = Vendor::open(&vendors::baseten::BLUEPRINT)?;
        let (braintrust, braintrust_site) = Vendor::open(&vendors::braintrust::BLUEPRINT)?;
        let (mielto, mielto_site) = Vendor::open(&vendors::mielto::BLUEPRINT)?;
        let (datkey, datkey_site) = Vendor::open(&vendors::datkey::BLUEPRINT)?;
        let (oneloop, oneloop_site) = Vendor::open(&vendors::oneloop::BLUEPRINT)?;
        let sites = vec![baseten_site, braintrust_site, mielto_site, datkey_site, oneloop_site];
        let server = Server::start(sites).await?;
        Ok(Self { baseten, braintrust, mielto, datkey, oneloop, _server: server })
    }

    /// Baseten. Addresses are `[group_id, api_key_prefix]`.
    ///
    /// There from the start: a key with a name, one without, and a registered one, whose prefix holds a slash, a plus
    /// and a space. Every key of the group [`BASETEN_FOREIGN_GROUP`](crate::BASETEN_FOREIGN_GROUP) answers 403.
    #[must_use]
    pub fn baseten(&self) -> &Vendor {
        &self.baseten
    }

    /// Braintrust. Addresses are `[api_key_id]`; an id that is not a UUID gets another 400 than one that is unknown.
    ///
    /// There from the start: a key with every field, one with the required fields alone, and one with nulls.
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
    /// limits, whose optional fields are null.
    #[must_use]
    pub fn datkey(&self) -> &Vendor {
        &self.datkey
    }

    /// Oneloop. Addresses are `[workspace_id, key_id]`.
    ///
    /// There from the start: an enabled key with scopes and an expiry, a disabled one, a deleted one, and one of
    /// another workspace.
    #[must_use]
    pub fn oneloop(&self) -> &Vendor {
        &self.oneloop
    }
}
