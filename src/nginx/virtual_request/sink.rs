//! The response to a virtual request, as far as it has come.

use core::mem;
use core::ptr::{self, NonNull};

use nginx_sys::ngx_connection_t;

use crate::nginx::waker::Waker;
use crate::proto::call::coding::{Coding, Undecoded};

/// Filled by the filters of [`super::filters`].
#[derive(Debug)]
pub(crate) struct Sink {
    /// Whom to tell.
    waker: Waker,
    /// The virtual connection; null before the request begins, and when it is over.
    pub(super) connection: *mut ngx_connection_t,
    /// Lower-case names of headers that are wanted.
    wanted: &'static [String],
    /// Limit of the body in bytes.
    limit: usize,
    /// The length of the body, if it is known.
    announced: Option<usize>,
    response: Response,
    /// There is no more to come: the body came to its end, there is none, or it is not kept.
    pub(super) is_complete: bool,
    /// Why the sink itself gave up.
    pub(super) failure: Option<SinkFailure>,
}

/// What a location has answered.
#[derive(Debug, Default)]
pub(crate) struct Response {
    /// 0: the request was closed without an answer (`return 444`).
    pub(crate) status: u16,
    /// Lower-case names, in order.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) content_type: Option<Vec<u8>>,
    pub(crate) body: Vec<u8>,
    /// The value of `Content-Encoding`.
    coding: Option<String>,
    /// The body is in that coding still, and a header says so.
    pub(crate) is_coded: bool,
    /// The body came to its end.
    pub(crate) is_whole: bool,
    /// Why it was not kept.
    pub(crate) failure: Option<SinkFailure>,
}

const CODING: &str = "content-encoding";

impl Response {
    /// Decodes the body, or else says how it is coded.
    fn decode(&mut self, limit: usize) -> Result<(), SinkFailure> {
        let Some(name) = self.coding.take() else { return Ok(()) };
        let coding = Coding::of(name.as_bytes());
        match coding.decode(&self.body, limit) {
            Some(Ok(body)) => {
                self.body = body;
                self.headers.retain(|(name, _)| name != CODING && name != "content-length");
            }
            Some(Err(Undecoded::TooLarge)) => return Err(SinkFailure::TooLarge),
            Some(Err(Undecoded::NoMemory)) => return Err(SinkFailure::NoMemory),
            Some(Err(Undecoded::Malformed)) => return Err(SinkFailure::Garbled),
            None => {
                self.is_coded = coding == Coding::Other;
                if self.is_coded && self.headers.iter().all(|(name, _)| name != CODING) {
                    self.headers.push((CODING.to_owned(), name));
                }
            }
        }
        Ok(())
    }
}

/// Why a response was not kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SinkFailure {
    /// The body exceeds the limit.
    TooLarge,
    /// No memory for the body, or the request.
    NoMemory,
    /// The path is none that nginx can read: a bad escape, or more `..` than it is deep.
    BadPath,
    /// The path is outside the prefix, as nginx reads it.
    OutsidePrefix,
    /// A part of the body is in a file that cannot be read; nginx has logged why.
    Unreadable,
    /// The backend has answered with 1xx.
    Interim,
    /// The body is not in the coding that it should be in.
    Garbled,
}

impl Sink {
    /// A sink of at most `limit` bytes and the headers `wanted`, which wakes `waker` when there is
    /// a response, and once more when the request is over.
    pub(crate) const fn new(waker: Waker, wanted: &'static [String], limit: usize) -> Self {
        Self {
            waker,
            connection: ptr::null_mut(),
            wanted,
            limit,
            announced: None,
            response: Response {
                status: 0,
                headers: Vec::new(),
                content_type: None,
                body: Vec::new(),
                coding: None,
                is_coded: false,
                is_whole: false,
                failure: None,
            },
            is_complete: false,
            failure: None,
        }
    }

    /// The response is complete.
    pub(super) fn complete(&mut self) {
        if !self.is_complete {
            self.is_complete = true;
            self.waker.wake();
        }
    }

    /// The response will not be kept, whatever else comes of it.
    pub(super) fn fail(&mut self, failure: SinkFailure) {
        self.failure.get_or_insert(failure);
        self.response.body = Vec::new();
        self.complete();
    }

    /// Whether more of the response is of any use.
    pub(super) const fn is_open(&self) -> bool {
        !self.is_complete
    }

