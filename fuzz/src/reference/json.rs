//! RFC 8259: what is JSON, the members of an object and the text of a string.

/// Whether a whole text is one JSON value.
pub fn is_json(text: &str) -> bool {
    value(text.as_bytes(), 0).is_some_and(|end| blanks(text.as_bytes(), end) == text.len())
}

/// The members of an object, in order, with repetitions: the raw names and the raw values.
///
/// `None` when the text is JSON, but no object.
///
/// # Panics
///
/// When the text is not JSON.
pub fn members(text: &str) -> Option<Vec<(&str, &str)>> {
    assert!(is_json(text));
    let bytes = text.as_bytes();
    let mut at = blanks(bytes, 0);
    if bytes[at] != b'{' {
        return None;
    }
    let mut members = Vec::new();
    at = blanks(bytes, at + 1);
    while bytes[at] != b'}' {
        if bytes[at] == b',' {
            at = blanks(bytes, at + 1);
        }
        let name_end = string(bytes, at).unwrap();
        let name = &text[at..name_end];
        // Behind the colon.
        at = blanks(bytes, blanks(bytes, name_end) + 1);
        let end = value(bytes, at).unwrap();
        members.push((name, &text[at..end]));
        at = blanks(bytes, end);
    }
    Some(members)
}

/// The text that a raw value is, if it is a string and free of lone surrogates.
pub fn text(raw: &str) -> Option<String> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    let mut units: Vec<u16> = Vec::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
            continue;
        }
        units.push(match chars.next()? {
            'b' => 8,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'u' => {
                let digits: String = chars.by_ref().take(4).collect();
                u16::from_str_radix(&digits, 16).unwrap()
            }
            other => other as u16,
        });
    }
    // A surrogate that was written as a character cannot occur, so pairs are pairs of escapes.
    String::from_utf16(&units).ok()
}

/// The end of the value that starts at `at`.
fn value(text: &[u8], at: usize) -> Option<usize> {
    let mut at = blanks(text, at);
    // The closing brackets that are still to come.
    let mut open = Vec::new();
    loop {
        let mut opened = false;
        at = match text.get(at)? {
            b'{' => {
                open.push(b'}');
                opened = true;
                at + 1
            }
            b'[' => {
                open.push(b']');
                opened = true;
                at + 1
            }
            b'"' => string(text, at)?,
            b't' => literal(text, at, b"true")?,
            b'f' => literal(text, at, b"false")?,
            b'n' => literal(text, at, b"null")?,
            _ => number(text, at)?,
        };
        loop {
            let Some(closing) = open.last().copied() else { return Some(at) };
            at = blanks(text, at);
            let next = *text.get(at)?;
            if next == closing {
                open.pop();
                opened = false;
                at += 1;
                continue;
            }
            if !opened {
                if next != b',' {
                    return None;
                }
                at = blanks(text, at + 1);
            }
            if closing == b'}' {
                at = blanks(text, string(text, at)?);
                if *text.get(at)? != b':' {
                    return None;
                }
                at = blanks(text, at + 1);
            }
            break;
        }
    }
}

fn blanks(text: &[u8], at: usize) -> usize {
    let more = text[at..].iter().take_while(|b| b" \t\r\n".contains(b)).count();
    at + more
}

fn literal(text: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    text[at..].starts_with(word).then_some(at + word.len())
}

fn string(text: &[u8], at: usize) -> Option<usize> {
    if *text.get(at)? != b'"' {
        return None;
    }
    let mut at = at + 1;
    loop {
        match text.get(at)? {
            b'"' => return Some(at + 1),
            0..0x20 => return None,
            b'\\' => match text.get(at + 1)? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at += 2,
                b'u' => {
                    let digits = text.get(at + 2..at + 6)?;
                    if !digits.iter().all(u8::is_ascii_hexdigit) {
                        return None;
                    }
                    at += 6;
                }
                _ => return None,
            },
            _ => at += 1,
        }
    }
}

fn number(text: &[u8], at: usize) -> Option<usize> {
    let digits = |at: usize| {
        let n = text[at..].iter().take_while(|b| b.is_ascii_digit()).count();
        (n > 0).then_some(at + n)
    };
    let sign = usize::from(text[at] == b'-');
    let start = at + sign;
    let mut end = digits(start)?;
    if text[start] == b'0' {
        end = start + 1;
    }
    if text.get(end) == Some(&b'.') {
        end = digits(end + 1)?;
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        end = digits(end + 1 + sign)?;
    }
    Some(end)
}
