//! Fuzz targets for [`ngx_ws::proto`].
//!
//! Each module but the first two is a target: `run` takes any bytes and panics when what the module
//! makes of them is not what a slow and obvious reading of the standard does.  Those readings are
//! in [`reference`]; they share no code with what they judge.  Where several rules are broken at
//! once, the reading names them all, and any one of them is a right answer.

pub mod input;
pub mod reference;

pub mod envelope;
pub mod extension;
pub mod frames;
pub mod handshake;
pub mod inflate;
pub mod path;
