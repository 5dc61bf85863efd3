//! What a client asks for, under the id that answers to it carry.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::method::Method;

/// A message that was read.
#[derive(Debug)]
pub struct Asked<'m> {
    /// What its answers are told apart by, as it was written; `None` where there is none, or a bad
    /// one.
    pub id: Option<&'m str>,
    /// What it asks for, or why it asks for nothing.
    pub op: Result<Op<'m>, Rejection>,
}

/// What a message asks for.
#[derive(Debug)]
pub enum Op<'m> {
    /// A request to a location.
    Call(Call<'m>),
}

/// A request to a location.
#[derive(Debug)]
pub struct Call<'m> {
    /// Where it goes.
    pub target: Target<'m>,
    /// `headers`, in the order of their names.
    pub headers: BTreeMap<Cow<'m, str>, Cow<'m, str>>,
    /// `body`, if there is one.
    pub body: Option<Body<'m>>,
}

/// The request line of a [`Call`].
#[derive(Debug)]
pub enum Target<'m> {
    /// `method` and `path`.
    Path {
        /// The method.
        method: Method,
        /// The path and query as the client wrote them.
        path: Cow<'m, str>,
    },
    /// `action` and `params`, for a `ws_route`.
    Action {
        /// The name of the action.
        name: Cow<'m, str>,
        /// The parameters.
        params: Params<'m>,
    },
}

/// Parameters by their names.
pub type Params<'m> = BTreeMap<Cow<'m, str>, Param<'m>>;

/// A plain value: a string, a number, a boolean.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Param<'m> {
    /// As text: a string as it is, another value as its JSON.
    pub text: Cow<'m, str>,
    /// As JSON, as it was written.
    pub json: Cow<'m, str>,
}

/// The payload of a call.
#[derive(Debug, Eq, PartialEq)]
pub struct Body<'m> {
    /// The bytes.
    pub bytes: Cow<'m, [u8]>,
    /// The value of `Content-Type`.
    pub content_type: &'static str,
}

/// Why a message is not a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rejection {
    /// Not JSON.
    BadJson,
    /// JSON, but not as the protocol says; what is wrong.
    BadMessage(&'static str),
}
