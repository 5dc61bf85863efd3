//! Which `Origin` may connect (RFC 6455 §4.2.2, §10.2): the defence of cookies against foreign pages.

use core::fmt;

/// The value of `ws_origin`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum OriginPolicy {
    /// Every origin may connect.
    Any,
    /// An origin must match one of these.
    List(Vec<Pattern>),
}

/// One allowed origin.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Pattern {
    /// The origin's host and port are those of the request's `Host`.
    Same,
    /// `null`: an origin that is kept secret (RFC 6454 §7.1), that of files and sandboxed frames.
    Null,
    /// `https://example.com:8443`: scheme, host and port.
    Origin(String),
    /// `example.com`: this host, any scheme and port.
    Host(String),
    /// `*.example.com`: kept as `.example.com`; its subdomains, any scheme and port.
    Subdomains(String),
}

/// Why an argument of `ws_origin` is wrong; displays as the tail of a configuration error.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BadOrigin {
    /// `any` next to other values.
    AnyWithOthers,
    /// Neither a host, `*.host`, an origin, `any`, `same` nor `null`.
    Malformed,
}

impl fmt::Display for BadOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AnyWithOthers => "\"any\" cannot be combined with other values",
            Self::Malformed => {
                "expected any, same, null, example.com, *.example.com or https://example.com:8443"
            }
        })
    }
}

impl OriginPolicy {
    /// Parses the arguments of the directive.
    ///
    /// # Errors
    ///
    /// The first argument that is wrong, by its index, and why.
    pub fn parse<'a>(args: impl Iterator<Item = &'a str>) -> Result<Self, (usize, BadOrigin)> {
        let mut any = None;
        let mut list = Vec::new();
        for (i, arg) in args.enumerate() {
            if arg == "any" {
                any = Some(i);
            } else {
                list.push(Pattern::parse(arg).ok_or((i, BadOrigin::Malformed))?);
            }
            if let Some(i) = any
                && (!list.is_empty() || i > 0)
            {
                return Err((i, BadOrigin::AnyWithOthers));
            }
        }
        Ok(if any.is_some() { Self::Any } else { Self::List(list) })
    }

    /// Whether a request with this `Origin` and `Host` may connect.
    ///
    /// A request without `Origin` does not come from a page, so there is nothing to defend.
    pub fn allows(&self, origin: Option<&[u8]>, host: Option<&[u8]>) -> bool {
        match (self, origin) {
            (Self::Any, _) | (_, None) => true,
            (Self::List(list), Some(origin)) => {
                // RFC 6454 §6.1 makes an origin ASCII; what is not cannot match.
                let Ok(origin) = core::str::from_utf8(origin) else { return false };
                list.iter().any(|pattern| pattern.matches(origin, host))
            }
        }
    }
}

/// Whether a page of this origin is of the host that it asks.
pub fn is_same(origin: &[u8], host: Option<&[u8]>) -> bool {
    core::str::from_utf8(origin).is_ok_and(|origin| Pattern::Same.matches(origin, host))
}

impl Pattern {
    fn parse(arg: &str) -> Option<Self> {
        let is_host = |host: &str| {
            !host.is_empty()
                && host
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
                || host.starts_with('[') && host.ends_with(']')
        };
        if arg == "same" {
            return Some(Self::Same);
        }
        if arg == "null" {
            return Some(Self::Null);
        }
        if let Some((scheme, authority)) = arg.split_once("://") {
            let (host, port) = split_port(authority);
            let port_ok = port.is_none_or(|p| p.parse::<u16>().is_ok());
            // RFC 3986 §3.1.
            let scheme_ok = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
            return (scheme_ok && port_ok && is_host(host))
                .then(|| Self::Origin(format!("{scheme}://{}", strip_default(scheme, authority))));
        }
        if let Some(parent) = arg.strip_prefix("*.") {
            return is_host(parent).then(|| Self::Subdomains(format!(".{parent}")));
        }
        is_host(arg).then(|| Self::Host(arg.to_owned()))
    }

    fn matches(&self, origin: &str, host: Option<&[u8]>) -> bool {
        if *self == Self::Null {
            return origin == "null";
        }
        // What is no scheme://host matches nothing else.
        let Some((scheme, authority)) = origin.split_once("://") else { return false };
        if authority.is_empty() {
            return false;
        }
        let origin_host = split_port(authority).0;
        match self {
            Self::Null => false,
            Self::Same => host.and_then(|h| core::str::from_utf8(h).ok()).is_some_and(|host| {
                // Behind a TLS proxy our own scheme is not the page's: the origin's scheme decides
                // which port is the default one, on both sides.
                strip_default(scheme, authority).eq_ignore_ascii_case(strip_default(scheme, host))
            }),
            Self::Origin(allowed) => allowed.split_once("://").is_some_and(|(s, a)| {
                s.eq_ignore_ascii_case(scheme)
                    && a.eq_ignore_ascii_case(strip_default(scheme, authority))
            }),
            Self::Host(allowed) => allowed.eq_ignore_ascii_case(origin_host),
            Self::Subdomains(suffix) => {
                origin_host.len() > suffix.len()
                    && origin_host
                        .get(origin_host.len() - suffix.len()..)
                        .is_some_and(|tail| tail.eq_ignore_ascii_case(suffix))
            }
        }
    }
}

