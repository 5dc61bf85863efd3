//! Directives: what each says, its defaults and inheritance.  A file a topic; what makes a row of
//! one is in [`row`].

mod calls;
mod http;
pub(crate) mod location;
mod rates;
mod row;
mod socket;
mod value;
mod zones;

use nginx_sys::ngx_command_t;

use crate::nginx::config::block;

const TOPICS: [&[ngx_command_t]; 6] =
    [socket::ROWS, calls::ROWS, rates::ROWS, rates::ZONE, zones::ROWS, http::ROWS];

/// What `ngx_module_t.commands` points to.
pub(crate) static mut COMMANDS: [ngx_command_t; LEN + 1] = TABLE;

#[expect(clippy::indexing_slicing, reason = "the compiler runs it, or refuses to")]
const LEN: usize = {
    let (mut len, mut i) = (0, 0);
    while i < TOPICS.len() {
        len += TOPICS[i].len();
        i += 1;
    }
    len
};

/// The topics one behind the other, and [`block::END`].
#[expect(clippy::indexing_slicing, reason = "the compiler runs it, or refuses to")]
const TABLE: [ngx_command_t; LEN + 1] = {
    let mut table = [block::END; LEN + 1];
    let (mut i, mut end) = (0, 0);
    while i < TOPICS.len() {
        let mut j = 0;
        while j < TOPICS[i].len() {
            table[end] = TOPICS[i][j];
            end += 1;
            j += 1;
        }
        i += 1;
    }
    table
};
