//! Tables of handshakes: the good one, and each way to spoil or to vary it.

use super::*;

type Headers = Vec<(&'static str, &'static str)>;

fn good() -> Headers {
    vec![
        ("Host", "server.example.com"),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Version", "13"),
    ]
}

/// The good headers with `name` replaced by `values`, one line each.
fn with(name: &'static str, values: &[&'static str]) -> Headers {
    let mut headers = good();
    headers.retain(|(n, _)| *n != name);
    headers.extend(values.iter().map(|v| (name, *v)));
    headers
}

fn run(request: &Request<'_>, headers: &Headers) -> Result<Accepted, Refusal> {
    check(request, headers.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes())))
}

fn request<'a>(origins: &'a OriginPolicy, subprotocols: &'a [String]) -> Request<'a> {
    Request { is_get: true, version: HttpVersion::Http11, origins, subprotocols, compression: None }
}

#[test]
fn the_example_of_the_rfc() {
    let accepted = run(&request(&OriginPolicy::Any, &[]), &good()).unwrap();
    assert_eq!(&accepted.accept, b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_eq!(accepted.subprotocol, None);
}

#[test]
fn a_key_is_16_bytes_whatever_its_spare_bits_are() {
    // The bytes 1 to 16, as RFC 6455 §4.1 writes them.
    let accepted = run(
        &request(&OriginPolicy::Any, &[]),
        &with("Sec-WebSocket-Key", &["AQIDBAUGBwgJCgsMDQ4PEC=="]),
    );
    assert_eq!(&accepted.unwrap().accept, b"OfS0wDaT5NoxF2gqm7Zj2YtetzM=");
}

#[test]
fn spoiled_handshakes() {
    const KEY: &str = "Sec-WebSocket-Key";
    let cases: Vec<(Headers, Refusal)> = vec![
        (with("Upgrade", &[]), Refusal::NoUpgrade),
        (with("Upgrade", &["websockets"]), Refusal::NoUpgrade),
        (with("Upgrade", &["h2c"]), Refusal::NoUpgrade),
        (with("Upgrade", &["\x0Cwebsocket"]), Refusal::NoUpgrade),
        (with("Connection", &[]), Refusal::NoUpgrade),
        (with("Connection", &["keep-alive"]), Refusal::NoUpgrade),
        (with("Connection", &["close, not-upgrade"]), Refusal::NoUpgrade),
        (with("Connection", &["close, upgrade\x0C"]), Refusal::NoUpgrade),
        (with("Sec-WebSocket-Version", &[]), Refusal::Version),
        (with("Sec-WebSocket-Version", &["8"]), Refusal::Version),
        (with("Sec-WebSocket-Version", &["013"]), Refusal::Version),
        (with("Sec-WebSocket-Version", &["13", "13"]), Refusal::Repeated),
        (with(KEY, &[]), Refusal::Key),
        (with(KEY, &[""]), Refusal::Key),
        (with(KEY, &["dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=="]), Refusal::Key),
        (with(KEY, &["dGhlIHNhbXBsZSBub25jZQ"]), Refusal::Key),
        (with(KEY, &["dGhlIHNhbXBsZSBub25jZSE="]), Refusal::Key), // 17 bytes
        (with(KEY, &["dGhlIHNhbXBsZSBub25j!Q=="]), Refusal::Key),
        (with("Content-Length", &["5"]), Refusal::Body),
        (with("Transfer-Encoding", &["chunked"]), Refusal::Body),
        (with("Origin", &["http://evil.example"]), Refusal::Origin),
        (with("Sec-WebSocket-Extensions", &["permessage-deflate;"]), Refusal::Extensions),
        (with("Sec-WebSocket-Protocol", &[""]), Refusal::Protocol),
        (with("Sec-WebSocket-Protocol", &["chat", " , "]), Refusal::Protocol),
        (with("Sec-WebSocket-Protocol", &["chat, b(c)"]), Refusal::Protocol),
        (with("Sec-WebSocket-Protocol", &["chat\x0C"]), Refusal::Protocol),
        (with("Origin", &["http://server.example.com", "http://a"]), Refusal::Repeated),
    ];
    let same = OriginPolicy::parse(["same"].into_iter()).unwrap();
    for (headers, refusal) in cases {
        assert_eq!(run(&request(&same, &[]), &headers), Err(refusal), "{headers:?}");
    }
}

#[test]
fn request_lines() {
    let good = good();
    let base = request(&OriginPolicy::Any, &[]);
    for version in [HttpVersion::Before11, HttpVersion::After11] {
        assert_eq!(run(&Request { version, ..base }, &good), Err(Refusal::NoUpgrade));
    }
    assert_eq!(run(&Request { is_get: false, ..base }, &good), Err(Refusal::Method));
}

#[test]
fn spellings_that_mean_the_same() {
    let cases = [
        with("Upgrade", &["WebSocket"]),
        with("Upgrade", &["h2c, websocket"]),
        with("Upgrade", &["h2c", "websocket"]),
        with("Connection", &["keep-alive, Upgrade"]),
        with("Connection", &["keep-alive ,\tUPGRADE , x"]),
        with("Connection", &["keep-alive", "upgrade"]),
        with("Content-Length", &["0"]),
        with("Origin", &["http://SERVER.example.com:80"]),
        good().into_iter().map(|(n, v)| (n.to_ascii_uppercase().leak() as &str, v)).collect(),
    ];
    let same = OriginPolicy::parse(["same"].into_iter()).unwrap();
    for headers in cases {
        assert!(run(&request(&same, &[]), &headers).is_ok(), "{headers:?}");
    }
}

#[test]
fn one_subprotocol_at_most_by_our_preference() {
    let ours = ["chat.v2".to_owned(), "chat.v1".to_owned()];
    let cases: &[(&[&str], Option<usize>)] = &[
        (&[], None),
        (&["other"], None),
        (&["chat.v1"], Some(1)),
        (&["chat.v1, chat.v2"], Some(0)),
        (&["other", "chat.v1"], Some(1)),
        (&["CHAT.V1"], None), // RFC 6455 §4.1: compared as they are
    ];
    for (offered, selected) in cases {
        let accepted =
            run(&request(&OriginPolicy::Any, &ours), &with("Sec-WebSocket-Protocol", offered));
        assert_eq!(accepted.unwrap().subprotocol, *selected, "{offered:?}");
    }
}

#[test]
fn compression_is_agreed_on_only_where_it_is_allowed() {
    let policy = Policy { window_bits: 15, context_takeover: false };
    let offer = with("Sec-WebSocket-Extensions", &["x-unknown", "permessage-deflate"]);
    let base = request(&OriginPolicy::Any, &[]);
    assert_eq!(run(&base, &offer).unwrap().deflate, None);
    let allowed = Request { compression: Some(&policy), ..base };
    assert!(run(&allowed, &offer).unwrap().deflate.is_some());
    assert_eq!(run(&allowed, &good()).unwrap().deflate, None);
}
