//! What HTTP reaches, in nginx's word: content handlers and variables.

pub(crate) mod status;
pub(crate) mod upgrade;
pub(crate) mod variables;
