//! The answer to any `Sec-WebSocket-Extensions` is one that RFC 7692 allows, to the first offer
//! that can be served, and promises no more memory than the policy gives.

use ngx_ws::proto::handshake::extension::{Policy, negotiate};

use crate::reference::extension::{deflate, parse};

/// The policy; then the lines of the header.
pub fn run(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let policy = Policy { window_bits: 9 + (first & 7).min(6), context_takeover: first & 8 != 0 };
    let lines: Vec<&[u8]> = match rest {
        [] => Vec::new(),
        _ => rest.split(|b| *b == b'\n').collect(),
    };
    let ours = negotiate(lines.iter().copied(), &policy);

    let Some(extensions) = parse(&lines) else {
        assert!(ours.is_err(), "accepted what is no list: {ours:?}");
        return;
    };
    // zlib cannot keep to a window of 8 bits.
    let offer = extensions.iter().filter_map(deflate).find(|offer| offer.server_bits != Some(8));
    let (offer, agreement) = match (offer, ours.expect("refused a list")) {
        (None, None) => return,
        (Some(offer), Some(agreement)) => (offer, agreement),
        (offer, agreement) => panic!("{agreement:?} to {offer:?}"),
    };

    let header = agreement.header_value();
    let response = parse(&[header.as_bytes()]).expect("our own header is a list");
    let [extension] = response.as_slice() else { panic!("more than one extension") };
    let response = deflate(extension).expect("our own parameters are legal");

    // §7.1.1.1: what the client asks for, it gets.
    assert!(response.server_no_takeover || !offer.server_no_takeover);
    // §7.1.2.1: no larger window than the offer has, and named.
    if let Some(asked) = offer.server_bits {
        assert!(response.server_bits.is_some_and(|bits| (9..=asked).contains(&bits)));
    }
    // §7.1.2.2: only to a client that knows it, with a value, and none larger than its own.
    match (offer.client_bits, response.client_bits) {
        (_, None) => {}
        (Some(hint), Some(Some(bits))) => assert!(bits <= hint.unwrap_or(15)),
        (offered, answered) => panic!("{answered:?} to {offered:?}"),
    }

    // What the header says is what the session does.
    assert_eq!(agreement.server_takeover, !response.server_no_takeover);
    assert_eq!(agreement.client_takeover, !response.client_no_takeover);
    assert!(agreement.server_window_bits <= response.server_bits.unwrap_or(15));
    assert_eq!(agreement.client_window_bits, response.client_bits.flatten().unwrap_or(15));

    // The policy bounds what a socket costs.
    assert!(agreement.server_window_bits <= policy.window_bits);
    assert!(!agreement.server_takeover || policy.context_takeover);
    assert!(!agreement.client_takeover || policy.context_takeover);
    assert!(!agreement.client_takeover || agreement.client_window_bits <= policy.window_bits);
}
