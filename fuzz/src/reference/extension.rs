//! RFC 6455 §9.1 and RFC 7692 §5, §7.1: offers, and what a server may answer to them.

/// One extension of the list: its name, and its parameters with values without their quotes.
pub type Extension = (String, Vec<(String, Option<String>)>);

/// A piece of a header value.
#[derive(Debug, Eq, PartialEq)]
enum Lexeme {
    Token(String),
    Quoted(String),
    Separator(u8),
}

/// RFC 2616 §2.2: a token.
pub fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty()
        && bytes.iter().all(|b| (0x21..0x7F).contains(b) && !b"()<>@,;:\\\"/[]?={}".contains(b))
}

/// The extensions of all lines; `None` when they are not a list of extensions.
pub fn parse(lines: &[&[u8]]) -> Option<Vec<Extension>> {
    let mut extensions = Vec::new();
    for line in lines {
        for element in lex(line)?.split(|lexeme| *lexeme == Lexeme::Separator(b',')) {
            if !element.is_empty() {
                extensions.push(extension(element)?);
            }
        }
    }
    // 1#extension
    (lines.is_empty() || !extensions.is_empty()).then_some(extensions)
}

fn lex(mut line: &[u8]) -> Option<Vec<Lexeme>> {
    let mut lexemes = Vec::new();
    while let Some((first, rest)) = line.split_first() {
        match first {
            b' ' | b'\t' => line = rest,
            b',' | b';' | b'=' => {
                lexemes.push(Lexeme::Separator(*first));
                line = rest;
            }
            b'"' => {
                let mut value = Vec::new();
                line = rest;
                loop {
                    let (byte, rest) = line.split_first()?;
                    line = rest;
                    match byte {
                        b'"' => break,
                        b'\\' => {
                            let (escaped, rest) = line.split_first()?;
                            value.push(*escaped);
                            line = rest;
                        }
                        _ => value.push(*byte),
                    }
                }
                if !is_token(&value) {
                    return None;
                }
                lexemes.push(Lexeme::Quoted(String::from_utf8(value).unwrap()));
            }
            _ => {
                let end = line.iter().position(|b| !is_token(&[*b])).unwrap_or(line.len());
                let (token, rest) = line.split_at(end);
                if token.is_empty() {
                    return None;
                }
                lexemes.push(Lexeme::Token(String::from_utf8(token.to_vec()).unwrap()));
                line = rest;
            }
        }
    }
    Some(lexemes)
}

fn extension(element: &[Lexeme]) -> Option<Extension> {
    let mut parts = element.split(|lexeme| *lexeme == Lexeme::Separator(b';'));
    let [Lexeme::Token(name)] = parts.next()? else { return None };
    let mut parameters = Vec::new();
    for part in parts {
        parameters.push(match part {
            [Lexeme::Token(name)] => (name.clone(), None),
            [
                Lexeme::Token(name),
                Lexeme::Separator(b'='),
                Lexeme::Token(value) | Lexeme::Quoted(value),
            ] => (name.clone(), Some(value.clone())),
            _ => return None,
        });
    }
    Some((name.clone(), parameters))
}

/// RFC 7692 §7.1: parameters of permessage-deflate, in an offer or a response.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Parameters {
    /// `server_no_context_takeover`
    pub server_no_takeover: bool,
    /// `client_no_context_takeover`
    pub client_no_takeover: bool,
    /// `server_max_window_bits`
    pub server_bits: Option<u8>,
    /// `client_max_window_bits`, with its value if it has one.
    pub client_bits: Option<Option<u8>>,
}

/// The parameters of an extension, unless it is another one or they are not legal in an offer.
pub fn deflate((name, parameters): &Extension) -> Option<Parameters> {
    if name != "permessage-deflate" {
        return None;
    }
    let mut found = Parameters::default();
    for (i, (name, value)) in parameters.iter().enumerate() {
        if parameters[..i].iter().any(|(earlier, _)| earlier == name) {
            return None;
        }
        let value = value.as_deref();
        match (name.as_str(), value) {
            ("server_no_context_takeover", None) => found.server_no_takeover = true,
            ("client_no_context_takeover", None) => found.client_no_takeover = true,
            ("server_max_window_bits", Some(value)) => found.server_bits = Some(bits(value)?),
            ("client_max_window_bits", None) => found.client_bits = Some(None),
            ("client_max_window_bits", Some(value)) => found.client_bits = Some(Some(bits(value)?)),
            _ => return None,
        }
    }
    Some(found)
}

fn bits(value: &str) -> Option<u8> {
    (8..=15).find(|bits: &u8| bits.to_string() == value)
}
