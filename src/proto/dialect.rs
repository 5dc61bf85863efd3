//! How calls and replies are written.  A dialect knows neither frames nor nginx.

pub mod native;
