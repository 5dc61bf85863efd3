//! `ws_route`: the URI of an action, with places for parameters.

use std::fmt::Write as _;

use serde::Serialize;

use super::method::Method;
use super::op::{Param, Params};
use super::path;

/// An action and the request it becomes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Route {
    /// The name in a message's `action`.
    pub action: String,
    /// The method of the request.
    pub method: Method,
    uri: Vec<Piece>,
    /// Segments of the path that nginx will resolve, as the operator wrote them.
    dots: usize,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Piece {
    Literal(String),
    /// `$ws_arg_name`.
    Arg(String),
}

/// What is wrong with the arguments of `ws_route`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BadRoute {
    /// The action is empty.
    Action,
    /// The method is not one of those a message may use.
    Method,
    /// The URI does not start with `/`, holds what no URI may, or half an escape.
    Uri,
    /// A `$` that does not begin `$ws_arg_name`.
    Variable,
}

impl Route {
    const VARIABLE: &str = "$ws_arg_";

    /// Reads the arguments of the directive.
    ///
    /// # Errors
    ///
    /// The first argument that is wrong.
    pub fn parse(action: &str, method: &str, uri: &str) -> Result<Self, BadRoute> {
        if action.is_empty() {
            return Err(BadRoute::Action);
        }
        let method = Method::parse(method).ok_or(BadRoute::Method)?;
        let uri = path::request_target(uri).ok_or(BadRoute::Uri)?;
        let mut pieces = Vec::new();
        let mut rest = &*uri;
        while let Some((literal, tail)) = rest.split_once('$') {
            let tail = tail.strip_prefix(&Self::VARIABLE[1..]).ok_or(BadRoute::Variable)?;
            let end =
                tail.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(tail.len());
            let (name, after) = tail.split_at(end);
            if name.is_empty() {
                return Err(BadRoute::Variable);
            }
            pieces.push(Piece::Literal(literal.to_owned()));
            pieces.push(Piece::Arg(name.to_owned()));
            rest = after;
        }
        pieces.push(Piece::Literal(rest.to_owned()));
        // "x" is no hexadecimal digit: an escape is whole without what a value brings.
        let plain: String = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Literal(text) => text.as_str(),
                Piece::Arg(_) => "x",
            })
            .collect();
        let path = plain.split('?').next().unwrap_or_default();
        if path.split('%').skip(1).any(|rest| !starts_with_hex_pair(rest)) {
            return Err(BadRoute::Uri);
        }
        Ok(Self { action: action.to_owned(), method, uri: pieces, dots: dots(&plain) })
    }

    /// The path and query for these parameters, and the JSON of those that are the body.
    ///
    /// Those that the URI does not name become the query, or an object in the body where the method
    /// has one: none of them is lost.
    ///
    /// No value can leave its place.  All but unreserved characters are escaped; but nginx decodes
    /// a path before it resolves `..`, so in the path a value must also be part of one segment.
    ///
    /// # Errors
    ///
    /// What is wrong with the parameters.
    pub fn fill(&self, params: &Params<'_>) -> Result<(String, Option<String>), &'static str> {
        let mut uri = String::new();
        let mut used = Vec::new();
        for piece in &self.uri {
            match piece {
                Piece::Literal(text) => uri.push_str(text),
                Piece::Arg(name) => {
                    let Param { text: value, json: _ } =
                        params.get(name.as_str()).ok_or("a parameter is missing")?;
                    if !uri.contains('?') && (value.is_empty() || value.contains(['/', '\0'])) {
                        return Err("a parameter is not a path segment");
                    }
                    escape(value, &mut uri);
                    used.push(name.as_str());
                }
            }
        }
        if dots(&uri) != self.dots {
            return Err("a parameter is not a path segment");
        }
        let mut rest = params.iter().filter(|(name, _)| !used.contains(&name.as_ref())).peekable();
        let mut body = None;
        if self.method.has_body() {
            body = rest.peek().is_some().then(|| object(rest));
        } else {
            for (name, Param { text, json: _ }) in rest {
                uri.push(if uri.contains('?') { '&' } else { '?' });
                escape(name, &mut uri);
                uri.push('=');
                escape(text, &mut uri);
            }
        }
        if uri.len() > path::MAX { Err("the URI is too long") } else { Ok((uri, body)) }
    }
}

