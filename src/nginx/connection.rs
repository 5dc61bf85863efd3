//! The client's connection: bytes in, bytes out, its two timers.

use core::fmt;
use core::ptr::{self, NonNull};

use nginx_sys::{
    NGX_AGAIN, ngx_add_timer, ngx_buf_t, ngx_chain_t, ngx_connection_t, ngx_current_msec,
    ngx_del_timer, ngx_event_t, ngx_exiting, ngx_handle_read_event, ngx_handle_write_event,
    ngx_post_event, ngx_posted_next_events,
};

use super::log::{self, Level};
pub(crate) use crate::proto::endpoint::outbound::Broken;
use crate::proto::endpoint::outbound::MAX_PIECES;

/// A handle to a connection of nginx, valid within one event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connection(NonNull<ngx_connection_t>);

/// What a read brought.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Received {
    /// So many bytes, at least one.
    Bytes(usize),
    /// Nothing yet: wait for the read event.
    Again,
    /// The peer will send no more.
    Eof,
    /// The connection is broken; nginx has logged why.
    Broken,
}

impl Connection {
    /// # Safety
    ///
    /// `c` is a live connection and stays so while the handle is used.
    pub(super) const unsafe fn new(c: NonNull<ngx_connection_t>) -> Self {
        Self(c)
    }

    pub(super) const fn as_ptr(self) -> *mut ngx_connection_t {
        self.0.as_ptr()
    }

    fn read_event(self) -> *mut ngx_event_t {
        // SAFETY: the connection is live by the contract of `new`; it always has two events.
        unsafe { (*self.as_ptr()).read }
    }

    fn write_event(self) -> *mut ngx_event_t {
        // SAFETY: as in `read_event`.
        unsafe { (*self.as_ptr()).write }
    }

    /// nginx's monotonic clock in milliseconds, as of this turn of the event loop.
    pub(crate) fn now(self) -> u64 {
        // SAFETY: a worker is single-threaded; nginx writes the variable between events only.
        unsafe { ngx_current_msec as u64 }
    }

    /// Reads what has arrived, through TLS where there is TLS.
    pub(crate) fn recv(self, buf: &mut [u8]) -> Received {
        let c = self.as_ptr();
        // SAFETY: the connection is live; `recv` writes at most `buf.len()` bytes to `buf`.
        let n = unsafe {
            match (*c).recv {
                Some(recv) => recv(c, buf.as_mut_ptr(), buf.len()),
                None => return Received::Broken,
            }
        };
        match usize::try_from(n) {
            Ok(0) => Received::Eof,
            Ok(n) => Received::Bytes(n),
            Err(_) if n == NGX_AGAIN as isize => Received::Again,
            Err(_) => Received::Broken,
        }
    }

    /// Sends the first bytes of `pieces` and tells how many; fewer than all when the peer is slow.
    ///
    /// Under TLS, "sent" bytes may still be in nginx's TLS buffer: see [`Connection::flush_tls`].
    pub(crate) fn send(self, pieces: &[&[u8]]) -> Result<usize, Broken> {
        if !self.is_write_ready() {
            return Ok(0);
        }
        match pieces {
            [] => Ok(0),
            // Cheaper than a gathering write of one piece.
            [piece, rest @ ..] if rest.iter().all(|p| p.is_empty()) && !self.is_tls() => {
                self.send_plain(piece)
            }
            _ => self.send_chain(pieces),
        }
    }

    fn send_plain(self, bytes: &[u8]) -> Result<usize, Broken> {
        let c = self.as_ptr();
        // SAFETY: the connection is live; `send` only reads `bytes`.
        let n = unsafe {
            match (*c).send {
                Some(send) => send(c, bytes.as_ptr().cast_mut(), bytes.len()),
                None => return Err(Broken),
            }
        };
        match usize::try_from(n) {
            Ok(n) => Ok(n),
            Err(_) if n == NGX_AGAIN as isize => Ok(0),
            Err(_) => Err(Broken),
        }
    }

