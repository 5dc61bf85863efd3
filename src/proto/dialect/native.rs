//! The message protocol of `ws_rest`: JSON messages to ops, answers to JSON messages.
//!
//! Pure text work; what a call reaches is the caller's business.  Depth of nesting costs no stack:
//! members that are passed on are skipped over, not parsed.

mod reply;

pub use reply::write;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::proto::call::method::Method;
use crate::proto::call::op::{Asked, Body, Call, Op, Param, Params, Rejection, Target};

/// The longest `id` in bytes, as it is written.
pub const MAX_ID: usize = 1024;

/// The most members of `headers` or `params`.
pub const MAX_MEMBERS: usize = 1000;

const NOT_AN_OBJECT: Rejection = Rejection::BadMessage("not an object with each member once");

#[derive(Deserialize)]
struct Wire<'m> {
    #[serde(borrow)]
    id: Option<&'m RawValue>,
    #[serde(borrow)]
    method: Option<&'m RawValue>,
    #[serde(borrow)]
    path: Option<&'m RawValue>,
    #[serde(borrow)]
    action: Option<&'m RawValue>,
    #[serde(borrow)]
    params: Option<&'m RawValue>,
    #[serde(borrow)]
    headers: Option<&'m RawValue>,
    #[serde(borrow)]
    body: Option<&'m RawValue>,
    #[serde(borrow)]
    encoding: Option<&'m RawValue>,
}

/// Text that borrows from the message where it has no escapes.
#[derive(Deserialize, Eq, Ord, PartialEq, PartialOrd)]
struct Text<'m>(#[serde(borrow)] Cow<'m, str>);

/// Reads a text message.
///
/// Members that are `null` count as absent, unknown ones are ignored.
pub fn read(message: &str) -> Asked<'_> {
    match parse(message) {
        Ok((id, call)) => Asked { id, op: Ok(Op::Call(call)) },
        Err((id, rejection)) => Asked { id, op: Err(rejection) },
    }
}

type Identified<'m, T> = (Option<&'m str>, T);

fn parse(message: &str) -> Result<Identified<'_, Call<'_>>, Identified<'_, Rejection>> {
    // serde would take an array for an object, member by member.
    if !message.trim_ascii_start().starts_with('{') {
        let rejection = match serde_json::from_str::<&RawValue>(message) {
            Ok(_) => NOT_AN_OBJECT,
            Err(_) => Rejection::BadJson,
        };
        return Err((None, rejection));
    }
    let wire: Wire<'_> = serde_json::from_str(message).map_err(|e| {
        let rejection = match e.classify() {
            Category::Data => NOT_AN_OBJECT,
            Category::Syntax | Category::Eof | Category::Io => Rejection::BadJson,
        };
        (None, rejection)
    })?;
    let id = wire.id.map(RawValue::get);
    if let Some(id) = id {
        if !id.starts_with(['"', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) {
            return Err((None, Rejection::BadMessage("\"id\" is not a string or number")));
        }
        if id.len() > MAX_ID {
            return Err((None, Rejection::BadMessage("\"id\" is too long")));
        }
    }
    match call(&wire) {
        Ok(call) => Ok((id, call)),
        Err(why) => Err((id, Rejection::BadMessage(why))),
    }
}

fn call<'m>(wire: &Wire<'m>) -> Result<Call<'m>, &'static str> {
    let method = match wire.method {
        None => None,
        Some(raw) => {
            let name = text(raw).ok_or("\"method\" is not a string")?;
            Some(Method::parse(&name).ok_or("unknown \"method\"")?)
        }
    };
    let target = match (wire.path, wire.action) {
        (Some(_), Some(_)) => return Err("both \"path\" and \"action\""),
        (None, None) => return Err("neither \"path\" nor \"action\""),
        (Some(path), None) => {
            if wire.params.is_some() {
                return Err("\"params\" without \"action\"");
            }
            let path = text(path).ok_or("\"path\" is not a string")?;
            Target::Path { method: method.unwrap_or(Method::Get), path }
        }
        (None, Some(_)) if method.is_some() => return Err("\"method\" with \"action\""),
        (None, Some(name)) => Target::Action {
            name: text(name).ok_or("\"action\" is not a string")?,
            params: wire.params.map_or(Ok(BTreeMap::new()), params)?,
        },
    };
    let headers = wire.headers.map_or(Ok(BTreeMap::new()), |raw| {
        strings(raw)
            .filter(|headers| is_unique_ignoring_case(headers.keys()))
            .ok_or("\"headers\" is not an object of strings, each name once")
    })?;
    let encoding =
        wire.encoding.map(|raw| text(raw).ok_or("\"encoding\" is not a string")).transpose()?;
    let body = match (wire.body, encoding.as_deref()) {
        (None, None) => None,
        (None, Some(_)) => return Err("\"encoding\" without \"body\""),
        (Some(raw), encoding) => Some(body(raw, encoding)?),
    };
    Ok(Call { target, headers, body })
}

