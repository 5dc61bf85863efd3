//! Exactly the handshakes that RFC 6455 allows are accepted, with the right answer.

use ngx_ws::proto::handshake::extension::Policy;
use ngx_ws::proto::handshake::origin::OriginPolicy;
use ngx_ws::proto::handshake::{self, HttpVersion, Refusal, Request};

use crate::reference::handshake::{self as reference, Header};

/// What a location allows; then lines of "name:value".
pub fn run(data: &[u8]) {
    let Some((flags, rest)) = data.split_first() else { return };
    let origins = ["any", "same", "a.example", "*.a.example https://b.example:8443 app+x://b null"]
        [usize::from(flags & 3)];
    let policy = OriginPolicy::parse(origins.split(' ')).unwrap();
    let subprotocols = ["chat.v2".to_owned(), "chat".to_owned()];
    let request = Request {
        is_get: flags >> 2 & 7 != 7,
        version: match flags >> 2 & 7 {
            5 => HttpVersion::Before11,
            6 => HttpVersion::After11,
            _ => HttpVersion::Http11,
        },
        origins: &policy,
        subprotocols: if flags & 0x20 == 0 { &subprotocols } else { &[] },
        compression: (flags & 0x40 != 0)
            .then_some(&Policy { window_bits: 12, context_takeover: true }),
    };
    let headers: Vec<Header<'_>> = rest
        .split(|b| *b == b'\n')
        .filter_map(|line| {
            let colon = line.iter().position(|b| *b == b':')?;
            // As nginx gives them.
            let mut value = &line[colon + 1..];
            while let [b' ', rest @ ..] | [rest @ .., b' '] = value {
                value = rest;
            }
            Some((&line[..colon], value))
        })
        .collect();

    let mut faults = reference::faults(&request, &headers);
    // nginx lets no second Host pass.
    let host = reference::values(&headers, "Host").last().copied();
    if let [origin] = reference::values(&headers, "Origin").as_slice()
        && !may_connect(origins, origin, host)
    {
        faults.push(Refusal::Origin);
    }

    match handshake::check(&request, headers.iter().copied()) {
        Err(refusal) => {
            assert!(faults.contains(&refusal), "{refusal:?}, not one of {faults:?}");
            let status = match refusal {
                Refusal::Method => 405,
                Refusal::NoUpgrade | Refusal::Version => 426,
                Refusal::Origin => 403,
                _ => 400,
            };
            assert_eq!(refusal.status(), status);
        }
        Ok(accepted) => {
            assert_eq!(faults, []);
            let key = reference::values(&headers, "Sec-WebSocket-Key")[0];
            assert_eq!(accepted.accept, reference::accept(key).as_bytes());
            assert_eq!(accepted.subprotocol, reference::subprotocol(&request, &headers));
            let offers = reference::values(&headers, "Sec-WebSocket-Extensions");
            // The target `extension` has more to say on this.
            assert!(
                accepted.deflate.is_none() || request.compression.is_some() && !offers.is_empty()
            );
        }
    }
}

/// RFC 6454 §3.2.1, with a scheme taken from the origin where we do not name one.
fn may_connect(policy: &str, origin: &[u8], host: Option<&[u8]>) -> bool {
    if policy == "any" {
        return true;
    }
    let Ok(origin) = std::str::from_utf8(origin) else { return false };
    let exact = origin;
    let origin = origin.to_ascii_lowercase();
    if exact == "null" && policy.ends_with(" null") {
        return true;
    }
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    if authority.is_empty() {
        return false;
    }
    let default = match scheme {
        "https" | "wss" => ":443",
        "http" | "ws" => ":80",
        _ => "no port",
    };
    let port_at = authority.rfind(':').filter(|at| !authority[*at..].ends_with(']'));
    let name = &authority[..port_at.unwrap_or(authority.len())];
    let short = authority.strip_suffix(default).unwrap_or(authority);
    match policy {
        "same" => host.and_then(|host| std::str::from_utf8(host).ok()).is_some_and(|host| {
            let host = host.to_ascii_lowercase();
            host.strip_suffix(default).unwrap_or(&host) == short
        }),
        "a.example" => name == "a.example",
        _ => {
            name.strip_suffix(".a.example").is_some_and(|sub| !sub.is_empty())
                || scheme == "https" && authority == "b.example:8443"
                || origin == "app+x://b"
        }
    }
}
