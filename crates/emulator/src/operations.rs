//! The operations of a vendor: a name, a method and a path for each, and what answers.

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{self, MethodRouter};

/// One row of the table that a request's operation is looked up in.
#[derive(Debug)]
struct Row {
    method: Method,
    path: &'static str,
    name: &'static str,
}

/// A vendor's operations, in the order in which they were added. `S` is what the handlers are given.
#[derive(Debug)]
pub(crate) struct Operations<S> {
    router: Router<S>,
    rows: Vec<Row>,
}

impl<S: Clone + Send + Sync + 'static> Default for Operations<S> {
    fn default() -> Self {
        Self { router: Router::default(), rows: Vec::new() }
    }
}

impl<S: Clone + Send + Sync + 'static> Operations<S> {
    pub(crate) fn get<T: 'static>(self, name: &'static str, path: &'static str, on: impl Handler<T, S>) -> Self {
        self.add(Method::GET, name, path, routing::get(on))
    }

    pub(crate) fn post<T: 'static>(self, name: &'static str, path: &'static str, on: impl Handler<T, S>) -> Self {
        self.add(Method::POST, name, path, routing::post(on))
    }

    pub(crate) fn put<T: 'static>(self, name: &'static str, path: &'static str, on: impl Handler<T, S>) -> Self {
        self.add(Method::PUT, name, path, routing::put(on))
    }

    pub(crate) fn patch<T: 'static>(self, name: &'static str, path: &'static str, on: impl Handler<T, S>) -> Self {
        self.add(Method::PATCH, name, path, routing::patch(on))
    }

    pub(crate) fn delete<T: 'static>(self, name: &'static str, path: &'static str, on: impl Handler<T, S>) -> Self {
        self.add(Method::DELETE, name, path, routing::delete(on))
    }

    fn add(mut self, method: Method, name: &'static str, path: &'static str, on: MethodRouter<S>) -> Self {
        self.router = self.router.route(path, on);
        self.rows.push(Row { method, path, name });
        self
    }

    /// What answers, and the names that go with it.
    pub(crate) fn into_parts(self) -> (Router<S>, Names) {
        (self.router, Names(self.rows))
    }
}

/// The names of a vendor's operations.
#[derive(Debug)]
pub(crate) struct Names(Vec<Row>);

impl Names {
    /// The operation with this method and this path with its placeholders. HEAD is GET without a body.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Option<&'static str> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.0.iter().find(|row| row.path == path && row.method == method).map(|row| row.name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|row| row.name)
    }
}
