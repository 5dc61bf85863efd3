pub use fixed::*;
