//! The Close frame (RFC 6455 §5.5.1) and its codes (§7.4).

use super::header::{self, Opcode};
use super::violation::Violation;

/// The purpose for which the connection was established is fulfilled (§7.4.1).
pub const NORMAL: u16 = 1000;
/// The server or the page is going away (§7.4.1).
pub const GOING_AWAY: u16 = 1001;
/// For logs only: a Close frame without a code was received (§7.4.1).
pub const NO_STATUS: u16 = 1005;
/// For logs only: the connection ended without a Close frame (§7.4.1).
pub const ABNORMAL: u16 = 1006;
/// The peer broke a rule of ours (§7.4.1).
pub const POLICY: u16 = 1008;
/// The server cannot go on, by its own fault (§7.4.1).
pub const INTERNAL: u16 = 1011;

/// The longest reason: a control payload less the code.
pub const MAX_REASON: usize = 123;

/// Reads the payload of a Close frame: the code, [`NO_STATUS`] when there is none, and the reason.
///
/// # Errors
///
/// A payload of one byte, a code that may not be sent, or a reason that is not UTF-8.
pub fn parse(payload: &[u8]) -> Result<(u16, &str), Violation> {
    let reason = match payload {
        [] => return Ok((NO_STATUS, "")),
        [_] => return Err(Violation::CloseLength),
        [_, _, reason @ ..] => reason,
    };
    let code = match payload {
        [a, b, ..] => u16::from_be_bytes([*a, *b]),
        _ => NO_STATUS,
    };
    // RFC 6455 §7.4.1 and the IANA registry (1012 to 1014); 3000 to 4999 are free to use.
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Violation::CloseCode);
    }
    let reason = core::str::from_utf8(reason).map_err(|_| Violation::BadUtf8)?;
    Ok((code, reason))
}

/// A Close frame with `code`, or an empty one for [`NO_STATUS`]; the reason is cut to
/// [`MAX_REASON`] bytes at a character.
pub fn frame(code: u16, reason: &str) -> Vec<u8> {
    let mut payload = Vec::new();
    if code != NO_STATUS {
        let cut = (0..=MAX_REASON.min(reason.len())).rev().find(|i| reason.is_char_boundary(*i));
        let reason = reason.get(..cut.unwrap_or(0)).unwrap_or_default();
        payload.extend_from_slice(&code.to_be_bytes());
        payload.extend_from_slice(reason.as_bytes());
    }
    [&*header::encode(Opcode::Close, payload.len()), &payload].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_may_and_may_not_be_received() {
        for code in 0..=u16::MAX {
            let legal = matches!(
                code,
                1000 | 1001 | 1002 | 1003 | 1007 | 1008 | 1009 | 1010 | 1011 | 1012 | 1013 | 1014
            ) || (3000..5000).contains(&code);
            let expected = if legal { Ok((code, "x")) } else { Err(Violation::CloseCode) };
            let [a, b] = code.to_be_bytes();
            assert_eq!(parse(&[a, b, b'x']), expected, "{code}");
        }
    }

    #[test]
    fn odd_payloads() {
        assert_eq!(parse(b""), Ok((NO_STATUS, "")));
        assert_eq!(parse(b"\x03"), Err(Violation::CloseLength));
        assert_eq!(parse(b"\x03\xE8"), Ok((1000, "")));
        assert_eq!(parse(b"\x03\xE8\xFF"), Err(Violation::BadUtf8));
    }

    #[test]
    fn frames_are_legal_control_frames() {
        assert_eq!(frame(NO_STATUS, "unused"), b"\x88\x00");
        assert_eq!(frame(1001, "bye"), b"\x88\x05\x03\xE9bye");
        let long = frame(1002, &"é".repeat(100));
        assert_eq!(long.len(), 2 + 2 + 122, "cut at a character");
    }
}
