//! Messages and what becomes of them.

use super::*;
use crate::proto::call::answer::{Answer, Failure, Response};

/// A good call.
fn good(message: &str) -> Call<'_> {
    parse(message).unwrap().1
}

/// A failure as it is written.
fn written(failure: Failure, id: Option<&str>) -> String {
    let mut out = Vec::new();
    write(&Answer::Failure(failure), id, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn path_of(message: &str) -> (Method, String) {
    match good(message).target {
        Target::Path { method, path } => (method, path.into_owned()),
        Target::Action { .. } => panic!("an action"),
    }
}

#[test]
fn calls() {
    assert_eq!(path_of(r#"{"path":"/a"}"#), (Method::Get, "/a".into()));
    assert_eq!(path_of(r#"{"method":"PUT","path":"\/a\u002fb"}"#), (Method::Put, "/a/b".into()));
    assert_eq!(path_of(r#"{"id":null,"path":"/a","x":[[[]]]}"#), (Method::Get, "/a".into()));

    let call = good(r#"{"action":"get","params":{"n":1.50,"s":"x\ny","t":true,"z":null}}"#);
    let Target::Action { name, params } = call.target else { panic!("a path") };
    assert_eq!(name, "get");
    let params: Vec<_> = params.iter().map(|(n, v)| (&**n, &*v.text, &*v.json)).collect();
    let expected = [("n", "1.50", "1.50"), ("s", "x\ny", r#""x\ny""#), ("t", "true", "true")];
    assert_eq!(params, expected);
}

#[test]
fn ids_are_returned_as_they_were_written() {
    for id in ["1", "-0.10e5", "12345678901234567890123", r#""a\u00e9\/""#, r#""""#] {
        let message = format!(r#"{{"id": {id} ,"path":"/"}}"#);
        assert_eq!(read(&message).id, Some(id));
    }
    assert_eq!(read(r#"{"path":"/"}"#).id, None);
}

#[test]
fn bodies() {
    let cases: &[(&str, &[u8], &str)] = &[
        (r#""body":{"a": 1.0 }"#, br#"{"a": 1.0 }"#, "application/json"),
        (r#""body":"x""#, br#""x""#, "application/json"),
        (r#""body":"x\ny","encoding":"text""#, b"x\ny", "text/plain; charset=utf-8"),
        (r#""body":"AP8=","encoding":"base64""#, b"\0\xFF", "application/octet-stream"),
    ];
    for (members, bytes, content_type) in cases {
        let message = format!(r#"{{"path":"/",{members}}}"#);
        let body = good(&message).body.unwrap();
        assert_eq!((body.bytes.as_ref(), body.content_type), (*bytes, *content_type), "{members}");
    }
    assert!(good(r#"{"path":"/","body":null}"#).body.is_none());
}

#[test]
fn rejections() {
    let deep = "[".repeat(1 << 20);
    for not_json in
        ["", "hello", "{", r#"{"path":"/"} x"#, r#"{"path":"/",}"#, &deep, "{\"id\":01}"]
    {
        assert_eq!(parse(not_json).unwrap_err(), (None, Rejection::BadJson), "{not_json:.20}");
    }
    let long = format!(r#"{{"id":"{}","path":"/"}}"#, "x".repeat(MAX_ID));
    for no_id in [
        "[]",
        "1",
        r#"[1,"GET","/",null,null,null,null,null]"#,
        "[1,2,3,4,5,6,7,8,9]",
        r#"{"path":"/","path":"/"}"#,
        r#"{"id":[1],"path":"/"}"#,
        r#"{"id":true,"path":"/"}"#,
        &long,
    ] {
        let (id, rejection) = parse(no_id).unwrap_err();
        assert_eq!(id, None, "{no_id:.40}");
        assert!(matches!(rejection, Rejection::BadMessage(_)), "{no_id:.40}");
    }
    for members in [
        r#""x":1"#,
        r#""path":1"#,
        r#""path":"/","action":"a""#,
        r#""path":"/","params":{}"#,
        r#""method":"GET","action":"a""#,
        r#""method":"get","path":"/""#,
        r#""method":"TRACE","path":"/""#,
        r#""path":"/","headers":["a"]"#,
        r#""path":"/","headers":{"a":1}"#,
        r#""path":"/","headers":{"a":"1","a":"2"}"#,
        r#""action":"a","params":{"b":{}}"#,
        r#""action":"a","params":{"b":"\ud800"}"#,
        r#""path":"/","headers":{"x-a":"1","X-A":"2"}"#,
        r#""action":"a","params":{"b":1,"b":2}"#,
        r#""path":"/","encoding":"text""#,
        r#""path":"/","body":1,"encoding":"text""#,
        r#""path":"/","body":"?","encoding":"base64""#,
        r#""path":"/","body":"x","encoding":"gzip""#,
        r#""path":"\ud800""#,
    ] {
        let message = format!(r#"{{"id":7,{members}}}"#);
        let (id, rejection) = parse(&message).unwrap_err();
        assert_eq!(id, Some("7"), "{members}");
        assert!(matches!(rejection, Rejection::BadMessage(_)), "{members}");
    }
}

#[test]
fn depth_costs_no_stack() {
    let depth = 500_000;
    let message = format!(r#"{{"path":"/","body":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    assert_eq!(good(&message).body.unwrap().bytes.len(), 2 * depth);
}

fn reply(content_type: &str, body: &[u8]) -> String {
    let response = Response {
        status: 200,
        content_type: Some(content_type.as_bytes()),
        body,
        ..Response::default()
    };
    let mut out = b"room".to_vec();
    write(&Answer::Reply(response), Some("1"), &mut out).unwrap();
    String::from_utf8(out.split_off(4)).unwrap()
}

#[test]
fn replies_embed_json_and_quote_the_rest() {
    let cases: &[(&str, &[u8], &str)] = &[
        ("application/json", b" {\"n\": 1.00}\n", r#","body":{"n": 1.00}"#),
        ("Application/JSON; charset=utf-8", b"[1]", r#","body":[1]"#),
        ("application/problem+json", b"{}", r#","body":{}"#),
        ("application/json", b"\xEF\xBB\xBF {\"a\":1.0} ", r#","body":{"a":1.0}"#),
        (
            "application/json",
            "\u{FEFF}{\u{FEFF}".as_bytes(),
            ",\"body\":\"\u{FEFF}{\u{FEFF}\",\"encoding\":\"text\"",
        ),
        ("text/plain", "\u{FEFF}{}".as_bytes(), ",\"body\":\"\u{FEFF}{}\",\"encoding\":\"text\""),
        ("application/json", b"{", r#","body":"{","encoding":"text""#),
        ("text/plain", b"[1]", r#","body":"[1]","encoding":"text""#),
        (
            "text/html",
            "é\"\\\n\r\t\x01\x1f and quite a lot of text that needs no escape at all".as_bytes(),
            r#","body":"é\"\\\n\r\t\u0001\u001f and quite a lot of text that needs no escape at all","encoding":"text""#,
        ),
        ("text/plain", b"\x1f", r#","body":"\u001f","encoding":"text""#),
        ("image/png", b"\x89\xFF", r#","body":"if8=","encoding":"base64""#),
        ("application/json", b"\xFF", r#","body":"/w==","encoding":"base64""#),
        ("text/plain", b"", ""),
    ];
    for (content_type, body, expected) in cases {
        let json = reply(content_type, body);
        assert_eq!(json, format!(r#"{{"id":1,"status":200,"headers":{{}}{expected}}}"#));
        serde_json::from_str::<serde_json::Value>(&json).unwrap();
    }
}

#[test]
fn a_reply_takes_the_memory_of_what_is_written_and_no_more_than_base64_does() {
    let headers = [("etag".to_owned(), "\"x\"\x01".to_owned()), ("a".to_owned(), "é".to_owned())];
    let mut body = Vec::new();
    for i in 0..3000u32 {
        // Nothing but control bytes, some of them, none, and what is no text.
        body.push(match i / 500 {
            0 => 1,
            1 | 2 if i % 3 == 0 => b'\n',
            5 => 0xFF,
            _ => b'a' + (i % 26) as u8,
        });
        for content_type in [None, Some(&b"application/json"[..])] {
            let response = Response {
                status: 200,
                headers: &headers,
                content_type,
                body: &body,
                is_coded: false,
            };
            let mut out = Vec::new();
            write(&Answer::Reply(response), Some("1"), &mut out).unwrap();
            assert_eq!(out.len(), out.capacity());
            assert!(out.len() < (body.len().div_ceil(3) * 4).max(1024) + 120, "{i}");
        }
    }
    let mut out = Vec::new();
    write(&Answer::Failure(Failure::TooManyMessages(7)), None, &mut out).unwrap();
    assert_eq!(out.len(), out.capacity());
}

#[test]
fn a_coded_body_is_no_text() {
    let response = Response {
        status: 200,
        content_type: Some(b"application/json"),
        body: b"{}",
        is_coded: true,
        ..Response::default()
    };
    let mut out = Vec::new();
    write(&Answer::Reply(response), None, &mut out).unwrap();
    assert_eq!(out, br#"{"status":200,"headers":{},"body":"e30=","encoding":"base64"}"#);
}

#[test]
fn replies_carry_headers_and_may_lack_an_id() {
    let headers =
        [("etag".to_owned(), "\"x\"".to_owned()), ("location".to_owned(), "/y".to_owned())];
    let response = Response { status: 304, headers: &headers, ..Response::default() };
    let mut out = Vec::new();
    write(&Answer::Reply(response), None, &mut out).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"{"status":304,"headers":{"etag":"\"x\"","location":"/y"}}"#
    );
}

#[test]
fn failures() {
    assert_eq!(
        written(Failure::Rejected(Rejection::BadJson), None),
        r#"{"id":null,"status":400,"error":"bad_json","message":"the message is not JSON"}"#
    );
    assert_eq!(
        written(Failure::Timeout, Some("\"a\"")),
        r#"{"id":"a","status":504,"error":"timeout","message":"no response within ws_request_timeout"}"#
    );
    assert_eq!(
        written(Failure::TooManyMessages(250), Some("1")),
        r#"{"id":1,"status":429,"error":"too_many_messages","message":"the message rate is exceeded","retry_after_ms":250}"#
    );
    assert_eq!(
        written(Failure::NotFound, None),
        r#"{"status":404,"error":"not_found","message":"no such path or action here"}"#
    );
}
