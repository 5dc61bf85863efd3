//! Names of headers that a call carries or does not, wherever they come from.

/// Names of headers that no message has: they are about the connection, the handshake, or a
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

/// Beginnings of names that are as those above.
const DROPPED_PREFIXES: &[&str] = &["content-", "if-", "sec-websocket-"];

/// Whether a message never carries a header of this name, wherever it comes from.
pub fn is_reserved(name: &str) -> bool {
    is_of_connection(name) || name.eq_ignore_ascii_case("host")
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
        for name in ["Connection", "CONTENT-LENGTH", "if-match", "Sec-WebSocket-Key", "TE"] {
            assert!(is_dropped(name) && is_reserved(name), "{name}");
        }
        for name in ["Cache-Control", "PRAGMA"] {
            assert!(is_dropped(name) && !is_reserved(name), "{name}");
        }
        for name in ["Cookie", "Authorization", "X-If-Match", "Content", "Tea", ""] {
            assert!(!is_dropped(name) && !is_reserved(name), "{name}");
        }
        assert!(is_reserved("host") && !is_dropped("Host"));
    }
}
