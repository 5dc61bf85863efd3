//! A message is the call that it says, to the byte, and every reply is JSON under the same `id`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use ngx_ws::proto::call::answer::{Answer, Failure, Response};
use ngx_ws::proto::call::op::{Asked, Body, Call, Op, Rejection, Target};
use ngx_ws::proto::dialect::native::{self, MAX_ID, MAX_MEMBERS};

use crate::input::Input;
use crate::reference::{base64, json};

/// A response: its status, type, headers and body; then the message.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let status = u16::from_be_bytes([input.byte(), input.byte()]);
    let types: [Option<&[u8]>; 6] = [
        None,
        Some(b"application/json"),
        Some(b"Application/JSON ; charset=utf-8"),
        Some(b"application/problem+json"),
        Some(b"text/plain"),
        Some(b"application/jsonp"),
    ];
    let content_type = input.below(6);
    let headers: Vec<(String, String)> =
        (0..input.below(3)).map(|_| (input.text(), input.text())).collect();
    let body = input.piece();
    let is_coded = status & 0x100 != 0;
    let content_type = types[content_type];
    let response = Response { status, headers: &headers, content_type, body, is_coded };

    let message = String::from_utf8_lossy(input.0);
    let Asked { id, op } = native::read(&message);
    let parsed = op.map(|Op::Call(call)| call);
    check_parsed(&message, id, &parsed);

    let json_type = content_type
        .is_some_and(|t| t.to_ascii_lowercase().starts_with(b"application/") && !t.ends_with(b"p"));
    let answer = Answer::Reply(response);
    let reply = written(&answer, id);
    let Answer::Reply(response) = answer else { unreachable!() };
    check_response(&reply, id, &response, json_type);
    for failure in failures(parsed.err().unwrap_or(Rejection::BadJson)) {
        check_failure(&written(&Answer::Failure(failure), id), id, failure);
    }
}

fn written(answer: &Answer<'_>, id: Option<&str>) -> String {
    let mut out = Vec::with_capacity(6);
    out.extend(b"before");
    native::write(answer, id, &mut out).expect("there is memory");
    assert_eq!(out.len(), out.capacity(), "memory for what is written");
    String::from_utf8(out.split_off(6)).expect("JSON is UTF-8")
}

fn check_parsed(message: &str, id: Option<&str>, parsed: &Result<Call<'_>, Rejection>) {
    let expected = if json::is_json(message) { read(message) } else { None };
    match (parsed, expected) {
        (Ok(call), Some(expected)) => {
            let (target, headers, body) = (&call.target, &call.headers, &call.body);
            assert_eq!(id, expected.id);
            match (target, &expected.target) {
                (Target::Path { method, path }, RefTarget::Path(m, p)) => {
                    assert_eq!((method.name(), &**path), (m.as_str(), p.as_str()));
                }
                (Target::Action { name, params }, RefTarget::Action(n, p)) => {
                    let params = params.iter().map(|(name, param)| {
                        (name.to_string(), (param.text.to_string(), param.json.to_string()))
                    });
                    assert_eq!((&**name, params.collect()), (n.as_str(), p.clone()));
                }
                (ours, theirs) => panic!("{ours:?} where the reference says {theirs:?}"),
            }
            assert_eq!(owned(headers), expected.headers);
            let body =
                body.as_ref().map(|Body { bytes, content_type }| (bytes.to_vec(), *content_type));
            assert_eq!(body, expected.body);
        }
        (Err(rejection), None) => {
            if let Some(id) = id {
                assert!(json::is_json(message), "an id of no JSON");
                assert_eq!(member(message, "id"), Some(id));
            }
            // A name with a lone surrogate is JSON by its grammar (RFC 8259 §8.2), but no text.
            if *rejection == Rejection::BadJson && json::is_json(message) {
                let names = json::members(message).expect("an object, or it were no bad JSON");
                assert!(names.iter().any(|(name, _)| json::text(name).is_none()));
            }
        }
        (ours, theirs) => panic!("{ours:?} where the reference says {theirs:?}"),
    }
}

