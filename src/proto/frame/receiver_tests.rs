//! Streams of wire bytes: what they become, and that it does not matter how they are cut.

use proptest::prelude::*;

use super::*;

const LIMITS: Limits = Limits { message: 1 << 20, fragments: 1024 };

/// A masked client frame.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x12, 0x34, 0x56, 0x78];
    let mut bytes = vec![first];
    match payload.len() {
        n @ 0..=125 => bytes.push(0x80 | n as u8),
        n @ 126..=0xFFFF => {
            bytes.push(0xFE);
            bytes.extend((n as u16).to_be_bytes());
        }
        n => {
            bytes.push(0xFF);
            bytes.extend((n as u64).to_be_bytes());
        }
    }
    bytes.extend(mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(b, m)| b ^ m));
    bytes
}

type Seen = (Vec<(Opcode, Vec<u8>)>, Option<Violation>);

/// Feeds `stream` in pieces that end at `cuts`.
fn receive(limits: Limits, stream: &[u8], cuts: impl IntoIterator<Item = usize>) -> Seen {
    let mut receiver = Receiver::new(limits, Rsv1::Reserved);
    let mut seen = Vec::new();
    let mut start = 0;
    for end in cuts.into_iter().chain([stream.len()]) {
        let mut buf = stream[start..end].to_vec();
        start = end;
        let mut pos = 0;
        loop {
            match receiver.next(&mut buf, &mut pos) {
                Ok(Some(Incoming { opcode, body, .. })) => {
                    let payload = match &body {
                        Body::Window(range) => buf[range.clone()].to_vec(),
                        Body::Owned(payload) => payload.as_slice().to_vec(),
                    };
                    seen.push((opcode, payload));
                }
                Ok(None) => break,
                Err(violation) => return (seen, Some(violation)),
            }
        }
        assert_eq!(pos, buf.len(), "all bytes are consumed");
    }
    (seen, None)
}

#[test]
fn a_conversation_at_every_single_cut_and_byte_by_byte() {
    let stream = [
        frame(0x81, b"hello"),
        frame(0x82, b""),
        frame(0x01, "κό".as_bytes()),
        frame(0x89, b"are you there?"),
        frame(0x00, &"σμε".as_bytes()[..3]),
        frame(0x8A, b""),
        frame(0x80, &"σμε".as_bytes()[3..]),
        frame(0x82, &[7; 300]),
        frame(0x88, b"\x03\xE8bye"),
    ]
    .concat();
    let expected: Seen = (
        vec![
            (Opcode::Text, b"hello".to_vec()),
            (Opcode::Binary, vec![]),
            (Opcode::Ping, b"are you there?".to_vec()),
            (Opcode::Pong, vec![]),
            (Opcode::Text, "κόσμε".into()),
            (Opcode::Binary, vec![7; 300]),
            (Opcode::Close, b"\x03\xE8bye".to_vec()),
        ],
        None,
    );
    assert_eq!(receive(LIMITS, &stream, []), expected);
    for cut in 0..=stream.len() {
        assert_eq!(receive(LIMITS, &stream, [cut]), expected, "cut at {cut}");
    }
    assert_eq!(receive(LIMITS, &stream, 1..stream.len()), expected);
}

#[test]
fn violations_of_sequences_and_limits() {
    let small = Limits { message: 10, fragments: 3 };
    let cases: Vec<(&str, Vec<u8>, Violation)> = vec![
        ("stray continuation", frame(0x80, b"x"), Violation::ContinuationWithoutStart),
        (
            "continuation after the end",
            [frame(0x01, b"a"), frame(0x80, b"b"), frame(0x80, b"c")].concat(),
            Violation::ContinuationWithoutStart,
        ),
        (
            "text in a message",
            [frame(0x01, b"a"), frame(0x81, b"b")].concat(),
            Violation::InterleavedMessage,
        ),
        (
            "binary in a text",
            [frame(0x01, b"a"), frame(0x02, b"b")].concat(),
            Violation::InterleavedMessage,
        ),
        ("RSV1 without an extension", frame(0xC1, b"a"), Violation::ReservedBits),
        ("11 of 10 bytes", frame(0x82, &[0; 11])[..6].to_vec(), Violation::TooBig),
        ("2^62 bytes", vec![0x82, 0xFF, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], Violation::TooBig),
        (
            "6 and 5 of 10 bytes",
            [frame(0x02, &[0; 6]), frame(0x00, &[0; 5])[..6].to_vec()].concat(),
            Violation::TooBig,
        ),
        (
            "the fourth of 3 fragments",
            [frame(0x02, b""), frame(0x00, b""), frame(0x00, b""), frame(0x00, b"")].concat(),
            Violation::TooManyFragments,
        ),
        ("bad byte in a whole frame", frame(0x81, b"\xFF"), Violation::BadUtf8),
        ("bad byte in the first fragment", frame(0x01, b"a\xFF"), Violation::BadUtf8),
        (
            "unfinished code point at the end",
            [frame(0x01, b"\xCE"), frame(0x80, b"")].concat(),
            Violation::BadUtf8,
        ),
    ];
    for (what, stream, violation) in cases {
        assert_eq!(receive(small, &stream, []).1, Some(violation), "{what}");
        assert_eq!(receive(small, &stream, 1..stream.len()).1, Some(violation), "{what}");
    }
}

