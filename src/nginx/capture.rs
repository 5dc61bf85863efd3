//! The response to a virtual request, as far as it has come.

use core::ptr::{self, NonNull};

use nginx_sys::{ngx_connection_t, ngx_post_event, ngx_posted_events};

/// Filled by the filters of `virtual_request`.
#[derive(Debug)]
pub(crate) struct Capture {
    /// The client's connection, which is told when the request is over.
    pub(super) client: *mut ngx_connection_t,
    /// The virtual connection; null when the request is over.
    pub(super) connection: *mut ngx_connection_t,
    /// Lower-case names of headers that are wanted.
    wanted: &'static [String],
    /// Limit of `body` in bytes.
    limit: usize,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) content_type: Option<Vec<u8>>,
    pub(crate) body: Vec<u8>,
    /// The body came to its end, or there is none.
    pub(crate) is_complete: bool,
    /// Why the capture itself gave up.
    pub(crate) failure: Option<CaptureFailure>,
}

/// Why a response was not kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CaptureFailure {
    /// The body exceeds the limit.
    TooLarge,
    /// No memory for the body.
    NoMemory,
    /// The path is outside the prefix, as nginx reads it.
    OutsidePrefix,
}

impl Capture {
    pub(crate) const fn new(wanted: &'static [String], limit: usize) -> Self {
        Self {
            client: ptr::null_mut(),
            connection: ptr::null_mut(),
            wanted,
            limit,
            status: 0,
            headers: Vec::new(),
            content_type: None,
            body: Vec::new(),
            is_complete: false,
            failure: None,
        }
    }

    /// The response is complete: tells the client's connection.
    pub(super) fn complete(&mut self) {
        if !self.is_complete {
            self.is_complete = true;
            // SAFETY: the client outlives the requests of its messages.
            unsafe { ngx_post_event((*self.client).write, &raw mut ngx_posted_events) };
        }
    }

    /// The request is over: tells the client's connection, and does no more, because nginx is in
    /// the middle of closing the virtual one.
    ///
    /// # Safety
    ///
    /// `capture` is live, and so is its `client`.
    pub(super) unsafe fn finish(capture: NonNull<Self>) {
        // SAFETY: by the contract of this function; nobody else refers to the capture now.
        unsafe {
            let capture = &mut *capture.as_ptr();
            capture.connection = ptr::null_mut();
            ngx_post_event((*capture.client).write, &raw mut ngx_posted_events);
        }
    }

    /// Keeps a header if it is wanted.
    pub(super) fn take_header(&mut self, name: &[u8], value: &[u8]) {
        if let Some(name) = self.wanted.iter().find(|w| name.eq_ignore_ascii_case(w.as_bytes())) {
            let value = String::from_utf8_lossy(value);
            // RFC 9110 §5.3: lines of one name are one list.
            match self.headers.iter_mut().find(|(known, _)| known == name) {
                Some((_, list)) => {
                    list.push_str(", ");
                    list.push_str(&value);
                }
                None => self.headers.push((name.clone(), value.into_owned())),
            }
        }
    }

    /// Keeps a piece of the body.
    pub(super) fn take_body(&mut self, bytes: &[u8]) -> Result<(), CaptureFailure> {
        if bytes.len() > self.limit.saturating_sub(self.body.len()) {
            return Err(CaptureFailure::TooLarge);
        }
        self.body.try_reserve(bytes.len()).map_err(|_| CaptureFailure::NoMemory)?;
        self.body.extend_from_slice(bytes);
        Ok(())
    }
}
