//! A page whose rows are decoded when they are asked for, so that tens of thousands of them take little memory.

use std::fmt;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use super::answer::Answer;
use super::decode::{self, Apart};
use super::shape::{Decoded, Rows, Shape, UnreadRow};
use crate::error::Error;

/// The rows of a page that are decoded when they are asked for, in their order.
///
/// It holds the body, and no row: a row has several times its size once it is decoded. A row that cannot be read is an
/// error, and the rows after it are read all the same.
#[must_use = "nothing is decoded before it is asked for"]
pub struct LaterRows<R> {
    pub(super) answer: Answer,
    pub(super) apart: Option<Apart>,
    pub(super) shape: Shape,
    pub(super) member: &'static str,
    pub(super) model: PhantomData<fn() -> R>,
}

impl<R> LaterRows<R> {
    /// The errors of rows of the page that cannot be read, for [`Page::with_unreadable`](crate::Page::with_unreadable).
    #[must_use]
    pub fn unread_rows(&self, unread: &[UnreadRow]) -> Vec<Error> {
        self.answer.unread_rows(self.member, unread)
    }
}

impl<R: DeserializeOwned> Iterator for LaterRows<R> {
    type Item = Result<Decoded<R>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let (place, row) = self.apart.as_mut()?.next(self.answer.body())?;
        let decoded = self.answer.decode_row(row, &self.shape);
        Some(decoded.map_err(|reason| {
            let member = self.member;
            self.answer.undecodable(&format!("row {place} of `{member}` cannot be read: {reason}"))
        }))
    }
}

impl<R> fmt::Debug for LaterRows<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaterRows").field("answer", &self.answer).finish_non_exhaustive()
    }
}

impl Answer {
    /// Decodes a page whose rows are many: what it is without them, and the rows, decoded when they are asked for. Rows that
    /// are in [`Rows::rows`] go before those; a page that is odd in itself has all of its rows there.
    pub fn decode_page_later<R, T>(
        self,
        shape: &Shape,
        member: &'static str,
    ) -> Result<(Rows<R, T>, LaterRows<R>), Error>
    where
        R: DeserializeOwned,
        T: DeserializeOwned,
    {
        let (page, apart) = match decode::apart(self.body(), member) {
            Some((rest, apart)) => {
                let page = decode::rows(&rest, member, None).map_err(|reason| self.undecodable(&reason))?;
                (page, Some(apart))
            }
            None => (self.decode_page(shape, member)?, None),
        };
        Ok((page, LaterRows { answer: self, apart, shape: *shape, member, model: PhantomData }))
    }
}