fn body<'m>(raw: &'m RawValue, encoding: Option<&str>) -> Result<Body<'m>, &'static str> {
    use base64::Engine as _;
    match encoding {
        None | Some("json") => Ok(Body {
            bytes: Cow::Borrowed(raw.get().as_bytes()),
            content_type: "application/json",
        }),
        Some("text") => {
            let bytes = match text(raw).ok_or("\"body\" is not a string")? {
                Cow::Borrowed(s) => Cow::Borrowed(s.as_bytes()),
                Cow::Owned(s) => Cow::Owned(s.into_bytes()),
            };
            Ok(Body { bytes, content_type: "text/plain; charset=utf-8" })
        }
        Some("base64") => {
            let encoded = text(raw).ok_or("\"body\" is not a string")?;
            let bytes = base64::prelude::BASE64_STANDARD
                .decode(encoded.as_bytes())
                .map_err(|_| "\"body\" is not base64")?;
            Ok(Body { bytes: Cow::Owned(bytes), content_type: "application/octet-stream" })
        }
        Some(_) => Err("unknown \"encoding\""),
    }
}

fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Text<'_>>(raw.get()).ok().map(|text| text.0)
}

/// An object of strings with each name once.
fn strings(raw: &RawValue) -> Option<BTreeMap<Cow<'_, str>, Cow<'_, str>>> {
    let members = object(raw)?;
    members.into_iter().map(|(name, value)| Some((name, text(value)?))).collect()
}

/// Whether no two names of headers are the same (RFC 9110 §5.1).
fn is_unique_ignoring_case<'n>(names: impl Iterator<Item = &'n Cow<'n, str>>) -> bool {
    let mut seen = BTreeSet::new();
    names.map(|name| name.to_ascii_lowercase()).all(|name| seen.insert(name))
}

fn params(raw: &RawValue) -> Result<Params<'_>, &'static str> {
    let members = object(raw).ok_or("\"params\" is not an object with each member once")?;
    members
        .into_iter()
        .filter(|(_, raw)| raw.get() != "null")
        .map(|(name, raw)| {
            let json = Cow::Borrowed(raw.get());
            let text = match raw.get() {
                json if json.starts_with(['{', '[']) => None,
                json if json.starts_with('"') => text(raw),
                json => Some(Cow::Borrowed(json)),
            };
            let text = text.ok_or("a member of \"params\" is not a plain value")?;
            Ok((name, Param { text, json }))
        })
        .collect()
}

/// The members of an object, unless one is repeated.
fn object(raw: &RawValue) -> Option<BTreeMap<Cow<'_, str>, &RawValue>> {
    struct Unique;
    impl<'m> serde::de::Visitor<'m> for Unique {
        type Value = BTreeMap<Cow<'m, str>, &'m RawValue>;

        fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            f.write_str("an object with each member once")
        }

        fn visit_map<A: serde::de::MapAccess<'m>>(
            self,
            mut map: A,
        ) -> Result<Self::Value, A::Error> {
            let mut members = BTreeMap::new();
            while let Some((Text(name), value)) = map.next_entry()? {
                if members.len() >= MAX_MEMBERS || members.insert(name, value).is_some() {
                    return Err(serde::de::Error::custom("repeated or too many members"));
                }
            }
            Ok(members)
        }
    }
    serde::Deserializer::deserialize_map(&mut serde_json::Deserializer::from_str(raw.get()), Unique)
        .ok()
}

#[cfg(test)]
#[path = "native_tests.rs"]
mod tests;
