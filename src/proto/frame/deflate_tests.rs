//! Vectors of the RFC and of C zlib, round trips against a slow and obvious inflate, hostile data.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

#[path = "deflate_reference.rs"]
mod reference;

use reference::Reference;

const NO_LIMIT: u64 = u64::MAX;

fn inflate(
    payload: &[u8],
    limit: u64,
    history: Option<&mut History>,
) -> Result<Vec<u8>, Violation> {
    let mut out = Vec::new();
    Inflater::new().unwrap().message(payload, limit, history, &mut out).map(|()| out)
}

fn deflate(level: u32, plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Deflater::new(level, 15).unwrap().message(plain, None, &mut out).unwrap();
    out
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

/// Digits as of an old `rand()`: compressed best with a Huffman code of their own.
fn digits(n: usize, base: u32) -> Vec<u8> {
    let mut x = 1u32;
    let mut next = || {
        x = x.wrapping_mul(1_103_515_245).wrapping_add(12345) & 0x7FFF_FFFF;
        b'0' + ((x >> 16) % base) as u8
    };
    (0..n).map(|_| next()).collect()
}

#[test]
fn the_examples_of_the_rfc() {
    // (section of RFC 7692, payloads of messages, each of which is "Hello")
    const CASES: &[(&str, &[&[u8]])] = &[
        ("7.2.3.1", &[&[0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]]),
        (
            "7.2.3.2, sharing the window",
            &[&[0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00], &[0xF2, 0x00, 0x11, 0x00, 0x00]],
        ),
        (
            "7.2.3.3, no compression",
            &[&[0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00]],
        ),
        ("7.2.3.4, final block", &[&[0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00]]),
        (
            "7.2.1, the empty block at the end is a final one",
            &[&[0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x01]],
        ),
        (
            "7.2.3.5, two blocks",
            &[&[0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00]],
        ),
    ];
    for (section, payloads) in CASES {
        let mut history = History::new(15);
        for payload in *payloads {
            assert_eq!(inflate(payload, 5, Some(&mut history)).unwrap(), b"Hello", "{section}");
        }
    }
    assert_eq!(deflate(1, b"Hello"), CASES[0].1[0], "7.2.3.1");
}

#[test]
fn an_empty_message_is_one_octet_under_any_context() {
    let mut deflater = Deflater::new(1, 15).unwrap();
    let mut history = History::new(15);
    let mut out = Vec::new();
    for _ in 0..2 {
        deflater.message(b"", Some(&mut history), &mut out).unwrap();
        deflater.message(b"", None, &mut out).unwrap();
    }
    assert_eq!(out, [0x00; 4]); // RFC 7692 §7.2.3.6
    assert_eq!(inflate(&[0x00], 0, None).unwrap(), b"");
    assert_eq!(inflate(&[0x00], 0, Some(&mut history)).unwrap(), b"");
}

#[test]
fn what_c_zlib_compresses() {
    // A window of 9 bits, level 9, context takeover.
    let messages = [
        (
            r#"{"id":0,"path":"/orders/40","items":[{"sku":"A0","qty":0}]}"#,
            "aa56ca4c51b232d0512a482cc950b252d2cf2f4a492d2ad6373150d251ca2c49cd2d56b28aae562ace2e\
             054a3a82040b4b2a811a6a636b0100",
        ),
        (
            r#"{"id":1,"path":"/orders/41","items":[{"sku":"A62","qty":1}]}"#,
            "aa066b35c4d46a884dab99114caf21502f00",
        ),
        (
            r#"{"id":2,"path":"/orders/42","items":[{"sku":"A27","qty":2}]}"#,
            "82e835c2d46b844daf91394caf11502f00",
        ),
    ];
    let mut history = History::new(9);
    for (plain, payload) in messages {
        let inflated = inflate(&bytes(payload), NO_LIMIT, Some(&mut history)).unwrap();
        assert_eq!(inflated, plain.as_bytes());
    }
    // The first message in other ways.
    let others = [
        (
            "a full, a partial and a sync flush",
            "aa56ca4c51b232d0512a482cc950b252d2cf2f4a01000000ffff4a2d2ad6373150d251ca2c49cd2d56b2\
             8aae562ace2e55b2527204091696542a5919d4c6d6020400",
        ),
        (
            "a final block and nothing after it",
            "ab56ca4c51b232d0512a482cc950b252d2cf2f4a492d2ad6373150d251ca2c49cd2d56b28aae562ace2e\
             054a3a82040b4b2a811a6a636b01",
        ),
        (
            "level 0",
            "003b00c4ff7b226964223a302c2270617468223a222f6f72646572732f3430222c226974656d73223a5b\
             7b22736b75223a224130222c22717479223a307d5d7d00",
        ),
    ];
    for (what, payload) in others {
        let inflated = inflate(&bytes(payload), NO_LIMIT, None);
        assert_eq!(inflated.unwrap(), messages[0].0.as_bytes(), "{what}");
    }
    let own_code = "\
        2490890dc4400c025b324fffb565d848975382318f939c7cb5eadea5b134a83ab00ddc00e598f0340727\
        364b1901480cd8d769231d00d0b5e8419ab64f5090613f8c008d0d2ee7f71b7bff02779d6ee1bd656a6c\
        f225fb81683c53b22c1cc67902489a383cbcaf0636ff22c9da92f798d00aabe52196561681f940206a3c\
        166191e32ad8996e48a2007502daa1363bac561179bc88b471df5190c98aefae5aebc5a4c80ec5653805\
        c5b3d08f4e3aba7e00";
    assert_eq!(inflate(&bytes(own_code), 400, None).unwrap(), digits(400, 5));
}

/// Text that repeats itself, now and then from far back, and noise.
fn plain() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => "[a-f]{1,8}".prop_map(String::into_bytes),
        2 => Just(br#"{"id":1,"items":[{"sku":"A"}]}"#.to_vec()),
        1 => vec(any::<u8>(), 1..300),
        1 => (any::<u8>(), 1usize..700).prop_map(|(byte, n)| vec![byte; n]),
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn conversations_survive_and_keep_to_the_window(
        messages in vec(plain(), 1..6),
        level in 1u32..=9,
        window_bits in 9u8..=15,
        takeover: bool,
    ) {
        let mut deflater = Deflater::new(level, window_bits).unwrap();
        let mut inflater = Inflater::new().unwrap();
        let mut sent = takeover.then(|| History::new(window_bits));
        let mut received = takeover.then(|| History::new(window_bits));
        let mut earlier = Vec::new();
        for message in &messages {
            let mut payload = b"frame header".to_vec();
            deflater.message(message, sent.as_mut(), &mut payload).unwrap();
            let payload = payload.strip_prefix(b"frame header").unwrap();
            prop_assert!(!payload.ends_with(TAIL) && !payload.is_empty());

            let mut inflated = b"before".to_vec();
            inflater
                .message(payload, message.len() as u64, received.as_mut(), &mut inflated)
                .unwrap();
            prop_assert_eq!(inflated.strip_prefix(b"before").unwrap(), message.as_slice());

            let mut reference = Reference::new([payload, TAIL].concat(), earlier.clone());
            reference.blocks().unwrap();
            prop_assert_eq!(&reference.out[earlier.len()..], message.as_slice());
            prop_assert!(reference.farthest <= 1 << window_bits);
            if takeover {
                earlier.extend_from_slice(message);
            }
        }
    }

    #[test]
    fn hostile_bytes_are_an_answer_within_the_limit(
        message in plain(),
        level in 1u32..=9,
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut: prop::sample::Index,
        noise in vec(any::<u8>(), 0..40),
        limit in 0usize..2000,
        takeover: bool,
    ) {
        let mut payload = deflate(level, &message);
        for (at, byte) in changes {
            let at = at.index(payload.len());
            payload[at] = byte;
        }
        payload.truncate(cut.index(payload.len() + 1));
        payload.extend_from_slice(&noise);

        let mut inflater = Inflater::new().unwrap();
        let mut history = takeover.then(|| History::new(9));
        let mut out = b"before".to_vec();
        let result = inflater.message(&payload, limit as u64, history.as_mut(), &mut out);
        prop_assert!(out.starts_with(b"before"));
        prop_assert!(out.capacity() <= 6 + limit + 1);
        match result {
            Ok(()) => prop_assert!(out.len() <= 6 + limit),
            Err(violation) => {
                prop_assert!(matches!(violation, Violation::BadCompression | Violation::TooBig));
                prop_assert_eq!(out.len(), 6);
            }
        }
        // What we accept reads the same by the letter of RFC 1951.
        if result.is_ok() {
            let readings = [[&payload, TAIL].concat(), payload.clone()].map(|data| {
                let mut reference = Reference::new(data, Vec::new());
                reference.blocks().map(|()| reference.out)
            });
            prop_assert!(readings.contains(&Some(out[6..].to_vec())));
        }
        // The next message, of another socket, is none the worse.
        let mut next = Vec::new();
        inflater.message(&deflate(level, &message), NO_LIMIT, None, &mut next).unwrap();
        prop_assert_eq!(next, message);
    }
}

#[test]
fn a_remembered_message_costs_almost_nothing_again() {
    let message = digits(300, 10);
    for level in 1..=9 {
        let mut deflater = Deflater::new(level, 10).unwrap();
        let mut history = History::new(10);
        let mut len = |history: Option<&mut History>| {
            let mut out = Vec::new();
            deflater.message(&message, history, &mut out).unwrap();
            out.len()
        };
        let fresh = len(None);
        assert!(fresh > 120);
        assert_eq!(len(Some(&mut history)), fresh, "nothing is remembered yet");
        assert_eq!(len(None), fresh, "nothing may be remembered");
        assert!(len(Some(&mut history)) < 20, "level {level}");
    }
}

#[test]
fn output_that_ends_with_a_step_is_whole() {
    // Steps end after 512, 1536, ... bytes.  Where the codes are short, the last octet of the
    // payload holds several matches, and a step may end inside of the first of them.
    let mut inflater = Inflater::new().unwrap();
    for level in [1, 9] {
        let mut deflater = Deflater::new(level, 15).unwrap();
        for len in (500..800).chain(32_200..32_800) {
            let plain = vec![b'a'; len];
            let (mut payload, mut out) = (Vec::new(), Vec::new());
            deflater.message(&plain, None, &mut payload).unwrap();
            inflater.message(&payload, NO_LIMIT, None, &mut out).unwrap();
            assert!(out == plain, "{len} bytes, level {level}");
        }
    }
}

#[test]
fn large_messages_at_every_level() {
    let noise: Vec<u8> = {
        let mut x = 1u64;
        let mut next = || {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (x >> 56) as u8
        };
        (0..150_000).map(|_| next()).collect()
    };
    for plain in [noise, digits(100_000, 10), vec![0; 300_000]] {
        for level in 1..=9 {
            let mut deflater = Deflater::new(level, 15).unwrap();
            let (mut sent, mut received) = (History::new(15), History::new(15));
            for _ in 0..2 {
                let mut payload = Vec::new();
                deflater.message(&plain, Some(&mut sent), &mut payload).unwrap();
                let inflated = inflate(&payload, plain.len() as u64, Some(&mut received));
                assert!(inflated.unwrap() == plain, "level {level}");
            }
        }
    }
}

#[test]
fn a_final_block_ends_neither_the_message_nor_the_window() {
    // Each part refers to all before it, and is a stream of its own that ends with a final block.
    let parts: [&[u8]; 4] = [b"one, two, three; ", b"two, three, one; ", b"", b"three, one, two"];
    let mut earlier = b"an earlier message: one, two, three".to_vec();
    let mut payload = Vec::new();
    for part in parts {
        let mut stream = Compress::new(Compression::new(6), false);
        stream.set_dictionary(&earlier).unwrap();
        payload.reserve(100);
        stream.compress_vec(part, &mut payload, FlushCompress::Finish).unwrap();
        earlier.extend_from_slice(part);
    }
    let whole = parts.concat();
    assert!(payload.len() < whole.len(), "the parts do refer back");

    // With and without the octet that §7.2.3.4 adds, and before another block.
    let endings: [(&[u8], &[u8]); 3] =
        [(&[], b""), (&[0x00], b""), (&[0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00], b"Hello")];
    for (ending, plain) in endings {
        let mut history = History::new(15);
        history.push(b"an earlier message: one, two, three").unwrap();
        let payload = [&payload, ending].concat();
        let inflated = inflate(&payload, NO_LIMIT, Some(&mut history));
        assert_eq!(inflated.unwrap(), [&whole, plain].concat());
        assert_eq!(
            inflate(&payload, NO_LIMIT, None),
            Err(Violation::BadCompression),
            "the history is needed"
        );
    }
    let garbage = [&payload[..], b"\xFF\xFF"].concat();
    let mut history = History::new(15);
    history.push(b"an earlier message: one, two, three").unwrap();
    assert_eq!(inflate(&garbage, NO_LIMIT, Some(&mut history)), Err(Violation::BadCompression));
}

/// A final block of the fixed code (RFC 1951 §3.2.6): its symbols as (bits, how many), then its end.
fn fixed_final(symbols: &[(u32, u32)]) -> Vec<u8> {
    let bits = [&[(0b1, 1), (0b10, 2)], symbols, &[(0, 7)]].concat();
    let bits = bits.iter().flat_map(|(bits, n)| (0..*n).rev().map(move |i| bits >> i & 1));
    let bits: Vec<u8> = bits.map(|bit| bit as u8).collect();
    let octet = |bits: &[u8]| bits.iter().rev().fold(0, |octet, bit| octet << 1 | bit);
    bits.chunks(8).map(octet).collect()
}

#[test]
fn a_window_is_loaded_only_for_what_refers_to_it() {
    let text = [deflate(6, &[b'x'; 32768]), TAIL.to_vec()].concat();
    let literal = fixed_final(&[(0x30 + u32::from(b'y'), 8)]);
    let cases: [(&str, Vec<u8>, usize, &[u8]); 4] = [
        ("empty, fixed code", fixed_final(&[]), 50_000, b""),
        ("empty, stored", FINAL_BLOCK.to_vec(), 20_000, b""),
        ("a literal", literal, 30_000, b"y"),
        // Its literal, and as many more from one back.
        (
            "a reference within the block",
            fixed_final(&[(0x30 + u32::from(b'y'), 8), (0b1, 7), (0, 5)]),
            20_000,
            b"yyyy",
        ),
    ];
    assert_eq!(cases[0].1, [0x03, 0x00]);
    let mut inflater = Inflater::new().unwrap();
    for (what, block, times, plain) in cases {
        let plain = [&[b'x'; 32768][..], &plain.repeat(times)].concat();
        let blocks = block.repeat(times);
        // Behind text of the message, and behind earlier messages.
        let mut out = Vec::new();
        inflater.message(&[&text[..], &blocks].concat(), NO_LIMIT, None, &mut out).unwrap();
        assert!(out == plain, "{what}");
        assert_eq!(inflater.loads, 0, "{what}");
        let mut history = History::new(15);
        history.push(&[b'x'; 32768]).unwrap();
        out.clear();
        inflater.message(&blocks, NO_LIMIT, Some(&mut history), &mut out).unwrap();
        assert!(out == plain[32768..], "{what}");
        assert_eq!(inflater.loads, 0, "{what}");
    }
}

#[test]
fn the_work_of_references_across_final_blocks_is_bounded() {
    // Three bytes from one back, and from 32768 back.
    let near = fixed_final(&[(0b1, 7), (0, 5)]);
    let far = fixed_final(&[(0b1, 7), (29, 5), (0x1FFF, 13)]);
    let mut inflater = Inflater::new().unwrap();
    let mut expect = |payload: &[u8], len: Result<usize, Violation>, loads: usize| {
        let mut out = Vec::new();
        let mut history = History::new(15);
        history.push(&[b'x'; 32768]).unwrap();
        let result = inflater.message(payload, NO_LIMIT, Some(&mut history), &mut out);
        assert_eq!(result.map(|()| out.len()), len);
        assert!(out.iter().all(|byte| *byte == b'x'));
        assert_eq!(inflater.loads, loads);
    };
    for block in [near, far] {
        // The window is there for the first one.
        expect(&block.repeat(33), Ok(99), 32);
        expect(&block.repeat(34), Err(Violation::TooManyBlocks), 33);
        let long = [&deflate(6, &[b'x'; 300_000])[..], TAIL, &block.repeat(34), &[0]].concat();
        expect(&long, Ok(300_000 + 102), 33);
        let million = block.repeat(1_000_000 / block.len());
        expect(&million, Err(Violation::TooManyBlocks), million.len() / 256 + 33);
    }
}

#[test]
fn what_is_no_deflate_is_a_violation() {
    const CASES: &[(&str, &[u8])] = &[
        ("a block of type 3", &[0x06, 0x00]),
        ("a stored block whose lengths disagree", &[0x00, 0x05, 0x00, 0xFA, 0xFE, 0x48]),
        ("a stored block that goes on", &[0x00, 0x09, 0x00, 0xF6, 0xFF, 0x48]),
        // It would swallow the octets that the receiver appends.
        ("a stored block that lacks 4 bytes", &[0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48]),
        ("a distance before the first message", &[0xF2, 0x00, 0x11, 0x00, 0x00]),
        ("only the octets that are not sent", TAIL),
        (
            "a message with those octets",
            &[0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0, 0, 255, 255],
        ),
        ("too many lengths in a code", &[0xFC, 0xFF, 0xFF]),
        ("a final block that ends in the octets not sent", &[0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07]),
        ("garbage after a final block", &[0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0xFF]),
    ];
    for (what, payload) in CASES {
        assert_eq!(inflate(payload, NO_LIMIT, None), Err(Violation::BadCompression), "{what}");
    }
}

#[test]
fn a_message_that_ends_inside_a_block_is_a_violation() {
    for level in [1, 6, 9] {
        let payload = deflate(level, &digits(300, 5));
        for cut in 1..payload.len() {
            let result = inflate(&payload[..cut], NO_LIMIT, None);
            assert_eq!(result, Err(Violation::BadCompression), "{cut} of {}", payload.len());
        }
        assert!(inflate(&payload, NO_LIMIT, None).is_ok());
    }
}

#[test]
fn an_empty_payload_is_an_empty_message() {
    // Some peers take the last 4 octets of a flush that had nothing to flush.
    let mut history = History::new(15);
    history.push(b"Hello").unwrap();
    assert_eq!(inflate(&[], 0, Some(&mut history)).unwrap(), b"");
    assert_eq!(history.bytes, b"Hello");
}

#[test]
fn the_limit_is_met_to_the_byte() {
    for len in [1, 2, 255, 511, 512, 513, 4096, 65535, 65536, 65537, 200_000] {
        for plain in [vec![b'a'; len], digits(len, 10)] {
            let payload = deflate(6, &plain);
            assert!(inflate(&payload, len as u64, None).unwrap() == plain, "{len}");
            assert_eq!(inflate(&payload, len as u64 - 1, None), Err(Violation::TooBig), "{len}");
            assert_eq!(inflate(&payload, 0, None), Err(Violation::TooBig), "{len}");
        }
    }
}

#[test]
fn a_bomb_costs_no_more_than_the_limit() {
    // 1 MB that would become 1 GB: a megabyte of zeros, over and over.
    let megabyte = [&deflate(9, &vec![0; 1_000_000])[..], TAIL].concat();
    let bomb = megabyte.repeat(1000);
    assert!((800_000..1_200_000).contains(&bomb.len()));

    let limit = 100_000;
    let mut inflater = Inflater::new().unwrap();
    let mut out = vec![7; 1000];
    assert_eq!(inflater.message(&bomb, limit, None, &mut out), Err(Violation::TooBig));
    assert_eq!(out, [7; 1000]);
    assert!(out.capacity() <= 1000 + 100_000 + 1, "{}", out.capacity());
    assert_eq!(inflater.stream.total_out(), limit + 1);
    assert!(inflater.stream.total_in() < 1000);

    // In a buffer that was large before, no more is written, either.
    let mut large = Vec::with_capacity(10_000_000);
    assert_eq!(inflater.message(&bomb, limit, None, &mut large), Err(Violation::TooBig));
    assert_eq!(inflater.stream.total_out(), limit + 1);
}

#[test]
fn a_socket_cannot_read_what_another_one_sent() {
    let secret = b"the password of another client".repeat(20);
    let mut inflater = Inflater::new().unwrap();
    let mut out = Vec::new();
    // A message that only refers to the secret.
    let mut stream = Compress::new(Compression::new(9), false);
    stream.set_dictionary(&secret).unwrap();
    let mut payload = Vec::with_capacity(100);
    stream.compress_vec(&secret, &mut payload, FlushCompress::Sync).unwrap();
    payload.truncate(payload.len() - TAIL.len());
    assert!(payload.len() < 30);

    let mut other = History::new(15);
    for mut history in [None, Some(History::new(15))] {
        inflater.message(&deflate(1, &secret), NO_LIMIT, Some(&mut other), &mut out).unwrap();
        out.clear();
        let result = inflater.message(&payload, NO_LIMIT, history.as_mut(), &mut out);
        assert_eq!((result, out.as_slice()), (Err(Violation::BadCompression), &[][..]));
    }
    inflater.message(&payload, NO_LIMIT, Some(&mut other), &mut out).unwrap();
    assert!(out == secret, "the socket that sent it can");

    // Nor does what we compress depend on what we sent to others.
    let mut deflater = Deflater::new(6, 15).unwrap();
    let mut fresh = Vec::new();
    deflater.message(&secret, None, &mut fresh).unwrap();
    deflater.message(b"anything", None, &mut Vec::new()).unwrap();
    let mut again = Vec::new();
    deflater.message(&secret, None, &mut again).unwrap();
    assert_eq!(fresh, again);
}

#[test]
fn a_history_takes_memory_as_there_is_to_remember() {
    for window_bits in 9..=15 {
        let window = 1 << window_bits;
        let mut history = History::new(window_bits);
        assert_eq!(history.bytes.capacity(), 0);
        let mut all = Vec::new();
        for n in [1, 10, 0, 100, 1000, 3, 40_000, 1, 5000] {
            let message = digits(n, 10);
            history.push(&message).unwrap();
            all.extend_from_slice(&message);
            assert!(all.ends_with(&history.bytes));
            assert_eq!(history.bytes.len(), all.len().min(window));
            assert!(history.bytes.capacity() <= window.min(2 * all.len()));
        }
    }
    assert_eq!(History::new(0).window, 512);
    assert_eq!(History::new(8).window, 512);
    assert_eq!(History::new(255).window, 32768);
}

#[test]
fn settings_out_of_range_are_brought_into_it() {
    for (level, window_bits) in [(0, 0), (0, 8), (10, 16), (u32::MAX, 255)] {
        let mut deflater = Deflater::new(level, window_bits).unwrap();
        let mut payload = Vec::new();
        deflater.message(b"Hello", None, &mut payload).unwrap();
        assert_eq!(inflate(&payload, 5, None).unwrap(), b"Hello");
    }
}
