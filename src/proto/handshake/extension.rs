//! `Sec-WebSocket-Extensions` (RFC 6455 §9.1) and what is agreed in it about permessage-deflate
//! (RFC 7692 §5, §7.1), server side.
//!
//! Knows the parameters, not the compression: that is [`crate::proto::frame::deflate`].

use core::fmt::Write as _;

use super::token::is_token_byte;

/// What a location allows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Policy {
    /// Base-2 logarithm of the largest window, 9 to 15, and so of the bytes that a remembered
    /// direction of a socket may take.
    pub window_bits: u8,
    /// Whether a direction may remember its earlier messages.
    pub context_takeover: bool,
}

/// permessage-deflate as both sides will speak it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Agreement {
    /// Whether our messages may refer to our earlier ones.
    pub server_takeover: bool,
    /// Whether the client's messages may refer to its earlier ones.
    pub client_takeover: bool,
    /// Base-2 logarithm of the window that our messages may use: 9 to 15.
    pub server_window_bits: u8,
    /// The same for the client's messages: 8 to 15.
    pub client_window_bits: u8,
    /// Whether the offer named `server_max_window_bits`, so that the response has to.
    answers_server_bits: bool,
}

/// The header is not a list of extensions.
///
/// RFC 6455 §9.1: whoever receives it MUST fail the connection; in a handshake, that is a 400.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Malformed;

/// Reads all `Sec-WebSocket-Extensions` of a request and agrees to the first offer we can serve.
///
/// `Ok(None)` means that nothing is agreed, and that the response must not have the header.
/// The order is the client's preference (RFC 7692 §5); an offer we decline is passed over, as is
/// any other extension.  Names are compared octet for octet: RFC 7692 writes them in one way, and
/// to decline what is written in another is always allowed.
///
/// # Errors
///
/// [`Malformed`], also when the fault stands behind a good offer.
pub fn negotiate<'h>(
    values: impl Iterator<Item = &'h [u8]>,
    policy: &Policy,
) -> Result<Option<Agreement>, Malformed> {
    let mut agreed = None;
    let mut lines = 0;
    let mut extensions = 0;
    for value in values {
        lines += 1;
        let mut list = Cursor(value);
        while list.next_element() {
            extensions += 1;
            let name = list.token()?;
            let mut offer = (name == b"permessage-deflate").then(Offer::default);
            while list.eat(b';') {
                let (name, value) = list.parameter()?;
                offer = offer.and_then(|offer| offer.with(name, value));
            }
            if !list.at_end_of_element() {
                return Err(Malformed);
            }
            agreed = agreed.or_else(|| offer.and_then(|offer| offer.accept(policy)));
        }
    }
    // RFC 2616 §2.1, 1#extension: elements may be empty, but not all of them.
    if lines > 0 && extensions == 0 {
        return Err(Malformed);
    }
    Ok(agreed)
}

impl Agreement {
    /// The value of `Sec-WebSocket-Extensions` in the response.
    pub fn header_value(&self) -> String {
        let mut value = String::from("permessage-deflate");
        // RFC 7692 §7.1.1.1, §7.1.1.2: both may be in a response to an offer without them.
        if !self.server_takeover {
            value.push_str("; server_no_context_takeover");
        }
        if !self.client_takeover {
            value.push_str("; client_no_context_takeover");
        }
        // Writing to a String cannot fail.
        if self.answers_server_bits {
            let _ = write!(value, "; server_max_window_bits={}", self.server_window_bits);
        }
        // Absence means 15 (§7.1.2.2), and `accept` makes less only of an offer that allows it.
        if self.client_window_bits < MAX_WINDOW_BITS {
            let _ = write!(value, "; client_max_window_bits={}", self.client_window_bits);
        }
        value
    }
}

/// One offer of permessage-deflate, as far as its parameters are legal.
#[derive(Clone, Copy, Default)]
struct Offer {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    /// 15 when the parameter has no value: the client only says that it obeys the response.
    client_max_window_bits: Option<u8>,
}

impl Offer {
    /// Adds a parameter; `None` when the offer must be declined for it (RFC 7692 §7): unknown,
    /// repeated, or with a value that it cannot have.
    fn with(mut self, name: &[u8], value: Option<&[u8]>) -> Option<Self> {
        match (name, value) {
            (b"server_no_context_takeover", None) if !self.server_no_context_takeover => {
                self.server_no_context_takeover = true;
            }
            (b"client_no_context_takeover", None) if !self.client_no_context_takeover => {
                self.client_no_context_takeover = true;
            }
            (b"server_max_window_bits", Some(value)) if self.server_max_window_bits.is_none() => {
                self.server_max_window_bits = Some(window_bits(value)?);
            }
            (b"client_max_window_bits", value) if self.client_max_window_bits.is_none() => {
                self.client_max_window_bits =
                    Some(value.map_or(Some(MAX_WINDOW_BITS), window_bits)?);
            }
            _ => return None,
        }
        Some(self)
    }