/// The JSON object that has these members.
fn object<'p, N: Serialize + 'p>(members: impl Iterator<Item = (N, &'p Param<'p>)>) -> String {
    let mut object = String::from("{");
    for (name, Param { text: _, json }) in members {
        if object.len() > 1 {
            object.push(',');
        }
        // A string is always JSON.
        object.push_str(&serde_json::to_string(&name).unwrap_or_default());
        object.push(':');
        object.push_str(json);
    }
    object.push('}');
    object
}

/// Segments `.` and `..` in the path of a URI, as nginx sees them: it undoes escapes first.
fn dots(uri: &str) -> usize {
    let path = uri.split('?').next().unwrap_or_default();
    let path = path.replace("%2e", ".").replace("%2E", ".");
    let path = path.replace("%2f", "/").replace("%2F", "/");
    path.split('/').filter(|segment| matches!(*segment, "." | "..")).count()
}

fn starts_with_hex_pair(text: &str) -> bool {
    text.as_bytes().first_chunk::<2>().is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit))
}

/// Escapes all but the unreserved characters (RFC 3986 §2.3).
fn escape(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn fill(
        route: &Route,
        params: &[(&str, &str)],
    ) -> Result<(String, Option<String>), &'static str> {
        let param = |text: &str| Param {
            text: Cow::Owned(text.to_owned()),
            json: Cow::Owned(serde_json::to_string(text).unwrap()),
        };
        let own = |s: &str| Cow::Owned(s.to_owned());
        route.fill(&params.iter().map(|(n, v)| (own(n), param(v))).collect())
    }

    fn uri(route: &Route, params: &[(&str, &str)]) -> Result<String, &'static str> {
        fill(route, params).map(|(uri, _)| uri)
    }

    #[test]
    fn parameters_take_their_places_and_the_rest_is_the_query() {
        let route = Route::parse("get", "GET", "/users/$ws_arg_id/posts?sort=new").unwrap();
        assert_eq!(uri(&route, &[("id", "7")]).unwrap(), "/users/7/posts?sort=new");
        assert_eq!(
            uri(&route, &[("id", "7"), ("a b", "c&d")]).unwrap(),
            "/users/7/posts?sort=new&a%20b=c%26d"
        );
        let plain = Route::parse("list", "GET", "/users").unwrap();
        assert_eq!(uri(&plain, &[("x", "1"), ("y", "2")]).unwrap(), "/users?x=1&y=2");
        let foreign = Route::parse("list", "GET", "/café/$ws_arg_id?ü=$ws_arg_q").unwrap();
        assert_eq!(
            uri(&foreign, &[("id", "é"), ("q", "ö")]).unwrap(),
            "/caf%C3%A9/%C3%A9?%C3%BC=%C3%B6"
        );
        let post = Route::parse("add", "POST", "/users").unwrap();
        assert_eq!(uri(&post, &[("x", "1")]).unwrap(), "/users");
        let ask = Route::parse("ask", "OPTIONS", "/users").unwrap();
        assert_eq!(fill(&ask, &[("x", "1")]).unwrap(), ("/users?x=1".to_owned(), None));
    }

    #[test]
    fn where_the_method_has_a_body_the_rest_is_that() {
        for method in ["POST", "PUT", "PATCH"] {
            let route = Route::parse("set", method, "/users/$ws_arg_id?a=$ws_arg_a").unwrap();
            let filled = |params: &[(&str, &str)]| {
                fill(&route, &[&[("id", "7"), ("a", "b")], params].concat()).unwrap()
            };
            assert_eq!(filled(&[]), ("/users/7?a=b".to_owned(), None));
            let params = [("name", "Ann \"\u{1}é"), ("\"\n", "")];
            let body = "{\"\\\"\\n\":\"\",\"name\":\"Ann \\\"\\u0001é\"}";
            assert_eq!(filled(&params), ("/users/7?a=b".to_owned(), Some(body.to_owned())));
        }
        let route = Route::parse("set", "PATCH", "/users").unwrap();
        let number = Param { text: Cow::Borrowed("1.50"), json: Cow::Borrowed("1.50") };
        let (_, body) = route.fill(&[(Cow::Borrowed("n"), number)].into()).unwrap();
        assert_eq!(body.as_deref(), Some("{\"n\":1.50}"));
    }

    #[test]
    fn no_value_leaves_its_place() {
        let route = Route::parse("get", "GET", "/users/$ws_arg_id").unwrap();
        for (value, escaped) in [
            ("a?b", "a%3Fb"),
            ("...", "..."),
            ("a\r\nb", "a%0D%0Ab"),
            ("%2e", "%252e"),
            ("é", "%C3%A9"),
        ] {
            assert_eq!(uri(&route, &[("id", value)]).unwrap(), format!("/users/{escaped}"));
        }
        for value in ["", ".", "..", "../admin", "a/b", "/", "a\0"] {
            assert!(uri(&route, &[("id", value)]).is_err(), "{value:?}");
        }
        let operator = Route::parse("get", "GET", "/a/../$ws_arg_x").unwrap();
        assert_eq!(uri(&operator, &[("x", "y")]).unwrap(), "/a/../y");
        assert!(uri(&operator, &[("x", "..")]).is_err());
        let dotted = Route::parse("get", "GET", "/a/.$ws_arg_x/b?p=$ws_arg_p").unwrap();
        assert!(uri(&dotted, &[("x", "."), ("p", "")]).is_err());
        assert_eq!(uri(&dotted, &[("x", "y"), ("p", "../a")]).unwrap(), "/a/.y/b?p=..%2Fa");
        // What the operator escaped counts as what it stands for.
        for (template, value) in [
            ("/a/%2e$ws_arg_x", "."),
            ("/a/%2E$ws_arg_x", "."),
            ("/a/b%2f$ws_arg_x", ".."),
            ("/a/b%2F$ws_arg_x%2fc", "."),
        ] {
            let route = Route::parse("get", "GET", template).unwrap();
            assert!(uri(&route, &[("x", value)]).is_err(), "{template} {value}");
            assert!(uri(&route, &[("x", "2e")]).is_ok(), "{template}");
        }
        assert!(uri(&route, &[]).is_err());
        assert!(uri(&route, &[("id", &"x".repeat(path::MAX))]).is_err());
    }

    #[test]
    fn bad_routes() {
        for (action, method, uri, why) in [
            ("", "GET", "/", BadRoute::Action),
            ("a", "get", "/", BadRoute::Method),
            ("a", "CONNECT", "/", BadRoute::Method),
            ("a", "GET", "x", BadRoute::Uri),
            ("a", "GET", "/a b", BadRoute::Uri),
            ("a", "GET", "/a/%$ws_arg_x", BadRoute::Uri),
            ("a", "GET", "/a/%2$ws_arg_x", BadRoute::Uri),
            ("a", "GET", "/a%", BadRoute::Uri),
            ("a", "GET", "/a%2g", BadRoute::Uri),
            ("a", "GET", "/$host", BadRoute::Variable),
            ("a", "GET", "/$ws_arg_", BadRoute::Variable),
            ("a", "GET", "/$ws_arg_/x", BadRoute::Variable),
        ] {
            assert_eq!(Route::parse(action, method, uri), Err(why), "{action} {method} {uri}");
        }
    }
}
