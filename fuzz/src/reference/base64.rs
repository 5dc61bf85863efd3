//! RFC 4648 §4, with padding and without stray bits.

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
    (encode(&bytes).as_bytes() == text).then_some(bytes)
}