    /// One gathering write.  Under TLS `send_chain` copies into a buffer of its own, which spares us
    /// OpenSSL's rule that a write must be retried with the same bytes at the same place.
    fn send_chain(self, pieces: &[&[u8]]) -> Result<usize, Broken> {
        // SAFETY: all-zero is what ngx_calloc_buf() and a fresh chain link are.
        let mut bufs: [ngx_buf_t; MAX_PIECES] = unsafe { core::mem::zeroed() };
        // SAFETY: as above.
        let mut links: [ngx_chain_t; MAX_PIECES] = unsafe { core::mem::zeroed() };
        let mut next = ptr::null_mut();
        let mut total = 0;
        for ((piece, buf), link) in
            pieces.iter().zip(&mut bufs).zip(&mut links).rev().filter(|((p, _), _)| !p.is_empty())
        {
            let range = piece.as_ptr_range();
            buf.pos = range.start.cast_mut();
            buf.last = range.end.cast_mut();
            buf.start = buf.pos;
            buf.end = buf.last;
            buf.set_memory(1);
            buf.set_flush(1);
            link.buf = buf;
            link.next = next;
            next = link;
            total += piece.len();
        }
        if next.is_null() {
            return Ok(0);
        }
        let c = self.as_ptr();
        // SAFETY: the connection is live; the chain and its memory outlive the call, which moves
        // `pos` of the buffers and keeps no pointer to them (ngx_ssl_send_chain() copies).
        let rest = unsafe {
            match (*c).send_chain {
                Some(send_chain) => send_chain(c, next, 0),
                None => return Err(Broken),
            }
        };
        if rest as isize == -1 {
            return Err(Broken); // NGX_CHAIN_ERROR
        }
        let unsent: usize = bufs.iter().map(|b| b.last as usize - b.pos as usize).sum();
        Ok(total - unsent)
    }

    /// Sends what is left in nginx's TLS buffer; `Ok(true)` when nothing is.
    pub(crate) fn flush_tls(self) -> Result<bool, Broken> {
        let c = self.as_ptr();
        if !self.has_tls_buffered() {
            return Ok(true);
        }
        if self.is_write_ready() {
            // SAFETY: the connection is live; an empty chain means "flush".
            let rest = unsafe {
                match (*c).send_chain {
                    Some(send_chain) => send_chain(c, ptr::null_mut(), 0),
                    None => return Err(Broken),
                }
            };
            if rest as isize == -1 {
                return Err(Broken);
            }
        }
        Ok(!self.has_tls_buffered())
    }

    /// Whether nginx holds bytes of ours, in its TLS buffer or of the response header.
    pub(crate) fn has_buffered(self) -> bool {
        // SAFETY: the connection is live.
        unsafe { (*self.as_ptr()).buffered() != 0 }
    }

    /// Whether nginx's TLS buffer holds bytes to be sent.
    pub(crate) fn has_tls_buffered(self) -> bool {
        const NGX_SSL_BUFFERED: u32 = 0x01;
        // SAFETY: the connection is live.
        unsafe { (*self.as_ptr()).buffered() & NGX_SSL_BUFFERED != 0 }
    }

    #[cfg(ngx_feature = "ssl")]
    fn is_tls(self) -> bool {
        // SAFETY: the connection is live.
        unsafe { !(*self.as_ptr()).ssl.is_null() }
    }

    #[cfg(not(ngx_feature = "ssl"))]
    fn is_tls(self) -> bool {
        false
    }

    /// Gives back nginx's TLS write buffer (16k by default) of a connection with nothing to send.
    pub(crate) fn free_tls_buffer(self) {
        #[cfg(ngx_feature = "ssl")]
        if self.is_tls() && !self.has_tls_buffered() {
            // SAFETY: the connection is live and has `ssl`; nginx allocates the buffer anew.
            unsafe { nginx_sys::ngx_ssl_free_buffer(self.as_ptr()) };
        }
    }

    pub(crate) fn is_read_ready(self) -> bool {
        // SAFETY: the event is live with its connection.
        unsafe { (*self.read_event()).ready() != 0 }
    }

    /// Whether the peer has closed its direction, or the connection is reset, as far as epoll tells
    /// without a read; there may be bytes to read before that.
    pub(crate) fn has_pending_eof(self) -> bool {
        // SAFETY: the event is live with its connection.
        unsafe { (*self.read_event()).pending_eof() != 0 }
    }

    /// Tells the peer that nothing more will come, while the connection has to stay for a while.
    /// Under TLS that takes bytes, which go out when nginx closes the connection.
    pub(crate) fn half_close(self) {
        if !self.is_tls() {
            // SAFETY: the descriptor is open as long as the connection is live.
            unsafe { libc::shutdown((*self.as_ptr()).fd, libc::SHUT_WR) };
        }
    }

