//! What inflates is DEFLATE, within the limit and within what may be referred to; what deflates can
//! be read again, keeps to its window, and depends on nothing but the socket's own messages.

use std::cell::RefCell;

use ngx_ws::proto::frame::deflate::{Deflater, History, Inflater};
use ngx_ws::proto::frame::violation::Violation;

use crate::input::Input;
use crate::reference::deflate;

thread_local! {
    // One for all sockets, as in a worker, so that one input could spoil the next.
    static INFLATER: RefCell<Inflater> = RefCell::new(Inflater::new().unwrap());
}

/// Flags, the window, the limit; then messages of a conversation.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let flags = input.byte();
    let bits = 8 + (flags >> 1 & 7);
    let window = 1 << bits.clamp(9, 15);
    let takeover = flags & 1 == 1;
    if flags & 0x80 == 0 {
        inflate_anything(input, takeover, bits, window);
    } else {
        round_trip(input, takeover, bits, window);
    }
}

fn inflate_anything(mut input: Input<'_>, takeover: bool, bits: u8, window: usize) {
    let limit = [0, 1, 100, 511, 512, 513, 5000, 70_000][input.below(8)];
    let mut history = takeover.then(|| History::new(bits));
    let mut earlier = Vec::new();
    // All but the last one are short.
    let messages = input.below(4);
    for i in 0..=messages {
        let payload = if i < messages { input.piece() } else { input.0 };
        let expected = deflate::message(payload, &earlier, limit + 1);
        let mut out = Vec::new();
        let result = INFLATER.with_borrow_mut(|inflater| {
            inflater.message(payload, limit as u64, history.as_mut(), &mut out)
        });
        assert!(out.capacity() <= limit + 1, "{} bytes of memory", out.capacity());
        let fits = expected.out.len() <= limit;
        match result {
            Ok(()) => {
                assert!(expected.good && fits, "accepted: {}", expected.good);
                assert!(out == expected.out, "another message");
                if takeover {
                    earlier.extend(out);
                    earlier.drain(..earlier.len().saturating_sub(window));
                }
            }
            Err(violation) => {
                assert!(out.is_empty());
                match violation {
                    Violation::TooBig => assert!(!fits, "too big"),
                    // What is behind the limit need not be looked at.
                    Violation::BadCompression => assert!(!expected.good, "refused"),
                    Violation::TooManyBlocks => {
                        assert!(expected.finals > 32, "{} final blocks", expected.finals);
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
    }
}

fn round_trip(mut input: Input<'_>, takeover: bool, bits: u8, window: usize) {
    let level = 1 + input.below(9) as u32;
    let mut deflater = Deflater::new(level, bits).unwrap();
    let mut sent = takeover.then(|| History::new(bits));
    let mut received = takeover.then(|| History::new(bits));
    let mut earlier: Vec<u8> = Vec::new();
    let mut total = 0;
    // More than the largest window.
    while !input.is_empty() && total < 40_000 {
        // A piece, so many times over, or noise that does not compress.
        let times = [1, 1, 2, 10, 300, 0][input.below(6)];
        let piece = input.piece();
        let plain = if times > 0 { piece.repeat(times) } else { noise(piece) };
        total += plain.len();
        let mut payload = Vec::new();
        deflater.message(&plain, sent.as_mut(), &mut payload).unwrap();

        let expected = deflate::message(&payload, &earlier, plain.len());
        assert!(expected.good && expected.out == plain, "by the reference");
        assert!(expected.farthest <= window, "a reference {} back", expected.farthest);

        let mut out = Vec::new();
        INFLATER.with_borrow_mut(|inflater| {
            inflater.message(&payload, plain.len() as u64, received.as_mut(), &mut out).unwrap();
            // What one socket compresses tells nothing of another's messages.
            if !plain.is_empty() {
                let none =
                    inflater.message(&payload, plain.len() as u64 - 1, None, &mut Vec::new());
                assert!(none.is_err());
            }
        });
        assert!(out == plain, "round trip");

        if takeover {
            earlier.extend(plain);
            earlier.drain(..earlier.len().saturating_sub(window));
        } else {
            let mut other = Vec::new();
            deflater.message(b"of another socket", None, &mut other).unwrap();
        }
    }
}

/// As many bytes as the piece has, 40 times, of which none tells of the next.
fn noise(piece: &[u8]) -> Vec<u8> {
    let mut x =
        piece.iter().fold(1u32, |x, byte| x.wrapping_mul(31).wrapping_add(u32::from(*byte)));
    let mut next = || {
        x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (x >> 24) as u8
    };
    (0..40 * piece.len()).map(|_| next()).collect()
}
