//! Masking (RFC 6455 §5.3).

/// XORs `data` with `mask`, whose first byte meets the first byte of `data`; undoes itself.
#[inline]
pub fn apply(data: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    // Whole words first: the compiler turns this loop into vector instructions.
    let mut words = data.chunks_exact_mut(8);
    for word in &mut words {
        if let Ok(bytes) = <&mut [u8; 8]>::try_from(word) {
            *bytes = (u64::from_ne_bytes(*bytes) ^ wide).to_ne_bytes();
        }
    }
    for (byte, key) in words.into_remainder().iter_mut().zip(mask.iter().cycle()) {
        *byte ^= key;
    }
}

/// The mask as it continues after `consumed` bytes of the payload.
#[inline]
pub const fn advance(mask: [u8; 4], consumed: usize) -> [u8; 4] {
    // The wire order of the key is the order in memory, so rotation is by whole bytes.
    u32::from_be_bytes(mask).rotate_left(8 * (consumed % 4) as u32).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_rfc_formula_at_every_length_and_alignment() {
        let mask = [0x37, 0xFA, 0x21, 0x3D];
        let plain: Vec<u8> = (0..200u8).map(|i| i.wrapping_mul(31)).collect();
        for start in 0..16 {
            for end in start..plain.len() {
                let mut data = plain.clone();
                apply(&mut data[start..end], mask);
                for (i, byte) in data[start..end].iter().enumerate() {
                    assert_eq!(*byte, plain[start + i] ^ mask[i % 4]);
                }
                assert_eq!(data[end..], plain[end..]);
            }
        }
    }

    #[test]
    fn a_payload_unmasked_in_pieces_equals_the_whole() {
        let mask = [1, 2, 4, 8];
        let mut whole: Vec<u8> = (0..50).collect();
        let mut pieces = whole.clone();
        apply(&mut whole, mask);
        let mut key = mask;
        for piece in pieces.chunks_mut(7) {
            apply(piece, key);
            key = advance(key, piece.len());
        }
        assert_eq!(whole, pieces);
    }
}