fn owned(map: &BTreeMap<Cow<'_, str>, Cow<'_, str>>) -> BTreeMap<String, String> {
    map.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

/// The message as the table in docs/protocol.md reads.
#[derive(Debug)]
struct RefCall<'m> {
    id: Option<&'m str>,
    target: RefTarget,
    headers: BTreeMap<String, String>,
    body: Option<(Vec<u8>, &'static str)>,
}

#[derive(Debug)]
enum RefTarget {
    Path(String, String),
    /// The name; each parameter's text and JSON.
    Action(String, BTreeMap<String, (String, String)>),
}

/// `None` when a text of JSON is not a good call.
fn read(message: &str) -> Option<RefCall<'_>> {
    let members = json::members(message)?;
    let mut known: BTreeMap<String, &str> = BTreeMap::new();
    for (name, value) in &members {
        let name = json::text(name)?;
        let names = ["id", "method", "path", "action", "params", "headers", "body", "encoding"];
        if names.contains(&name.as_str()) && known.insert(name, value).is_some() {
            return None;
        }
    }
    known.retain(|_, value| *value != "null");
    let get = |name: &str| known.get(name).copied();

    let id = get("id");
    if id.is_some_and(|id| id.starts_with(['{', '[', 't', 'f']) || id.len() > MAX_ID) {
        return None;
    }
    let method = match get("method") {
        None => None,
        Some(raw) => {
            let method = json::text(raw)?;
            ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
                .contains(&method.as_str())
                .then_some(())?;
            Some(method)
        }
    };
    let target = match (get("path"), get("action"), get("params")) {
        (Some(path), None, None) => {
            RefTarget::Path(method.unwrap_or("GET".to_owned()), json::text(path)?)
        }
        (None, Some(action), params) if method.is_none() => {
            let params = params.map_or(Some(BTreeMap::new()), |raw| {
                let mut params = object(raw)?;
                params.retain(|_, value| *value != "null");
                let plain = |value: &str| !value.starts_with(['{', '[']);
                params.values().all(|value| plain(value)).then_some(())?;
                // A string with a lone surrogate is no text.
                let text = |raw: &str| match raw.starts_with('"') {
                    true => json::text(raw),
                    false => Some(raw.to_owned()),
                };
                params
                    .into_iter()
                    .map(|(name, raw)| Some((name, (text(raw)?, raw.to_owned()))))
                    .collect::<Option<_>>()
            })?;
            RefTarget::Action(json::text(action)?, params)
        }
        _ => return None,
    };
    let headers: BTreeMap<String, String> = get("headers")
        .map_or(Some(BTreeMap::new()), |raw| {
            object(raw)?.into_iter().map(|(name, raw)| Some((name, json::text(raw)?))).collect()
        })?;
    // RFC 9110 §5.1: the case of a header's name means nothing.
    let names: BTreeSet<String> = headers.keys().map(|name| name.to_ascii_lowercase()).collect();
    if names.len() < headers.len() {
        return None;
    }
    let encoding = match get("encoding") {
        None => None,
        Some(raw) => Some(json::text(raw)?),
    };
    let body = match (get("body"), encoding.as_deref()) {
        (None, None) => None,
        (None, Some(_)) => return None,
        (Some(raw), None | Some("json")) => Some((raw.as_bytes().to_vec(), "application/json")),
        (Some(raw), Some("text")) => {
            Some((json::text(raw)?.into_bytes(), "text/plain; charset=utf-8"))
        }
        (Some(raw), Some("base64")) => {
            let bytes = base64::decode(json::text(raw)?.as_bytes())?;
            Some((bytes, "application/octet-stream"))
        }
        (Some(_), Some(_)) => return None,
    };
    Some(RefCall { id, target, headers, body })
}