    /// The best we can make of the offer; `None` when we cannot serve it.
    fn accept(self, policy: &Policy) -> Option<Agreement> {
        let ours = policy.window_bits.clamp(MIN_WINDOW_BITS, MAX_WINDOW_BITS);
        // RFC 7692 §7.1.2.1: the response must not name more than the offer does, and zlib has no
        // raw stream of 8 bits: it would need a window of 9.
        if self.server_max_window_bits.is_some_and(|bits| bits < MIN_WINDOW_BITS) {
            return None;
        }
        let client_takeover = policy.context_takeover
            && !self.client_no_context_takeover
            // RFC 7692 §7.1.2.2: a client that does not offer it cannot be told to use a smaller
            // window.  Then only without takeover is what we must remember within the policy.
            && (self.client_max_window_bits.is_some() || ours == MAX_WINDOW_BITS);
        Some(Agreement {
            server_takeover: policy.context_takeover && !self.server_no_context_takeover,
            client_takeover,
            server_window_bits: self.server_max_window_bits.map_or(ours, |bits| bits.min(ours)),
            client_window_bits: match self.client_max_window_bits {
                Some(bits) if client_takeover => bits.min(ours),
                // Nothing is remembered, so its window costs us nothing.
                _ => MAX_WINDOW_BITS,
            },
            answers_server_bits: self.server_max_window_bits.is_some(),
        })
    }
}

/// A decimal number of 8 to 15 without leading zeroes (RFC 7692 §7.1.2).
fn window_bits(value: &[u8]) -> Option<u8> {
    // A value is a token once unescaped, so a backslash in it is an escape.
    let mut digits = value.iter().filter(|b| **b != b'\\');
    match (digits.next(), digits.next(), digits.next()) {
        (Some(ones @ b'8'..=b'9'), None, _) => Some(ones - b'0'),
        (Some(b'1'), Some(ones @ b'0'..=b'5'), None) => Some(10 + ones - b'0'),
        _ => None,
    }
}

/// Reads the grammar of RFC 6455 §9.1, which allows blanks around every part (RFC 2616 §2.1).
struct Cursor<'h>(&'h [u8]);

impl<'h> Cursor<'h> {
    /// Goes to the next element that is not empty; false at the end of the list.
    fn next_element(&mut self) -> bool {
        while self.eat(b',') {}
        !self.0.is_empty()
    }

    fn at_end_of_element(&self) -> bool {
        matches!(self.0.first(), None | Some(b','))
    }

    /// `extension-param`: a name, and its value unless it has none.
    ///
    /// Of a quoted value, this is what stands between the quotes, escapes included.
    fn parameter(&mut self) -> Result<(&'h [u8], Option<&'h [u8]>), Malformed> {
        let name = self.token()?;
        if !self.eat(b'=') {
            return Ok((name, None));
        }
        let value = match self.0.split_first() {
            Some((b'"', rest)) => {
                self.0 = rest;
                self.quoted()?
            }
            _ => self.token()?,
        };
        Ok((name, Some(value)))
    }

    fn token(&mut self) -> Result<&'h [u8], Malformed> {
        let len = self.0.iter().take_while(|b| is_token_byte(**b)).count();
        self.take(len)
    }

    /// The rest of a quoted string.  RFC 6455 §9.1: unescaped, it must be a token.
    fn quoted(&mut self) -> Result<&'h [u8], Malformed> {
        let mut len = 0;
        let mut rest = self.0;
        loop {
            (len, rest) = match rest {
                [b'\\', byte, rest @ ..] if is_token_byte(*byte) => (len + 2, rest),
                [byte, rest @ ..] if is_token_byte(*byte) => (len + 1, rest),
                [b'"', ..] => break,
                _ => return Err(Malformed),
            };
        }
        let value = self.take(len)?;
        self.eat(b'"');
        Ok(value)
    }

    /// Takes `len` bytes, more than none, and the blanks behind them.
    fn take(&mut self, len: usize) -> Result<&'h [u8], Malformed> {
        match self.0.split_at_checked(len) {
            Some((taken, rest)) if len > 0 => {
                self.0 = rest;
                self.skip_blanks();
                Ok(taken)
            }
            _ => Err(Malformed),
        }
    }

    /// Takes `byte` and the blanks around it, if it comes next.
    fn eat(&mut self, byte: u8) -> bool {
        self.skip_blanks();
        let Some((first, rest)) = self.0.split_first() else { return false };
        if *first != byte {
            return false;
        }
        self.0 = rest;
        self.skip_blanks();
        true
    }

    fn skip_blanks(&mut self) {
        while let [b' ' | b'\t', rest @ ..] = self.0 {
            self.0 = rest;
        }
    }
}

/// The smallest window that our compressor can keep to.
const MIN_WINDOW_BITS: u8 = 9;

/// The largest window of DEFLATE: 32 KiB.
const MAX_WINDOW_BITS: u8 = 15;

#[cfg(test)]
#[path = "extension_tests.rs"]
mod tests;
