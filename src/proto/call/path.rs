//! Paths that clients choose: what may be asked of nginx at all, and what is under a prefix.
//!
//! nginx normalises a URI itself; [`is_sane`] keeps out what no request line may hold, and
//! [`is_under`] judges the path that nginx has normalised.

/// The longest path and query of a message, in bytes: that of `large_client_header_buffers`.
pub const MAX: usize = 8192;

/// Whether `path` (with its query) may stand on a request line: it starts with one `/`, holds
/// visible ASCII or UTF-8 only, and no fragment.
pub fn is_sane(path: &str) -> bool {
    path.len() <= MAX
        && path.starts_with('/')
        && path.bytes().all(|b| b > b' ' && b != 0x7F && b != b'#')
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