/// Splits `host:port`; the colons of an IPv6 address stand inside brackets.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

/// Drops the port that a scheme implies (RFC 6454 §4).
fn strip_default<'a>(scheme: &str, authority: &'a str) -> &'a str {
    let is = |name: &str| scheme.eq_ignore_ascii_case(name);
    let default = if is("https") || is("wss") {
        Some("443")
    } else if is("http") || is("ws") {
        Some("80")
    } else {
        None // those of extensions and apps have no ports
    };
    match split_port(authority) {
        (host, port @ Some(_)) if port == default => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_connect() {
        const CASES: &[(&str, &str, &str, bool)] = &[
            // (ws_origin, Origin, Host, allowed)
            ("any", "https://evil.example", "a.example", true),
            ("any", "null", "a.example", true),
            ("same", "https://a.example", "a.example", true),
            ("same", "https://A.Example", "a.example", true),
            ("same", "https://a.example", "a.example:443", true),
            ("same", "http://a.example:8080", "a.example:8080", true),
            ("same", "http://a.example:8081", "a.example:8080", false),
            ("same", "http://a.example", "b.example", false),
            ("same", "http://a.example", "a.example.evil", false),
            ("same", "http://[::1]:8080", "[::1]:8080", true),
            ("same", "http://[::1]", "[::1]:80", true),
            ("same", "null", "null", false),
            ("a.example", "https://a.example:8443", "x", true),
            ("a.example", "https://b.a.example", "x", false),
            ("a.example", "https://a.example.evil", "x", false),
            ("*.a.example", "https://b.A.example", "x", true),
            ("*.a.example", "https://c.b.a.example:1", "x", true),
            ("*.a.example", "https://a.example", "x", false),
            ("*.a.example", "https://evila.example", "x", false),
            ("https://a.example", "https://a.example", "x", true),
            ("https://a.example:443", "https://a.example", "x", true),
            ("https://a.example", "http://a.example", "x", false),
            ("https://a.example", "https://a.example:8443", "x", false),
            ("same b.example", "http://b.example", "a.example", true),
            ("same b.example", "http://a.example", "a.example", true),
            ("same b.example", "http://c.example", "a.example", false),
            ("same", "file://", "", false),
            ("null", "null", "a.example", true),
            ("null", "NULL", "a.example", false),
            ("null", "https://null", "null", false),
            ("null", "https://null.example", "a.example", false),
            ("null", "", "a.example", false),
            ("same null", "null", "a.example", true),
            ("a.example", "null", "null", false),
            ("chrome-extension://abc", "chrome-extension://abc", "x", true),
            ("chrome-extension://abc", "chrome-extension://abd", "x", false),
            ("chrome-extension://abc", "chrome-extension://abc:80", "x", false),
            ("chrome-extension://abc", "https://abc", "x", false),
            ("a+b-c.d9://x_y.z:1", "a+b-c.d9://x_y.z:1", "x", true),
            ("same", "app://a.example:80", "a.example", false),
        ];
        for (directive, origin, host, allowed) in CASES {
            let policy = OriginPolicy::parse(directive.split(' ')).unwrap();
            let result = policy.allows(Some(origin.as_bytes()), Some(host.as_bytes()));
            assert_eq!(result, *allowed, "ws_origin {directive}; Origin: {origin}; Host: {host}");
            assert!(policy.allows(None, Some(host.as_bytes())));
        }
    }

    #[test]
    fn bad_arguments() {
        const CASES: &[(&str, usize, BadOrigin)] = &[
            ("any same", 0, BadOrigin::AnyWithOthers),
            ("same any", 1, BadOrigin::AnyWithOthers),
            ("any any", 1, BadOrigin::AnyWithOthers),
            ("same a/b", 1, BadOrigin::Malformed),
            ("https://", 0, BadOrigin::Malformed),
            ("https://a/path", 0, BadOrigin::Malformed),
            ("https://a:port", 0, BadOrigin::Malformed),
            ("://a", 0, BadOrigin::Malformed),
            ("1a://a", 0, BadOrigin::Malformed),
            ("-a://a", 0, BadOrigin::Malformed),
            ("a_b://a", 0, BadOrigin::Malformed),
            ("null any", 1, BadOrigin::AnyWithOthers),
            ("*.", 0, BadOrigin::Malformed),
            ("*", 0, BadOrigin::Malformed),
        ];
        for (directive, index, why) in CASES {
            assert_eq!(
                OriginPolicy::parse(directive.split(' ')),
                Err((*index, *why)),
                "ws_origin {directive}"
            );
        }
    }
}
