//! Paths that clients choose: what may be asked of nginx at all, and what is under a prefix.
//!
//! nginx normalises a URI itself; [`is_sane`] keeps out what no request line may hold, and
//! [`is_under`] judges the path that nginx has normalised.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The longest path and query of a message, in bytes, as they are sent: that of `large_client_header_buffers`.
pub const MAX: usize = 8192;

/// Whether `path` (with its query) may stand on a request line: it starts with one `/`, holds
/// visible ASCII or UTF-8 only, and no fragment.
pub fn is_sane(path: &str) -> bool {
    path.len() <= MAX
        && path.starts_with('/')
        && path.bytes().all(|b| b > b' ' && b != 0x7F && b != b'#')
}

/// A path (with its query) as browsers write it on a request line: what is not ASCII is escaped, as
/// UTF-8 (URL Standard §4.4).  `None` if it may not stand there, or is too long then.
pub fn request_target(path: &str) -> Option<Cow<'_, str>> {
    if !is_sane(path) {
        return None;
    }
    if path.is_ascii() {
        return Some(Cow::Borrowed(path));
    }
    let foreign = path.bytes().filter(|b| !b.is_ascii()).count();
    let len = path.len() + 2 * foreign;
    if len > MAX {
        return None;
    }
    let mut target = String::with_capacity(len);
    for c in path.chars() {
        if c.is_ascii() {
            target.push(c);
        } else {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                let _ = write!(target, "%{byte:02X}");
            }
        }
    }
    Some(Cow::Owned(target))
}

/// Whether a normalised path is under `prefix`: `/api` and `/api/` both hold `/api/x`, neither
/// holds `/apiary`.
pub fn is_under(prefix: &[u8], path: &[u8]) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| prefix.ends_with(b"/") || rest.is_empty() || rest.starts_with(b"/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_stand_on_a_request_line() {
        for good in ["/", "/a/b?c=d", "/%2e%2e/", "//x", "/ü", "/a?b#".trim_end_matches('#')] {
            assert!(is_sane(good), "{good}");
        }
        let long = format!("/{}", "a".repeat(MAX));
        for bad in [
            "",
            "a",
            "http://x/",
            "*",
            "/a b",
            "/a\r\nX: y",
            "/a\0",
            "/a\t",
            "/\x7f",
            "/a#b",
            &long,
        ] {
            assert!(!is_sane(bad), "{bad:?}");
        }
    }

    #[test]
    fn what_is_not_ascii_is_escaped_on_a_request_line() {
        for (path, target) in [
            ("/a/b?c=d", "/a/b?c=d"),
            ("/a%2Fb%C3%a9/%zz?\"<>\\^`{|}", "/a%2Fb%C3%a9/%zz?\"<>\\^`{|}"),
            ("/café?q=ü", "/caf%C3%A9?q=%C3%BC"),
            ("/a%2Fbü", "/a%2Fb%C3%BC"),
            ("/\u{80}€\u{1F600}", "/%C2%80%E2%82%AC%F0%9F%98%80"),
        ] {
            assert_eq!(request_target(path).as_deref(), Some(target));
        }
        assert_eq!(request_target("/é b"), None);
        let longest = format!("/{}", "é".repeat(MAX / 6));
        assert_eq!(request_target(&longest).unwrap().len(), 1 + MAX / 6 * 6);
        assert_eq!(request_target(&format!("{longest}é")), None);
    }

    #[test]
    fn under_a_prefix() {
        const CASES: &[(&str, &str, bool)] = &[
            ("/api/", "/api/x", true),
            ("/api/", "/api/", true),
            ("/api/", "/api", false),
            ("/api/", "/apix", false),
            ("/api", "/api", true),
            ("/api", "/api/x", true),
            ("/api", "/apiary", false),
            ("/", "/x", true),
            ("/api/", "/x/api/", false),
        ];
        for (prefix, path, under) in CASES {
            assert_eq!(is_under(prefix.as_bytes(), path.as_bytes()), *under, "{prefix} {path}");
        }
    }
}
