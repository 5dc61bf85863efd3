//! Names of headers that a call carries or does not, wherever they come from.

/// Names of headers that no message inherits, or has of its own: they are about the connection, the handshake, or a
/// representation that the message does not have.
const DROPPED: &[&str] = &[
    "accept-encoding",
    "connection",
    "expect",
    "keep-alive",
    "proxy-connection",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Names of headers of the handshake that mean the handshake: a browser forbids caches to answer it
/// (with each reload of the page, at least).  A message may have its own.
const OF_HANDSHAKE: &[&str] = &["cache-control", "pragma"];

/// Names that begin like reserved ones, and that a message may have: they say what its own body is,
/// or what it knows of the representation that it asks for.
const OF_MESSAGE: &[&str] = &["content-type", "if-match", "if-none-match"];

/// Beginnings of names like those that no message has.
const DROPPED_PREFIXES: &[&str] = &["content-", "if-", "sec-websocket-"];

/// Whether a message never carries a header of this name that the client chooses.
pub fn is_reserved(name: &str) -> bool {
    name.eq_ignore_ascii_case("host")
        || is_of_connection(name) && !OF_MESSAGE.iter().any(|own| name.eq_ignore_ascii_case(own))
}

/// Whether a header of the handshake is not handed on to its messages.
pub fn is_dropped(name: &str) -> bool {
    is_of_connection(name) || OF_HANDSHAKE.iter().any(|own| name.eq_ignore_ascii_case(own))
}

fn is_of_connection(name: &str) -> bool {
    let starts = |prefix: &&str| {
        name.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix))
    };
    DROPPED.iter().any(|dropped| name.eq_ignore_ascii_case(dropped))
        || DROPPED_PREFIXES.iter().any(starts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_the_connection_or_the_handshake_is_dropped() {
        for name in ["Connection", "CONTENT-LENGTH", "if-range", "Sec-WebSocket-Key", "TE"] {
            assert!(is_dropped(name) && is_reserved(name), "{name}");
        }
        for name in ["Cache-Control", "PRAGMA", "Content-TYPE", "If-Match", "if-none-match"] {
            assert!(is_dropped(name) && !is_reserved(name), "{name}");
        }
        for name in ["Cookie", "Authorization", "X-If-Match", "Content", "Tea", ""] {
            assert!(!is_dropped(name) && !is_reserved(name), "{name}");
        }
        assert!(is_reserved("host") && !is_dropped("Host"));
    }
}
