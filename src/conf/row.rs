//! A directive is one row: its name, where it may stand, the field it sets, whether that is
//! inherited, its default, and how its arguments are read.
//!
//! The rows of a topic are one table, of which [`directives`] makes a structure with a field each,
//! its inheritance, a function for each default, and the rows that nginx reads.

use nginx_sys::{
    NGX_CONF_1MORE, NGX_CONF_NOARGS, NGX_CONF_TAKE1, NGX_CONF_TAKE3, NGX_CONF_TAKE12,
    NGX_HTTP_LOC_CONF, NGX_HTTP_MAIN_CONF, NGX_HTTP_SRV_CONF,
};

use super::location::LocationConf;
use crate::nginx::config::block;
pub(super) use crate::nginx::config::block::{Logged, Wrong};

pub(super) type Block<'b> = block::Block<'b, LocationConf>;
pub(super) type Set = block::Set<LocationConf>;

/// The field of a directive.
type Field<T> = for<'b, 'c> fn(&'b mut Block<'c>) -> &'b mut Option<T>;

pub(super) const ANYWHERE: u32 = NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF;
pub(super) const HTTP: u32 = NGX_HTTP_MAIN_CONF;
pub(super) const LOCATION: u32 = NGX_HTTP_LOC_CONF;

pub(super) const NONE: u32 = NGX_CONF_NOARGS;
pub(super) const ONE: u32 = NGX_CONF_TAKE1;
pub(super) const ONE_OR_TWO: u32 = NGX_CONF_TAKE12;
pub(super) const THREE: u32 = NGX_CONF_TAKE3;
pub(super) const SOME: u32 = NGX_CONF_1MORE;

/// What is said of a topic in a block.
pub(super) trait Topic {
    /// Takes over what the block around says and this one does not.  What makes a location what it
    /// is passes only if it is the inside of an `if` of the same location.
    fn inherit(&mut self, around: &Self, same_location: bool);
}

/// Rows read
///
/// ```text
///     passes  name               where and arguments     field: type = default        reading
///     inherited c"ws_inflight",  ANYWHERE | ONE,         inflight: usize = 16,        once(count(..));
/// ```
///
/// `own` fields are not inherited.  What reads the arguments gets the [`Block`], and makes a value
/// of the field's type; [`once`], [`each`] or [`perhaps`] puts it there.  A default may use the
/// location, by the name that stands in the head.
macro_rules! directives {
    (
        $(#[$doc:meta])*
        struct $topic:ident at $block:ident.$level:ident.$room:ident of $said:ident;

        $($passes:ident $name:literal, $where:expr,
            $field:ident: $type:ty $(= $default:expr)?, $put:ident($read:expr);)*
    ) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub(crate) struct $topic {
            $(pub(super) $field: Option<$type>,)*
        }

        impl $crate::conf::row::Topic for $topic {
            fn inherit(&mut self, around: &Self, same_location: bool) {
                $(
                    let passes = $crate::conf::row::directives!(@$passes) || same_location;
                    if passes && self.$field.is_none() {
                        self.$field.clone_from(&around.$field);
                    }
                )*
            }
        }

        $($(
            fn $field($level: &$said) -> $type {
                $level.$room.$field.clone().unwrap_or_else(|| $default)
            }
        )?)*

        pub(super) const ROWS: &[nginx_sys::ngx_command_t] = &[$(
            $crate::nginx::config::block::row($name, $where, {
                const SET: $crate::conf::row::Set =
                    |$block| $put($block, |$block| &mut $block.$level.$room.$field, $read);
                &SET
            }),
        )*];
    };
    (@inherited) => { true };
    (@own) => { false };
    (@http) => { false };
}
pub(super) use directives;

/// A directive that stands in a block at most once.
pub(super) fn once<T>(
    block: &mut Block<'_>,
    field: Field<T>,
    read: impl FnOnce(&mut Block<'_>) -> Result<T, Wrong>,
) -> Result<(), Wrong> {
    if field(block).is_some() {
        return wrong("is duplicate");
    }
    *field(block) = Some(read(block)?);
    Ok(())
}

/// A directive that can be repeated, for one item each time.
pub(super) fn each<T>(
    block: &mut Block<'_>,
    field: Field<Vec<T>>,
    read: impl FnOnce(&mut Block<'_>) -> Result<T, Wrong>,
) -> Result<(), Wrong> {
    let item = read(block)?;
    field(block).get_or_insert_default().push(item);
    Ok(())
}

/// A directive that may be about something else than the block it stands in.
pub(super) fn perhaps<T>(
    block: &mut Block<'_>,
    field: Field<T>,
    read: impl FnOnce(&mut Block<'_>) -> Result<Option<T>, Wrong>,
) -> Result<(), Wrong> {
    match read(block)? {
        Some(_) if field(block).is_some() => wrong("is duplicate"),
        Some(value) => {
            *field(block) = Some(value);
            Ok(())
        }
        None => Ok(()),
    }
}

/// What is wrong, as nginx is to say it behind `"name" directive`.
pub(super) fn wrong<T>(message: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong::Directive(message.into()))
}
