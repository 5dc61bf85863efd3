//! How nginx reads the path of a request (ngx_http_parse_complex_uri() of 1.28 on Unix).

/// The path that locations see, and the query; `None` where nginx answers 400.
///
/// First the query is split off, then all escapes are undone, then the segments are read: an
/// escaped "/" or "." counts as one, an escaped "?", "#" or "%" is an ordinary character.
pub fn normalise(uri: &str, merge_slashes: bool) -> Option<(Vec<u8>, Option<&str>)> {
    let (path, query) = match uri.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (uri, None),
    };
    let path = decode(path)?;
    if path.contains(&0) || path.first() != Some(&b'/') {
        return None;
    }
    Some((resolve(path[1..].split(|b| *b == b'/'), merge_slashes)?, query))
}

/// The path that these segments lead to, from the root; `None` above it.
pub fn resolve<'s>(
    segments: impl Iterator<Item = &'s [u8]>,
    merge_slashes: bool,
) -> Option<Vec<u8>> {
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut is_folder = true;
    let mut segments = segments.peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        is_folder = matches!(segment, b"" | b"." | b"..");
        match segment {
            b".." => {
                kept.pop()?;
            }
            b"." => {}
            b"" if last || merge_slashes => {}
            _ => kept.push(segment),
        }
    }
    let mut path = b"/".to_vec();
    path.extend(kept.join(&b'/'));
    if is_folder && !kept.is_empty() {
        path.push(b'/');
    }
    Some(path)
}

/// Escapes all but the unreserved characters (RFC 3986 §2.3).
pub fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                escaped.push(char::from(byte));
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

/// Escapes what is not ASCII (URL Standard §4.4).
pub fn escape_foreign(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii() { c.to_string() } else { escape(&c.to_string()) })
        .collect()
}

/// Undoes escapes; `None` when one is broken.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).unwrap());
        rest = &rest[2..];
    }
    Some(bytes)
}
