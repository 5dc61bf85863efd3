//! RFC 6455 §4.2, RFC 9110 §5.6.1 and FIPS 180-4: who may be answered with 101, and how.

use ngx_ws::proto::handshake::{HttpVersion, Refusal, Request};

use super::{base64, extension};

/// The name and value of a header.
pub type Header<'h> = (&'h [u8], &'h [u8]);

/// All that is wrong with a handshake but its origin.
pub fn faults(request: &Request<'_>, headers: &[Header<'_>]) -> Vec<Refusal> {
    let mut faults = Vec::new();
    let mut rule = |holds: bool, refusal| {
        if !holds {
            faults.push(refusal);
        }
    };
    rule(request.is_get, Refusal::Method);
    rule(request.version == HttpVersion::Http11, Refusal::NoUpgrade);
    let lists = |name, member: &[u8]| {
        values(headers, name)
            .iter()
            .flat_map(|value| members(value))
            .any(|token| token.eq_ignore_ascii_case(member))
    };
    rule(lists("Connection", b"upgrade"), Refusal::NoUpgrade);
    rule(lists("Upgrade", b"websocket"), Refusal::NoUpgrade);
    match values(headers, "Sec-WebSocket-Version").as_slice() {
        [version] => rule(*version == b"13", Refusal::Version),
        [] => rule(false, Refusal::Version),
        _ => rule(false, Refusal::Repeated),
    }
    match values(headers, "Sec-WebSocket-Key").as_slice() {
        [key] => rule(base64::decode_loosely(key).is_some_and(|key| key.len() == 16), Refusal::Key),
        _ => rule(false, Refusal::Key),
    }
    // RFC 9112 §6: what says that there is a body.
    rule(values(headers, "Transfer-Encoding").is_empty(), Refusal::Body);
    let lengths = values(headers, "Content-Length");
    rule(lengths.iter().all(|length| *length == b"0"), Refusal::Body);
    rule(values(headers, "Origin").len() < 2, Refusal::Repeated);
    for value in values(headers, "Sec-WebSocket-Protocol") {
        let protocols = members(value);
        let good = protocols.iter().all(|name| extension::is_token(name));
        rule(good && !protocols.is_empty(), Refusal::Protocol);
    }
    let extensions = values(headers, "Sec-WebSocket-Extensions");
    rule(extension::parse(&extensions).is_some(), Refusal::Extensions);
    faults
}

/// The first of our subprotocols that the client offers.
pub fn subprotocol(request: &Request<'_>, headers: &[Header<'_>]) -> Option<usize> {
    let offered: Vec<&[u8]> =
        values(headers, "Sec-WebSocket-Protocol").iter().flat_map(|value| members(value)).collect();
    (0..request.subprotocols.len()).find(|i| offered.contains(&request.subprotocols[*i].as_bytes()))
}

/// §4.2.2, step 5.4.
pub fn accept(key: &[u8]) -> String {
    base64::encode(&sha1(&[key, b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"].concat()))
}

/// The values of all headers of a name.
pub fn values<'h>(headers: &[Header<'h>], name: &str) -> Vec<&'h [u8]> {
    let named = headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes()));
    named.map(|(_, value)| *value).collect()
}

/// The members of a list, without blanks around them.
fn members(value: &[u8]) -> Vec<&[u8]> {
    let mut members = Vec::new();
    for mut member in value.split(|b| *b == b',') {
        while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = member {
            member = rest;
        }
        if !member.is_empty() {
            members.push(member);
        }
    }
    members
}

fn sha1(message: &[u8]) -> [u8; 20] {
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend((8 * message.len() as u64).to_be_bytes());
    let mut hash = [0x6745_2301u32, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0];
    for block in padded.chunks(64) {
        let mut words: Vec<u32> =
            block.chunks(4).map(|w| u32::from_be_bytes(w.try_into().unwrap())).collect();
        for t in 16..80 {
            let word = words[t - 3] ^ words[t - 8] ^ words[t - 14] ^ words[t - 16];
            words.push(word.rotate_left(1));
        }
        let [mut a, mut b, mut c, mut d, mut e] = hash;
        for (t, word) in words.iter().enumerate() {
            let (f, k) = match t / 20 {
                0 => (b & c | !b & d, 0x5A82_7999),
                1 => (b ^ c ^ d, 0x6ED9_EBA1),
                2 => (b & c | b & d | c & d, 0x8F1B_BCDC),
                _ => (b ^ c ^ d, 0xCA62_C1D6u32),
            };
            let next = a
                .rotate_left(5)
                .wrapping_add(f)
                .wrapping_add(e)
                .wrapping_add(k)
                .wrapping_add(*word);
            (a, b, c, d, e) = (next, a, b.rotate_left(30), c, d);
        }
        for (h, x) in hash.iter_mut().zip([a, b, c, d, e]) {
            *h = h.wrapping_add(x);
        }
    }
    let mut bytes = [0; 20];
    for (bytes, h) in bytes.chunks_mut(4).zip(hash) {
        bytes.copy_from_slice(&h.to_be_bytes());
    }
    bytes
}
