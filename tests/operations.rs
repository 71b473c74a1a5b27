//! Every operation of every vendor against mocks on real sockets: the request exactly, the documented answers, the
//! documented failures, a lost answer, and a 429.
#![cfg(test)]

#[path = "operations/baseten.rs"]
mod baseten;
#[path = "operations/braintrust.rs"]
mod braintrust;
#[path = "operations/datkey.rs"]
mod datkey;
#[path = "operations/mielto.rs"]
mod mielto;
#[path = "operations/oneloop.rs"]
mod oneloop;
#[path = "operations/plaintexts.rs"]
mod plaintexts;
#[path = "operations/support.rs"]
mod support;
