//! Values that several directives take: sizes, times, numbers, `on` and `off`.

use core::fmt;

use super::row::{Block, Wrong, wrong};
use crate::nginx::config;

/// The values a directive takes, both ends included.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) min: u64,
    pub(super) max: u64,
}

/// A way to write a number.
struct Kind {
    name: &'static str,
    parse: fn(&[u8]) -> Option<u64>,
    example: &'static str,
    /// Writes a bound the way it is written in a configuration.
    show: fn(u64, &mut fmt::Formatter<'_>) -> fmt::Result,
}

const SIZE: Kind = Kind {
    name: "size",
    parse: config::parse_size,
    example: "a size such as 64k or 1m",
    show: |n, f| match n {
        n if n >= 1 << 30 && n % (1 << 30) == 0 => write!(f, "{}g", n >> 30),
        n if n >= 1 << 20 && n % (1 << 20) == 0 => write!(f, "{}m", n >> 20),
        n if n >= 1 << 10 && n % (1 << 10) == 0 => write!(f, "{}k", n >> 10),
        n => write!(f, "{n}"),
    },
};

const TIME: Kind = Kind {
    name: "time",
    parse: config::parse_msec,
    example: "a time such as 30s or 500ms",
    show: |n, f| match n {
        n if n >= 86_400_000 && n % 86_400_000 == 0 => write!(f, "{}d", n / 86_400_000),
        n if n >= 1000 && n % 1000 == 0 => write!(f, "{}s", n / 1000),
        n => write!(f, "{n}ms"),
    },
};

const COUNT: Kind = Kind {
    name: "number",
    parse: |arg| str::from_utf8(arg).ok().filter(|s| !s.starts_with('+'))?.parse().ok(),
    example: "a whole number",
    show: |n, f| write!(f, "{n}"),
};

struct Shown<'k>(&'k Kind, u64);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.0.show)(self.1, f)
    }
}

/// Bytes, as `64k`.
pub(super) fn size<T: TryFrom<u64>>(
    bounds: Bounds,
) -> impl FnOnce(&mut Block<'_>) -> Result<T, Wrong> {
    number(&SIZE, bounds)
}

/// Milliseconds, as `30s`.
pub(super) fn time(bounds: Bounds) -> impl FnOnce(&mut Block<'_>) -> Result<u64, Wrong> {
    number(&TIME, bounds)
}

/// A plain number.
pub(super) fn count<T: TryFrom<u64>>(
    bounds: Bounds,
) -> impl FnOnce(&mut Block<'_>) -> Result<T, Wrong> {
    number(&COUNT, bounds)
}

fn number<T: TryFrom<u64>>(
    kind: &'static Kind,
    bounds: Bounds,
) -> impl FnOnce(&mut Block<'_>) -> Result<T, Wrong> {
    move |block| {
        let (name, arg) = (kind.name, block.cf.arg());
        let value = (kind.parse)(arg);
        let arg = String::from_utf8_lossy(arg);
        let Some(value) = value else {
            return wrong(format!("invalid {name} \"{arg}\": expected {}", kind.example));
        };
        let value = Some(value).filter(|n| (bounds.min..=bounds.max).contains(n));
        let Some(value) = value.and_then(|n| n.try_into().ok()) else {
            let (min, max) = (Shown(kind, bounds.min), Shown(kind, bounds.max));
            return wrong(format!("invalid {name} \"{arg}\": expected {min} to {max}"));
        };
        Ok(value)
    }
}

/// `on` or `off`.
pub(super) fn flag(block: &mut Block<'_>) -> Result<bool, Wrong> {
    one_of(block, [("on", true), ("off", false)])
}

/// One of the words.
pub(super) fn one_of<T, const N: usize>(
    block: &mut Block<'_>,
    words: [(&'static str, T); N],
) -> Result<T, Wrong> {
    let word = block.cf.text_arg();
    let expected = words.each_ref().map(|(word, _)| *word).join(" or ");
    match words.into_iter().find(|(known, _)| *known == word) {
        Some((_, value)) => Ok(value),
        None => wrong(format!("invalid value \"{word}\": expected {expected}")),
    }
}
