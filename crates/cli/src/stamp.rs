//! The stamp that a key bears which was made for a while, so that it is found again if nobody gives it back. It is that of
//! rotations, without a key that is replaced.

use clap::ValueEnum;
use keymux::rotation::StampPlace;
use keymux::{Field, Operation, Parameter, ProviderInfo};

/// Where a stamp stands, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StampArg {
    /// In the metadata
    Metadata,
    /// At the end of the name: `nightly [keymux 5f0c21aa00000000]`
    Name,
    /// Nowhere: after a crash the key is found by the state file alone
    None,
}

impl From<StampArg> for StampPlace {
    fn from(place: StampArg) -> Self {
        match place {
            StampArg::Metadata => Self::Metadata,
            StampArg::Name => Self::Name,
            StampArg::None => Self::Nowhere,
        }
    }
}

/// Where a vendor has room for a stamp, and shows it again: the metadata before the name.
pub(crate) fn place(info: &ProviderInfo) -> StampPlace {
    let takes = |parameter| info.capabilities().takes(Operation::Create, parameter).is_some();
    match () {
        () if takes(Parameter::Metadata) && info.supports_field(Field::Metadata) => StampPlace::Metadata,
        () if takes(Parameter::Name) && info.supports_field(Field::Name) => StampPlace::Name,
        () if takes(Parameter::Metadata) => StampPlace::Metadata,
        () => StampPlace::Nowhere,
    }
}
