//! Tokens of HTTP headers (RFC 9110 §5.6.2).

/// Whether `name` is a token, as subprotocols and extensions have to be.
pub fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(is_token_byte)
}

/// Whether a byte may stand in a token.
pub fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::is_token;

    #[test]
    fn tokens_of_the_directive() {
        assert!(is_token("v12.stomp") && is_token("a+b"));
        assert!(!is_token("") && !is_token("a b") && !is_token("a,b") && !is_token("é"));
    }
}
