//! How an answer says when to come again.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::Deserialize;

use crate::clock::Micros;

const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");

/// The form in which a 429 tells how long to wait.
///
/// A form that is too coarse for the wait rounds it up, so that nobody is told to come too early.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DelayForm {
    /// The vendor's own way: at Baseten [`Body`](Self::Body); at Braintrust, which documents the header and not its
    /// form, [`Seconds`](Self::Seconds); at the others, which document none, [`None`](Self::None).
    #[default]
    Own,
    /// Not at all.
    None,
    /// `Retry-After: 12`
    Seconds,
    /// `Retry-After: 1.5`, with as many digits as the wait has, up to microseconds.
    Fraction,
    /// `Retry-After: Sun, 06 Nov 1994 08:49:37 GMT`, the form that RFC 9110 prefers.
    ImfFixdate,
    /// `Retry-After: Sunday, 06-Nov-94 08:49:37 GMT`, obsolete.
    Rfc850Date,
    /// `Retry-After: Sun Nov  6 08:49:37 1994`, obsolete.
    AsctimeDate,
    /// `retry-after-ms: 1500`
    Millis,
    /// `"retry_after": 12` in the body, in seconds. Of these vendors Baseten alone does so; the others refuse it.
    Body,
    /// `Retry-After` with this text, whatever it means.
    Text(String),
}

impl DelayForm {
    /// This form, or a vendor's own.
    pub(crate) fn or<'a>(&'a self, own: &'a Self) -> &'a Self {
        if *self == Self::Own { own } else { self }
    }

    /// Adds the header of this form, if it has one.
    pub(crate) fn tell(&self, headers: &mut HeaderMap, wait: Micros, now: Micros) {
        let at = now.plus(wait).rounded_up();
        let (name, text) = match self {
            Self::Own | Self::None | Self::Body => return,
            Self::Seconds => (header::RETRY_AFTER, wait.rounded_up().seconds().to_string()),
            Self::Fraction => (header::RETRY_AFTER, wait.decimal()),
            Self::ImfFixdate => (header::RETRY_AFTER, at.imf_fixdate()),
            Self::Rfc850Date => (header::RETRY_AFTER, at.rfc850_date()),
            Self::AsctimeDate => (header::RETRY_AFTER, at.asctime_date()),
            Self::Millis => (RETRY_AFTER_MS, wait.0.div_ceil(1000).to_string()),
            Self::Text(text) => (header::RETRY_AFTER, text.clone()),
        };
        // A text that is no header value was refused when the form was set.
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(name, value);
        }
    }

    /// The seconds for the body, if this form puts them there.
    pub(crate) fn in_body(&self, wait: Micros) -> Option<u64> {
        (*self == Self::Body).then(|| wait.rounded_up().seconds())
    }

    /// Says what is wrong with this form at a vendor whose own one is `own`.
    pub(crate) fn check(&self, own: &Self) -> Result<(), String> {
        match self {
            Self::Body if *own != Self::Body => {
                Err("delay form `body`: this vendor's answers have no place for it".into())
            }
            Self::Text(text) if HeaderValue::from_str(text).is_err() => {
                Err("delay form `text`: it holds characters that a header cannot".into())
            }
            _ => Ok(()),
        }
    }
}
