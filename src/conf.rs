//! Directives: what each says, its defaults and inheritance.

pub(crate) mod directives;
pub(crate) mod location;
mod rates;
mod setters;
mod zones;
