//! RFC 4648 §4, with padding.

const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The only encoding of `bytes`.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut bits = 0u32;
        for i in 0..3 {
            bits = bits << 8 | u32::from(chunk.get(i).copied().unwrap_or(0));
        }
        for i in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * i) & 63) as usize];
            text.push(if i <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

/// The bytes whose encoding `text` is.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let bytes = bytes(text);
    (encode(&bytes).as_bytes() == text).then_some(bytes)
}

/// The same, whatever the bits are that the last digit has to spare (§3.5).
pub fn decode_loosely(text: &[u8]) -> Option<Vec<u8>> {
    let bytes = bytes(text);
    let strict = encode(&bytes);
    let digits = strict.trim_end_matches('=').len();
    let spare = match strict.len() - digits {
        0 => 1,
        1 => 4,
        _ => 16,
    };
    let value = |digit: &u8| ALPHABET.iter().position(|b| b == digit);
    let same = text.len() == strict.len()
        && text.iter().zip(strict.bytes()).enumerate().all(|(i, (ours, strict))| {
            *ours == strict
                || i + 1 == digits
                    && value(ours)
                        .is_some_and(|v| Some(v / spare) == value(&strict).map(|v| v / spare))
        });
    same.then_some(bytes)
}

fn bytes(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for chunk in text.chunks(4) {
        let mut bits = 0u32;
        for i in 0..4 {
            let digit = ALPHABET.iter().position(|b| Some(b) == chunk.get(i)).unwrap_or(0);
            bits = bits << 6 | digit as u32;
        }
        bytes.extend_from_slice(&bits.to_be_bytes()[1..]);
    }
    let padding = text.iter().rev().take_while(|b| **b == b'=').count();
    bytes.truncate(bytes.len().saturating_sub(padding));
    bytes
}
