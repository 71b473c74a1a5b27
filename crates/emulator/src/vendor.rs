//! One running vendor, as its user sees it.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;

use serde_json::Value;

use crate::backend::{Backend, Blueprint};
use crate::recorded::RecordedRequest;
use crate::server::Site;

/// One vendor of an [`Emulator`](crate::Emulator).
pub struct Vendor {
    base_url: String,
    seeded: Vec<Vec<String>>,
    backend: Arc<Backend>,
}

impl Vendor {
    /// Opens a port. Connections to it wait until the site is served.
    pub(crate) fn open(blueprint: &'static Blueprint) -> io::Result<(Self, Site)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let (backend, seeded) = Backend::new(blueprint);
        let router = Backend::router(&backend);
        Ok((Self { base_url, seeded, backend }, Site { listener, router }))
    }

    /// The vendor's name in lower case: `baseten`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.backend.name()
    }

    /// Scheme, host and port, without a slash at the end: `http://127.0.0.1:49152`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The one credential that this vendor accepts.
    ///
    /// It has the form of the vendor's own, is the same in every emulator, opens nothing anywhere, and is no secret.
    #[must_use]
    pub fn credential(&self) -> &str {
        self.backend.credential()
    }

    /// The address of a key that is there from the start and shows most of what the vendor can tell.
    #[must_use]
    pub fn sample_address(&self) -> &[String] {
        // No vendor starts without keys, so that the default is never taken.
        self.seeded.first().map(Vec::as_slice).unwrap_or_default()
    }

    /// The addresses of all keys that are there from the start, the sample first.
    #[must_use]
    pub fn seeded(&self) -> &[Vec<String>] {
        &self.seeded
    }

    /// Adds a key, or replaces the one at this address.
    ///
    /// `address` holds the ids of the vendor's path in their order, as plain text; with more or fewer ids than that
    /// path has, it is never asked for. `key` is the key as the vendor tells of it, without the wrapper that some
    /// vendors put around it. It is sent as it stands: members that the vendor documents can be left out, and others
    /// added.
    pub fn seed<A>(&self, address: A, key: Value)
    where
        A: IntoIterator,
        A::Item: Into<String>,
    {
        self.backend.put(address.into_iter().map(Into::into).collect(), key);
    }

    /// All requests that arrived, in the order of their arrival, whatever they were answered.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.backend.requests()
    }
}

impl fmt::Debug for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vendor")
            .field("name", &self.name())
            .field("base_url", &self.base_url)
            .field("seeded", &self.seeded)
            .finish_non_exhaustive()
    }
}