#[test]
fn limits_are_inclusive_and_do_not_count_control_frames() {
    let limits = Limits { message: 10, fragments: 2 };
    let stream = [frame(0x02, &[1; 4]), frame(0x89, &[0; 125]), frame(0x80, &[2; 6])].concat();
    let (seen, violation) = receive(limits, &stream, []);
    assert_eq!(violation, None);
    assert_eq!(seen.last(), Some(&(Opcode::Binary, [[1; 4].as_slice(), &[2; 6]].concat())));
}

#[test]
fn memory_follows_the_bytes_received() {
    let limits = Limits { message: u64::MAX, fragments: 2 };
    let mut receiver = Receiver::new(limits, Rsv1::Reserved);
    let mut head = [0x82, 0xFF, 0x40, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 9, 9];
    assert_eq!(receiver.next(&mut head, &mut 0), Ok(None));
    let message = receiver.message.as_ref().unwrap();
    assert!(message.payload.bytes.capacity() < 64);

    // A message whose length is known ends in a buffer of just that size.
    let stream = frame(0x82, &vec![5; 70_000]);
    let mut receiver = Receiver::new(limits, Rsv1::Reserved);
    for piece in stream.chunks(4096) {
        if let Some(incoming) = receiver.next(&mut piece.to_vec(), &mut 0).unwrap() {
            let Body::Owned(payload) = incoming.body else { panic!("was cut") };
            assert_eq!(payload.bytes.capacity(), MAX_SERVER_HEADER + 70_000);
        }
    }
    assert!(!receiver.is_mid_message());
}

#[test]
fn an_owned_payload_becomes_a_server_frame() {
    for len in [0, 1, 125, 126, 65_535, 65_536] {
        let stream = frame(0x82, &vec![b'x'; len]);
        let mut receiver = Receiver::new(LIMITS, Rsv1::Reserved);
        assert_eq!(receiver.next(&mut stream[..2].to_vec(), &mut 0), Ok(None));
        let incoming = receiver.next(&mut stream[2..].to_vec(), &mut 0).unwrap().unwrap();
        let Body::Owned(payload) = incoming.body else { panic!("was cut") };
        let (bytes, start) = payload.into_frame(Opcode::Binary, false);
        let expected = [&*header::encode(Opcode::Binary, len), &vec![b'x'; len]].concat();
        assert_eq!(bytes[start..], expected, "{len} bytes");
    }
}

#[test]
fn rsv1_marks_the_first_frame_of_a_compressed_message() {
    let receive = |stream: &[u8]| {
        let limits = Limits { message: 10, fragments: 3 };
        let mut receiver = Receiver::new(limits, Rsv1::Compressed);
        receiver.next(&mut stream.to_vec(), &mut 0).map(|i| i.map(|i| (i.opcode, i.compressed)))
    };
    assert_eq!(receive(&frame(0x81, b"a")), Ok(Some((Opcode::Text, false))));
    assert_eq!(receive(&frame(0xC1, b"\xFF")), Ok(Some((Opcode::Text, true))), "not yet text");
    let stream = [frame(0x41, b"\xFF"), frame(0x89, b""), frame(0x80, b"\xFF")].concat();
    assert_eq!(receive(&stream), Ok(Some((Opcode::Ping, false))));
    let stream = [frame(0x41, b"\xFF"), frame(0x80, b"\xFF")].concat();
    assert_eq!(receive(&stream), Ok(Some((Opcode::Text, true))));
    let stream = [frame(0x41, b"a"), frame(0xC0, b"b")].concat();
    assert_eq!(receive(&stream), Err(Violation::ReservedBits));
    assert_eq!(receive(&frame(0xC2, &[0; 74])), Ok(Some((Opcode::Binary, true))));
    assert_eq!(receive(&frame(0xC2, &[0; 75])), Err(Violation::TooBig));
}

/// Mostly legal streams: a few frames of any kind, and sometimes garbage.
fn streams() -> impl Strategy<Value = Vec<u8>> {
    let payload = prop_oneof![
        3 => ".{0,20}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..140),
    ];
    let first = prop_oneof![
        8 => prop::sample::select(vec![0x81, 0x82, 0x89, 0x8A, 0x01, 0x02, 0x00, 0x80, 0x88]),
        1 => any::<u8>(),
    ];
    prop::collection::vec((first, payload).prop_map(|(f, p)| frame(f, &p)), 0..12)
        .prop_map(|frames| frames.concat())
}

proptest! {
    #[test]
    fn every_split_means_the_same(
        stream in streams(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let limits = Limits { message: 200, fragments: 4 };
        let mut cuts: Vec<usize> = cuts.iter().map(|i| i.index(stream.len() + 1)).collect();
        cuts.sort_unstable();
        prop_assert_eq!(receive(limits, &stream, cuts), receive(limits, &stream, []));
        prop_assert_eq!(receive(limits, &stream, 0..stream.len()), receive(limits, &stream, []));
    }

    #[test]
    fn headers_agree_with_tungstenite(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
        let theirs =
            tungstenite::protocol::frame::FrameHeader::parse(&mut std::io::Cursor::new(&bytes));
        // We are stricter (masks, length encoding, control frames); where we accept, both agree.
        if let Ok(Some((ours, _))) = header::decode(&bytes) {
            let (header, len) = theirs.unwrap().unwrap();
            prop_assert_eq!(u8::from(header.opcode), ours.opcode as u8);
            prop_assert_eq!((header.is_final, header.rsv1), (ours.fin, ours.rsv1));
            prop_assert_eq!((header.rsv2, header.rsv3), (false, false));
            prop_assert_eq!((header.mask, len), (Some(ours.mask), ours.len));
        }
    }
}
