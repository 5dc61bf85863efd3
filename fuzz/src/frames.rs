//! A client's bytes, cut anywhere, become the messages and violations that RFC 6455 says, and their
//! echo is built in the receive buffer without harm to what is still to be read there.

use ngx_ws::proto::frame::batch::Batch;
use ngx_ws::proto::frame::close;
use ngx_ws::proto::frame::header::{self, Opcode};
use ngx_ws::proto::frame::receiver::{Body, Limits, Receiver, Rsv1};

use crate::input::Input;
use crate::reference::frames::{self, End, Item};

/// Flags; sizes of the pieces behind their number; then the stream, or what builds one.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let flags = input.byte();
    let rsv1 = if flags & 1 == 0 { Rsv1::Reserved } else { Rsv1::Compressed };
    let limits = Limits {
        message: [16, 200, 5000, 1 << 20][usize::from(flags >> 2 & 3)],
        fragments: [1, 3, 8, 1024][usize::from(flags >> 4 & 3)],
    };
    let pieces = input.below(8);
    let pieces = input.take(pieces);
    let stream = if flags & 2 == 0 { input.0.to_vec() } else { build(input) };

    let (items, end) = frames::read(&stream, limits, rsv1);
    let echo: Vec<u8> = items.iter().flat_map(echo_of).collect();

    let mut receiver = Receiver::new(limits, rsv1);
    let mut expected = items.into_iter();
    let mut sent = Vec::new();
    let mut violation = None;
    let mut sizes = pieces.iter().cycle();
    let mut rest = stream.as_slice();
    'stream: while !rest.is_empty() {
        // Long streams in longer pieces, or they take too long.
        let unit = 1 + stream.len() / 4096;
        let size = sizes.next().map_or(rest.len(), |n| usize::from(*n).max(1) * unit);
        let (piece, later) = rest.split_at(size.min(rest.len()));
        rest = later;
        let mut buf = piece.to_vec();
        let mut pos = 0;
        let mut batch = Batch::default();
        loop {
            let incoming = match receiver.next(&mut buf, &mut pos) {
                Ok(Some(incoming)) => incoming,
                Ok(None) => break,
                Err(v) => {
                    sent.extend_from_slice(batch.take(&buf));
                    violation = Some(v);
                    break 'stream;
                }
            };
            let (opcode, compressed) = (incoming.opcode, incoming.compressed);
            let payload = match &incoming.body {
                Body::Window(range) => buf[range.clone()].to_vec(),
                Body::Owned(payload) => payload.as_slice().to_vec(),
            };
            check_close(opcode, &payload);
            assert_eq!(Some(Item { opcode: opcode as u8, compressed, payload }), expected.next());

            // As the session echoes.
            let Some(answer) = answer_to(opcode) else { continue };
            match incoming.body {
                Body::Window(range) if !compressed => {
                    if batch.push(&mut buf, answer, range.clone()).is_none() {
                        sent.extend_from_slice(batch.take(&buf));
                        sent.extend_from_slice(&header::encode(answer, range.len()));
                        sent.extend_from_slice(&buf[range]);
                    }
                }
                Body::Window(range) => {
                    sent.extend_from_slice(batch.take(&buf));
                    sent.extend_from_slice(&header::encode(answer, range.len()).compressed());
                    sent.extend_from_slice(&buf[range]);
                }
                Body::Owned(payload) => {
                    sent.extend_from_slice(batch.take(&buf));
                    let (bytes, start) = payload.into_frame(answer, compressed);
                    sent.extend_from_slice(&bytes[start..]);
                }
            }
        }
        assert_eq!(pos, buf.len(), "all bytes are consumed");
        sent.extend_from_slice(batch.take(&buf));
    }

    assert_eq!(expected.next(), None, "messages are lost");
    match (&end, violation) {
        (End::Open { inside }, None) => assert_eq!(receiver.is_mid_message(), *inside),
        (End::Broken(rules), Some(violation)) => {
            assert!(rules.contains(&violation), "{violation:?}, not one of {rules:?}");
        }
        _ => panic!("{violation:?} where the reference says {end:?}"),
    }
    assert_eq!(sent, echo);
}

/// Frames from a simple description, so that few bytes make long and mostly legal streams.
fn build(mut input: Input<'_>) -> Vec<u8> {
    let mut stream = Vec::new();
    while !input.is_empty() && stream.len() < 70_000 {
        let first = input.byte();
        let short = input.byte();
        // Without the mask bit, of which there is one in 128, the frame is as it is, but wrong.
        let bit = if input.0.len() % 128 == 127 { 0 } else { 0x80 };
        let (len, payload) = match short & 127 {
            126 => {
                let len = 126 + 7 * usize::from(input.byte());
                (len, input.take(8))
            }
            127 => {
                let len = 65_536 + usize::from(input.byte());
                (len, input.take(8))
            }
            n => (usize::from(n), input.take(usize::from(n))),
        };
        let mask = [first, short, !first, 0x5A];
        stream.extend([first, bit | short & 127]);
        match short & 127 {
            126 => stream.extend((len as u16).to_be_bytes()),
            127 => stream.extend((len as u64).to_be_bytes()),
            _ => {}
        }
        stream.extend(mask);
        let plain = payload.iter().chain(if short & 128 == 0 { b"a" } else { payload }).cycle();
        stream.extend(plain.take(len).zip(mask.iter().cycle()).map(|(b, m)| b ^ m));
    }
    stream
}

fn answer_to(opcode: Opcode) -> Option<Opcode> {
    match opcode {
        Opcode::Text | Opcode::Binary => Some(opcode),
        Opcode::Ping => Some(Opcode::Pong),
        _ => None,
    }
}

fn echo_of(item: &Item) -> Vec<u8> {
    match item.opcode {
        1 | 2 => frames::write(item.opcode, item.compressed, &item.payload),
        9 => frames::write(10, false, &item.payload),
        _ => Vec::new(),
    }
}

/// What a Close frame says, and that our answer to it is one.
fn check_close(opcode: Opcode, payload: &[u8]) {
    if opcode != Opcode::Close {
        return;
    }
    match (close::parse(payload), frames::read_close(payload)) {
        (Ok((code, reason)), Ok(expected)) => {
            assert_eq!((code, reason.as_bytes()), expected);
            let frame = close::frame(code, reason);
            assert_eq!(frame[0], 0x88);
            assert_eq!(usize::from(frame[1]), frame.len() - 2);
            assert_eq!(close::parse(&frame[2..]), Ok((code, reason)));
        }
        (Err(violation), Err(rules)) => assert!(rules.contains(&violation)),
        (ours, theirs) => panic!("{ours:?} where the reference says {theirs:?}"),
    }
}