    /// The request is over.  No more is done here, because nginx is in the middle of closing the
    /// virtual connection.
    ///
    /// # Safety
    ///
    /// `sink` is live, and nobody else refers to it now.
    pub(super) unsafe fn finish(sink: NonNull<Self>) {
        // SAFETY: by the contract of this function.
        let sink = unsafe { &mut *sink.as_ptr() };
        sink.connection = ptr::null_mut();
        sink.waker.wake();
    }

    /// Notes the status line.
    pub(super) fn take_status(&mut self, status: u16, content_type: Option<Vec<u8>>) {
        self.response.status = status;
        if let Some(value) = &content_type {
            self.take_header(b"content-type", value);
        }
        self.response.content_type = content_type;
    }

    /// Keeps a header that is wanted, or that the body cannot be read without.
    pub(super) fn take_header(&mut self, name: &[u8], value: &[u8]) {
        if name.eq_ignore_ascii_case(CODING.as_bytes()) {
            let value = String::from_utf8_lossy(value);
            match &mut self.response.coding {
                Some(list) => {
                    list.push_str(", ");
                    list.push_str(&value);
                }
                none => *none = Some(value.into_owned()),
            }
        }
        if let Some(name) = self.wanted.iter().find(|w| name.eq_ignore_ascii_case(w.as_bytes())) {
            let value = String::from_utf8_lossy(value);
            let headers = &mut self.response.headers;
            // RFC 9110 §5.3: lines of one name are one list.
            match headers.iter_mut().find(|(known, _)| known == name) {
                Some((_, list)) => {
                    // RFC 6265 §3: but for cookies, which have commas in them.  No header has a line
                    // feed.
                    list.push_str(if name == "set-cookie" { "\n" } else { ", " });
                    list.push_str(&value);
                }
                None => headers.push((name.clone(), value.into_owned())),
            }
        }
    }

    /// Notes how long the body will be; it fails at once if that is too long: not only when so much
    /// of it has come, as a response that goes into a cache is read to its end.
    pub(super) fn announce(&mut self, len: usize) {
        self.announced = Some(len);
        if !self.has_room(len) {
            self.fail(SinkFailure::TooLarge);
        }
    }

    /// Whether `len` more bytes of the body may be kept.
    const fn has_room(&self, len: usize) -> bool {
        len <= self.limit.saturating_sub(self.response.body.len())
    }

    /// Room for `len` more bytes of the body.
    fn reserve(&mut self, len: usize) -> Result<(), SinkFailure> {
        if !self.has_room(len) {
            return Err(SinkFailure::TooLarge);
        }
        let body = &mut self.response.body;
        let needed = body.len() + len;
        if needed > body.capacity() {
            // Memory doubles with what has come, up to what was announced or is allowed.
            let most = self.announced.unwrap_or(self.limit);
            let target = (2 * body.capacity()).min(most).max(needed);
            let more = target - body.len();
            body.try_reserve_exact(more).map_err(|_| SinkFailure::NoMemory)?;
        }
        Ok(())
    }

    /// Keeps a piece of the body.
    pub(super) fn take_body(&mut self, bytes: &[u8]) -> Result<(), SinkFailure> {
        self.reserve(bytes.len())?;
        self.response.body.extend_from_slice(bytes);
        Ok(())
    }

    /// Keeps a piece of the body that `read` writes, all of it, and tells whether it did.
    pub(super) fn take_body_from(
        &mut self,
        len: usize,
        read: impl FnOnce(&mut [u8]) -> bool,
    ) -> Result<(), SinkFailure> {
        self.reserve(len)?;
        let body = &mut self.response.body;
        let old = body.len();
        body.resize(old + len, 0);
        if read(body.get_mut(old..).unwrap_or_default()) {
            return Ok(());
        }
        body.truncate(old);
        Err(SinkFailure::Unreadable)
    }

    /// The response; nothing of it is kept here.
    pub(super) fn take(&mut self) -> Response {
        let response = mem::take(&mut self.response);
        let mut response =
            Response { is_whole: self.is_complete, failure: self.failure, ..response };
        if self.failure.is_none() && !response.body.is_empty() {
            response.failure = response.decode(self.limit).err();
        }
        response
    }

    /// Bytes of memory for the response.
    pub(super) fn held(&self) -> usize {
        let Response {
            status: _,
            headers,
            content_type,
            body,
            coding,
            is_coded: _,
            is_whole: _,
            failure: _,
        } = &self.response;
        let headers = headers.iter().map(|(name, value)| name.capacity() + value.capacity());
        size_of::<Self>()
            + headers.sum::<usize>()
            + content_type.as_ref().map_or(0, Vec::capacity)
            + coding.as_ref().map_or(0, String::capacity)
            + body.capacity()
    }
}