/// The members of an object with each name once, unless there are too many.
fn object(raw: &str) -> Option<BTreeMap<String, &str>> {
    let members = json::members(raw)?;
    let count = members.len();
    let map: BTreeMap<_, _> = members
        .into_iter()
        .map(|(name, value)| Some((json::text(name)?, value)))
        .collect::<Option<_>>()?;
    (map.len() == count && count <= MAX_MEMBERS).then_some(map)
}

/// The raw value of a member of a reply.
fn member<'m>(text: &'m str, name: &str) -> Option<&'m str> {
    let members = json::members(text)?;
    members.iter().find(|(n, _)| json::text(n).as_deref() == Some(name)).map(|(_, value)| *value)
}

fn check_response(reply: &str, id: Option<&str>, response: &Response<'_>, json_type: bool) {
    assert!(json::is_json(reply), "{reply:?}");
    assert_eq!(member(reply, "id"), id);
    assert_eq!(member(reply, "status"), Some(response.status.to_string().as_str()));
    let headers = json::members(member(reply, "headers").unwrap()).unwrap();
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (json::text(name).unwrap(), json::text(value).unwrap()))
        .collect();
    assert_eq!(headers, response.headers);

    let body = member(reply, "body");
    let encoding = member(reply, "encoding").map(|raw| json::text(raw).unwrap());
    let text = std::str::from_utf8(response.body)
        .map_err(|_| ())
        .and_then(|text| if response.is_coded { Err(()) } else { Ok(text) });
    match (response.body, text) {
        ([], _) => assert_eq!((body, encoding), (None, None)),
        (_, Ok(text)) if json_type && json::is_json(unmarked(text)) => {
            let text = unmarked(text);
            assert_eq!((body, encoding), (Some(text.trim_matches([' ', '\t', '\r', '\n'])), None));
        }
        (bytes, Ok(text)) if as_string(text) <= (2 + bytes.chunks(3).count() * 4).max(1024) => {
            assert_eq!(json::text(body.unwrap()).as_deref(), Some(text));
            assert_eq!(body.unwrap().len(), as_string(text));
            assert_eq!(encoding.as_deref(), Some("text"));
        }
        // No text, or shorter so.
        (bytes, _) => {
            let encoded = json::text(body.unwrap()).unwrap();
            assert_eq!(base64::decode(encoded.as_bytes()).as_deref(), Some(bytes));
            assert_eq!(encoding.as_deref(), Some("base64"));
        }
    }
}

/// The length of a JSON string (RFC 8259 §7) that escapes no more than it must.
fn as_string(text: &str) -> usize {
    let escaped = |c: char| match c {
        '"' | '\\' | '\n' | '\r' | '\t' => 2,
        '\0'..='\x1f' => 6,
        c => c.len_utf8(),
    };
    2 + text.chars().map(escaped).sum::<usize>()
}

/// A text without its byte order mark (RFC 8259 §8.1).
fn unmarked(text: &str) -> &str {
    text.strip_prefix('\u{FEFF}').unwrap_or(text)
}

fn failures(rejection: Rejection) -> [Failure; 10] {
    [
        Failure::Rejected(rejection),
        Failure::HeaderNotAllowed,
        Failure::NotFound,
        Failure::BinaryNotSupported,
        Failure::TooManyMessages(u64::MAX),
        Failure::ResponseTooLarge,
        Failure::BackendFailed,
        Failure::Overloaded,
        Failure::ShuttingDown,
        Failure::Timeout,
    ]
}

fn check_failure(reply: &str, id: Option<&str>, failure: Failure) {
    assert!(json::is_json(reply), "{reply:?}");
    let none = matches!(failure, Failure::Rejected(_)).then_some("null");
    assert_eq!(member(reply, "id"), id.or(none));
    let status = member(reply, "status").unwrap();
    assert!(status.len() == 3 && status.starts_with(['4', '5']), "{status}");
    for name in ["error", "message"] {
        assert!(json::text(member(reply, name).unwrap()).is_some());
    }
}
