//! No path leads out of its prefix, and no parameter of a route out of its place.

use std::borrow::Cow;
use std::collections::BTreeMap;

use ngx_ws::proto::call::op::Param;
use ngx_ws::proto::call::path::{is_sane, is_under, request_target};
use ngx_ws::proto::call::route::Route;

use crate::input::Input;
use crate::reference::json;
use crate::reference::uri::{decode, escape, escape_foreign, normalise, resolve};

/// What to try it on; then a path, or a route and its parameters.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let flags = input.byte();
    if flags & 1 == 0 { path(flags, input.0) } else { route(flags, input) }
}

fn path(flags: u8, bytes: &[u8]) {
    let prefix = ["/", "/api/", "/api", "/a/b.c"][usize::from(flags >> 1 & 3)];
    let Ok(path) = std::str::from_utf8(bytes) else { return };
    if !is_sane(path) {
        // What nginx itself takes in a request line of the usual size is refused for "#" only.
        let ordinary = path.starts_with('/')
            && path.len() <= 8192
            && path.bytes().all(|b| b > b' ' && b != 0x7F);
        assert!(!ordinary || path.contains('#'));
        assert_eq!(request_target(path), None);
        return;
    }
    // What is sent instead: ASCII that means the same.
    let escaped = escape_foreign(path);
    assert_eq!(request_target(path).as_deref(), (escaped.len() <= 8192).then_some(&*escaped));
    assert!(escaped.is_ascii());
    let means = |path| normalise(path, flags & 8 == 0).map(|(path, _)| path);
    assert_eq!(means(&escaped), means(path));
    // It is a request target of one line.
    assert!(path.starts_with('/') && !path.contains(['\r', '\n', ' ', '\t', '\0', '#']));

    let Some((normal, _)) = normalise(path, flags & 8 == 0) else { return };
    let inside = normal == prefix.as_bytes()
        || normal.starts_with(prefix.as_bytes()) && prefix.ends_with('/')
        || normal.starts_with(format!("{prefix}/").as_bytes());
    assert_eq!(is_under(prefix.as_bytes(), &normal), inside);
    // Nothing is left in it that something behind nginx could take for a way up.
    assert!(!normal.split(|b| *b == b'/').any(|segment| [&b"."[..], b".."].contains(&segment)));
}

fn route(flags: u8, mut input: Input<'_>) {
    let own;
    let template = match flags >> 1 & 7 {
        0 => "/users/$ws_arg_a",
        1 => "/users/$ws_arg_a/posts?sort=new",
        2 => "/$ws_arg_a$ws_arg_b",
        3 => "/x/.$ws_arg_a/y?p=$ws_arg_b",
        4 => "/x?a=$ws_arg_a&b=$ws_arg_b",
        5 => "/$ws_arg_a.$ws_arg_b/%41",
        6 => "/plain",
        _ => {
            own = input.text();
            &own
        }
    };
    let method = if flags & 16 == 0 { "GET" } else { "POST" };
    let Ok(route) = Route::parse("name", method, template) else { return };
    let mut params = BTreeMap::new();
    let mut texts = BTreeMap::new();
    while !input.is_empty() {
        let name = match input.below(4) {
            0 => "a".to_owned(),
            1 => "b".to_owned(),
            _ => input.text(),
        };
        let (text, json) = (input.text(), format!("[{}]", params.len()));
        texts.insert(name.clone(), text.clone());
        params.insert(Cow::Owned(name), Param { text: Cow::Owned(text), json: Cow::Owned(json) });
    }
    let Ok((uri, body)) = route.fill(&params) else { return };
    assert!(is_sane(&uri), "{uri:?}");

    // The path, segment by segment of the template, with values as they are.
    let (path, query) = match template.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (template, None),
    };
    let mut used = Vec::new();
    let mut segments = Vec::new();
    for segment in path[1..].split('/') {
        let mut bytes = Vec::new();
        // The same with values that are certainly harmless.
        let mut harmless = Vec::new();
        for piece in pieces(segment) {
            match piece {
                Ok(literal) => {
                    let literal = decode(literal).expect("half an escape in a route");
                    if literal.contains(&0) {
                        return; // the administrator's route is always a 400
                    }
                    bytes.extend_from_slice(&literal);
                    harmless.extend(literal);
                }
                Err(name) => {
                    let value = texts[name].as_bytes();
                    let is_part = !value.is_empty() && !value.contains(&b'/');
                    assert!(is_part && !value.contains(&0), "{value:?} in {uri:?}");
                    used.push(name);
                    bytes.extend_from_slice(value);
                    harmless.extend(b"x");
                }
            }
        }
        assert_eq!(dots(&bytes), dots(&harmless), "a value moves {uri:?}");
        segments.push(bytes);
    }
    let merge = flags & 32 != 0;
    let expected = resolve(segments.iter().flat_map(|s| s.split(|b| *b == b'/')), merge);
    let normal = normalise(&uri, merge);
    assert_eq!(normal.as_ref().map(|(path, _)| path), expected.as_ref());

    // The query, character by character.
    let mut expected = query.map(|query| {
        let mut text = String::new();
        for piece in pieces(query) {
            match piece {
                Ok(literal) => text.push_str(&escape_foreign(literal)),
                Err(name) => {
                    used.push(name);
                    text.push_str(&escape(&texts[name]));
                }
            }
        }
        text
    });
    let unused = texts.iter().filter(|(name, _)| !used.contains(&name.as_str()));
    if method == "GET" {
        assert_eq!(body, None);
        for (name, value) in unused {
            let pair = format!("{}={}", escape(name), escape(value));
            expected = Some(expected.map_or(pair.clone(), |query| format!("{query}&{pair}")));
        }
    } else {
        // Each member once, with its own JSON.
        let members = body.as_deref().map_or(Vec::new(), |body| json::members(body).unwrap());
        let members = members.into_iter().map(|(name, json)| (json::text(name).unwrap(), json));
        let all: Vec<(String, &str)> =
            unused.map(|(name, _)| (name.clone(), &*params[name.as_str()].json)).collect();
        assert_eq!(members.collect::<Vec<_>>(), all);
    }
    let actual = uri.split_once('?').map(|(_, query)| query);
    assert_eq!(actual, expected.as_deref());
}

/// How many segments are "." or "..".
fn dots(path: &[u8]) -> usize {
    path.split(|b| *b == b'/').filter(|segment| [&b"."[..], b".."].contains(segment)).count()
}

/// The literal parts of a template, and the names of its parameters.
fn pieces(template: &str) -> Vec<Result<&str, &str>> {
    let mut pieces = Vec::new();
    for (i, part) in template.split("$ws_arg_").enumerate() {
        if i == 0 {
            pieces.push(Ok(part));
            continue;
        }
        let end = part.find(|c: char| c != '_' && !c.is_ascii_alphanumeric());
        let (name, literal) = part.split_at(end.unwrap_or(part.len()));
        pieces.push(Err(name));
        pieces.push(Ok(literal));
    }
    pieces
}
