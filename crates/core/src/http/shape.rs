//! How an answer is laid out, and what is made of it.

use serde_json::Value;

use crate::drift::Drift;

/// Whether a vendor puts the key object into a member of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Envelope {
    /// The body is the object.
    Bare,
    /// The documents put the object into this member; a bare object is read too, and noted.
    Wrapped(&'static str),
    /// The documents show both: in this member if it is an object, else bare.
    Either(&'static str),
}

/// How a vendor's key object is laid out in the body of an answer.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Where the object is.
    pub envelope: Envelope,
    /// The members that hold secrets, wherever they stand: the raw JSON does not show them.
    pub secrets: &'static [&'static str],
}

/// A decoded answer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Decoded<T> {
    /// The model.
    pub value: T,
    /// What was odd about the answer.
    pub drift: Vec<Drift>,
    /// The scrubbed JSON of the object, if the options ask for it.
    pub raw: Option<Value>,
}

/// A decoded page.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Rows<R, T> {
    /// The rows, each with its own notes.
    pub rows: Vec<Decoded<R>>,
    /// The body's other members.
    pub rest: T,
    /// What was odd about the page itself.
    pub drift: Vec<Drift>,
}