    pub(crate) fn is_write_ready(self) -> bool {
        // SAFETY: the event is live with its connection.
        unsafe { (*self.write_event()).ready() != 0 }
    }

    /// Waits for the read event, and for the write event once a write had to wait.
    pub(crate) fn watch(self) -> Result<(), Broken> {
        // SAFETY: the events are live; these calls register with epoll only what is not yet.
        let ok = unsafe {
            ngx_handle_read_event(self.read_event(), 0) == 0
                && ngx_handle_write_event(self.write_event(), 0) == 0
        };
        if ok { Ok(()) } else { Err(Broken) }
    }

    /// Calls the read handler again in the next turn, after other connections had theirs.
    pub(crate) fn read_later(self) {
        // SAFETY: the event is live; closing the connection removes it from the queue.
        unsafe { ngx_post_event(self.read_event(), &raw mut ngx_posted_next_events) };
    }

    /// Whether [`Connection::read_later`] has yet to call.
    pub(crate) fn is_read_posted(self) -> bool {
        // SAFETY: the event is live.
        unsafe { (*self.read_event()).posted() != 0 }
    }

    /// Makes the read timer fire in `ms` or earlier; an earlier one that is set stays.
    pub(crate) fn wake_within(self, ms: u64) {
        let event = self.read_event();
        // SAFETY: the event is live; the timer tree is this worker's.
        unsafe {
            let key = ngx_current_msec.wrapping_add(ms as usize);
            if (*event).timer_set() != 0 {
                if ((*event).timer.key.wrapping_sub(key) as isize) <= 0 {
                    return;
                }
                // Not by ngx_add_timer() alone: it keeps a timer that is up to 300 ms late.
                ngx_del_timer(event);
            }
            ngx_add_timer(event, ms as usize);
        }
    }

    /// Sets the write timer to fire in `ms`, whether or not it was set.
    pub(crate) fn arm_send_timer(self, ms: u64) {
        // SAFETY: the event is live; the timer tree is this worker's.
        unsafe { ngx_add_timer(self.write_event(), ms as usize) };
    }

    pub(crate) fn is_send_timer_set(self) -> bool {
        // SAFETY: the event is live.
        unsafe { (*self.write_event()).timer_set() != 0 }
    }

    pub(crate) fn disarm_send_timer(self) {
        if self.is_send_timer_set() {
            // SAFETY: the event is live and its timer is set.
            unsafe { ngx_del_timer(self.write_event()) };
        }
    }

    /// Removes both timers.
    pub(crate) fn disarm(self) {
        self.disarm_send_timer();
        let event = self.read_event();
        // SAFETY: the event is live.
        unsafe {
            if (*event).timer_set() != 0 {
                ngx_del_timer(event);
            }
        }
    }

    /// Whether the read timer has fired since the last call.
    pub(crate) fn take_wake(self) -> bool {
        // SAFETY: the event is live.
        unsafe { take_timedout(self.read_event()) }
    }

    /// Whether the write timer has fired since the last call.
    pub(crate) fn take_send_timeout(self) -> bool {
        // SAFETY: the event is live.
        unsafe { take_timedout(self.write_event()) }
    }

    /// Whether the worker has asked since the last call that this connection be closed
    /// (`ngx_close_idle_connections()`).
    pub(crate) fn take_close_request(self) -> bool {
        // SAFETY: the connection is live.
        unsafe {
            let asked = (*self.as_ptr()).close() != 0;
            (*self.as_ptr()).set_close(0);
            asked
        }
    }

    /// Makes [`Connection::take_close_request`] true if the worker is leaving already.
    pub(super) fn request_close_if_exiting(self) {
        // SAFETY: a worker is single-threaded; the connection is live.
        unsafe {
            if ngx_exiting != 0 {
                (*self.as_ptr()).set_close(1);
            }
        }
    }

    pub(crate) fn log(self, level: Level, message: fmt::Arguments<'_>) {
        // SAFETY: a live connection has a live log.
        unsafe { log::write((*self.as_ptr()).log, level, message) };
    }
}

/// # Safety
///
/// `event` is live.
unsafe fn take_timedout(event: *mut ngx_event_t) -> bool {
    // SAFETY: by the contract of this function.
    unsafe {
        let fired = (*event).timedout() != 0;
        (*event).set_timedout(0);
        fired
    }
}
