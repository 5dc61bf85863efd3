//! The request headers of messages: those of the handshake, less what is about the handshake.
//!
//! Modules may write to the headers of a request, in place.  So nothing of the handshake is lent: its
//! headers are copied once for the socket, into one block, and from there for each call.

use core::mem::offset_of;
use core::ptr;

use nginx_sys::{
    NGX_OK, ngx_hash_find, ngx_hash_key_lc, ngx_http_core_main_conf_t, ngx_http_core_module,
    ngx_http_header_handler_pt, ngx_http_header_t, ngx_http_headers_in_t, ngx_http_request_t,
    ngx_int_t, ngx_list_push, ngx_palloc, ngx_pnalloc, ngx_str_t, ngx_table_elt_t, ngx_uint_t,
};

use super::Spec;
use crate::nginx::exhausted::Exhausted;
use crate::nginx::request::{Elements, Request};
use crate::nginx::string::str_bytes;
use crate::proto::call::header_names;
use crate::proto::call::method::Method;
use crate::proto::handshake::origin;

/// Pointers to headers that nginx knows lie here in `ngx_http_headers_in_t`, and behind them what a
/// parser makes of some; not a word of that is handed on as it is.
const KNOWN: core::ops::Range<usize> =
    offset_of!(ngx_http_headers_in_t, host)..offset_of!(ngx_http_headers_in_t, server);

/// The headers that all messages of a socket have; made for its first call.
#[derive(Debug)]
pub(crate) struct BaseHeaders {
    /// All strings, each with a NUL behind it.
    block: Vec<u8>,
    elements: Vec<Element>,
    /// The last element is an `Origin` that not all messages have.
    has_own_origin: bool,
    /// Offsets in `ngx_http_headers_in_t` and the elements that they point to.
    known: Vec<(usize, usize)>,
    /// Elements that nginx knows in another way, which its parser would be told of.
    parsed: Vec<(usize, ngx_http_header_handler_pt, usize)>,
    server: Piece,
}

#[derive(Debug)]
struct Element {
    key: Piece,
    value: Piece,
    lowcase: Piece,
    hash: ngx_uint_t,
    /// The next one of the same name, where nginx links them.
    next: Option<usize>,
}

/// A string in the block.
#[derive(Clone, Copy, Debug)]
struct Piece {
    start: usize,
    len: usize,
}

impl BaseHeaders {
    /// Copies the headers of the handshake.
    pub(crate) fn new(client: Request) -> Result<Self, Exhausted> {
        let r = client.as_ptr();
        // SAFETY: the request is live, and so are the elements of its list.
        let mut kept: Vec<*const ngx_table_elt_t> = unsafe {
            Elements::new(&raw const (*r).headers_in.headers.part)
                .filter(|header| {
                    let name = core::str::from_utf8(str_bytes((**header).key)).unwrap_or_default();
                    !header_names::is_dropped(name)
                })
                .collect()
        };
        // SAFETY: as above.
        let has_own_origin = unsafe { put_own_origin_last(&mut kept) };
        let index_of =
            |element: *const ngx_table_elt_t| kept.iter().position(|known| *known == element);
        let mut this = Self {
            block: Vec::new(),
            elements: Vec::new(),
            has_own_origin,
            known: Vec::new(),
            parsed: Vec::new(),
            // SAFETY: the request is live.
            server: Piece { start: 0, len: 0 },
        };
        // SAFETY: as above; strings of live elements are live.
        unsafe {
            this.server = this.keep(str_bytes((*r).headers_in.server))?;
            for element in &kept {
                let header = &**element;
                let key = this.keep(str_bytes(header.key))?;
                let value = this.keep(str_bytes(header.value))?;
                let lowcase = this.keep(&str_bytes(header.key).to_ascii_lowercase())?;
                let next = next_of(header).and_then(&index_of);
                this.elements.push(Element { key, value, lowcase, hash: header.hash, next });
            }
            let headers_in = &raw const (*r).headers_in;
            for offset in KNOWN.step_by(size_of::<usize>()) {
                let word: *const ngx_table_elt_t =
                    headers_in.byte_add(offset).cast::<*const ngx_table_elt_t>().read();
                if let Some(i) = index_of(word) {
                    this.known.push((offset, i));
                }
            }
            this.find_parsed(r, &kept);
        }
        Ok(this)
    }

    /// Bytes of memory.
    pub(crate) fn held(&self) -> usize {
        let Self { block, elements, has_own_origin: _, known, parsed, server: _ } = self;
        size_of::<Self>()
            + block.capacity()
            + elements.capacity() * size_of::<Element>()
            + known.capacity() * size_of::<(usize, usize)>()
            + parsed.capacity() * size_of::<(usize, ngx_http_header_handler_pt, usize)>()
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<Piece, Exhausted> {
        self.block.try_reserve(bytes.len() + 1).map_err(|_| Exhausted::Memory)?;
        let piece = Piece { start: self.block.len(), len: bytes.len() };
        self.block.extend_from_slice(bytes);
        // nginx searches values as C strings (ngx_http_process_user_agent).
        self.block.push(0);
        Ok(piece)
    }

    /// What nginx's parser notes elsewhere than in a pointer: lists of one name, before 1.23.
    ///
    /// # Safety
    ///
    /// `r` and the elements are live.
    unsafe fn find_parsed(&mut self, r: *mut ngx_http_request_t, kept: &[*const ngx_table_elt_t]) {
        let mut reached: Vec<usize> = self.known.iter().map(|(_, i)| *i).collect();
        let mut at = 0;
        while let Some(i) = reached.get(at).copied() {
            at += 1;
            if let Some(next) = self.elements.get(i).and_then(|element| element.next)
                && !reached.contains(&next)
            {
                reached.push(next);
            }
        }
        for (i, element) in kept.iter().enumerate() {
            // SAFETY: by the contract of this function.
            let found = unsafe { look_up(r, *element) };
            if let Some((handler, offset)) = found
                && !reached.contains(&i)
            {
                self.parsed.push((i, handler, offset));
            }
        }
    }

    /// Gives the headers to a virtual request, with those of its message instead of their
    /// namesakes, and with those that its body needs.
    ///
    /// # Safety
    ///
    /// `client` is live and the one that `self` was made for; `r` was just created.
    pub(super) unsafe fn apply(
        &self,
        client: Request,
        r: *mut ngx_http_request_t,
        spec: &Spec<'_>,
    ) -> Result<(), Exhausted> {
        // SAFETY: by the contract of this function.  Memory of the request's pool is filled before
        // it is read.
        unsafe {
            let block: *mut u8 = ngx_pnalloc((*r).pool, self.block.len()).cast();
            let room = self.elements.len() + spec.headers.len() + BODY_HEADERS;
            let elements: *mut ngx_table_elt_t =
                ngx_palloc((*r).pool, room * size_of::<ngx_table_elt_t>()).cast();
            if block.is_null() || elements.is_null() {
                return Err(Exhausted::Memory);
            }
            block.copy_from_nonoverlapping(self.block.as_ptr(), self.block.len());
            let string = |piece: Piece| ngx_str_t { len: piece.len, data: block.add(piece.start) };

            forget(client, r);
            (*r).headers_in.server = string(self.server);
            let list = &raw mut (*r).headers_in.headers;
            (*list).part.elts = elements.cast();
            (*list).part.nelts = 0;
            (*list).part.next = ptr::null_mut();
            (*list).last = &raw mut (*list).part;
            (*list).size = size_of::<ngx_table_elt_t>();
            (*list).nalloc = room;
            (*list).pool = (*r).pool;

            // Fetch §3.2: browsers tell a page's own host of it when something may change there.
            let is_short = self.has_own_origin && matches!(spec.method, Method::Get | Method::Head);
            let base = self.elements.len() - usize::from(is_short);
            let base = self.elements.get(..base).unwrap_or_default();
            let is_replaced = |element: &Element| {
                let name = self.block.get(element.lowcase.start..).unwrap_or_default();
                let name = name.get(..element.lowcase.len).unwrap_or_default();
                spec.headers.iter().any(|(n, _)| n.as_bytes().eq_ignore_ascii_case(name))
            };
            // Where each element is in the list; null if it is not.
            let place = |i: usize| match base.get(i) {
                None => ptr::null_mut(),
                Some(_) if spec.headers.is_empty() => elements.add(i),
                Some(element) if is_replaced(element) => ptr::null_mut(),
                Some(_) => {
                    let before = base.iter().take(i);
                    elements.add(before.filter(|element| !is_replaced(element)).count())
                }
            };
            for (i, element) in base.iter().enumerate() {
                let to = place(i);
                if to.is_null() {
                    continue;
                }
                to.write_bytes(0, 1);
                (*to).hash = element.hash;
                (*to).key = string(element.key);
                (*to).value = string(element.value);
                (*to).lowcase_key = block.add(element.lowcase.start);
                // Those of one name are replaced together, so a chain is whole or not there.
                set_next(to, element.next.map_or(ptr::null_mut(), place));
                (*list).part.nelts += 1;
            }
            for (offset, i) in &self.known {
                let field: *mut *mut ngx_table_elt_t =
                    (&raw mut (*r).headers_in).byte_add(*offset).cast();
                *field = place(*i);
            }
            for (i, handler, offset) in &self.parsed {
                let to = place(*i);
                if let Some(handler) = handler
                    && !to.is_null()
                    && handler(r, to, *offset) != NGX_OK as ngx_int_t
                {
                    return Err(Exhausted::Memory);
                }
            }
            add(r, spec)
        }
    }
}

/// Moves the `Origin` of a page of the very host that it asks to the end, if there is one.
///
/// # Safety
///
/// The elements are live.
unsafe fn put_own_origin_last(kept: &mut Vec<*const ngx_table_elt_t>) -> bool {
    let place = |name: &str| {
        kept.iter().position(|header| {
            // SAFETY: by the contract of this function.
            unsafe { str_bytes((**header).key) }.eq_ignore_ascii_case(name.as_bytes())
        })
    };
    // SAFETY: by the contract of this function.
    let value = |at: usize| kept.get(at).map(|header| unsafe { str_bytes((**header).value) });
    let Some(at) = place("origin") else { return false };
    let is_own =
        value(at).is_some_and(|origin| origin::is_same(origin, place("host").and_then(value)));
    if is_own {
        let origin = kept.remove(at);
        kept.push(origin);
    }
    is_own
}

/// Content-Length and Content-Type.
const BODY_HEADERS: usize = 2;

/// Adds the headers of a message, and those of its body.
///
/// # Safety
///
/// `r` is a live virtual request whose header list is set up.
unsafe fn add(r: *mut ngx_http_request_t, spec: &Spec<'_>) -> Result<(), Exhausted> {
    // SAFETY: by the contract of this function.
    unsafe {
        for (name, value) in spec.headers {
            let header = push(r, name, value.as_bytes())?;
            register(r, header)?;
        }
        if let Some((bytes, content_type)) = spec.body {
            let length = push(r, "Content-Length", bytes.len().to_string().as_bytes())?;
            (*r).headers_in.content_length = length;
            (*r).headers_in.content_length_n = bytes.len() as i64;
            // One of the message itself is known already.
            if (*r).headers_in.content_type.is_null() {
                (*r).headers_in.content_type = push(r, "Content-Type", content_type.as_bytes())?;
            }
        } else if spec.method.has_body() {
            // RFC 9110 §8.6: where a body is meant, its absence is told; servers want it (411).
            (*r).headers_in.content_length = push(r, "Content-Length", b"0")?;
            (*r).headers_in.content_length_n = 0;
        }
    }
    Ok(())
}

/// Takes over what the handshake's parser has found out (which browser it is), and nothing that
/// refers to anything.
///
/// # Safety
///
/// `client` and `r` are live.
unsafe fn forget(client: Request, r: *mut ngx_http_request_t) {
    // SAFETY: by the contract of this function.  All zero is what a request begins with.
    unsafe {
        let headers = &raw mut (*r).headers_in;
        *headers = (*client.as_ptr()).headers_in;
        headers.byte_add(KNOWN.start).cast::<u8>().write_bytes(0, KNOWN.len());
        (*headers).content_length_n = -1;
        (*headers).keep_alive_n = -1;
        (*headers).set_connection_type(0);
        (*headers).set_chunked(0);
    }
}

/// The next element of the same name.
fn next_of(header: &ngx_table_elt_t) -> Option<*const ngx_table_elt_t> {
    #[cfg(ngx_linked_headers)]
    return (!header.next.is_null()).then_some(header.next.cast_const());
    #[cfg(not(ngx_linked_headers))]
    {
        let _ = header;
        None
    }
}

/// # Safety
///
/// `to` is a live element.
unsafe fn set_next(to: *mut ngx_table_elt_t, next: *mut ngx_table_elt_t) {
    #[cfg(ngx_linked_headers)]
    // SAFETY: by the contract of this function.
    unsafe {
        (*to).next = next;
    }
    #[cfg(not(ngx_linked_headers))]
    let _ = (to, next);
}

/// Adds a header to a request.
///
/// # Safety
///
/// `r` is a live virtual request whose header list is set up.
unsafe fn push(
    r: *mut ngx_http_request_t,
    name: &str,
    value: &[u8],
) -> Result<*mut ngx_table_elt_t, Exhausted> {
    // SAFETY: by the contract of this function; all strings are copied to the request's pool.
    unsafe {
        let Some(request) = Request::new(r) else { return Err(Exhausted::Memory) };
        let key = request.copy(name.as_bytes())?;
        let lowcase = request.copy(name.to_ascii_lowercase().as_bytes())?;
        let value = request.copy(value)?;
        let header: *mut ngx_table_elt_t = ngx_list_push(&raw mut (*r).headers_in.headers).cast();
        if header.is_null() {
            return Err(Exhausted::Memory);
        }
        header.write_bytes(0, 1);
        (*header).key = key;
        (*header).value = value;
        (*header).lowcase_key = lowcase.data;
        (*header).hash = ngx_hash_key_lc(key.data, key.len);
        Ok(header)
    }
}

/// What nginx does with a header of this name, if it knows it: a handler and an offset in
/// `ngx_http_headers_in_t`.
///
/// # Safety
///
/// `r` and `header` are live.
unsafe fn look_up(
    r: *mut ngx_http_request_t,
    header: *const ngx_table_elt_t,
) -> Option<(ngx_http_header_handler_pt, usize)> {
    // SAFETY: by the contract of this function; the hash is of the running configuration.
    unsafe {
        let cmcf: *mut ngx_http_core_main_conf_t =
            (*(*r).main_conf.add(ngx_http_core_module.ctx_index)).cast();
        let lowcase = str_bytes((*header).key).to_ascii_lowercase();
        let known: *const ngx_http_header_t = ngx_hash_find(
            &raw mut (*cmcf).headers_in_hash,
            ngx_hash_key_lc((*header).key.data, (*header).key.len),
            lowcase.as_ptr().cast_mut(),
            lowcase.len(),
        )
        .cast();
        (!known.is_null()).then(|| ((*known).handler, (*known).offset))
    }
}

/// Lets nginx take note of a header it knows, instead of the handshake's one.
///
/// # Safety
///
/// `r` is a live virtual request; `header` is in its list.
unsafe fn register(
    r: *mut ngx_http_request_t,
    header: *mut ngx_table_elt_t,
) -> Result<(), Exhausted> {
    // SAFETY: by the contract of this function; offsets in nginx's table are those of pointers in
    // ngx_http_headers_in_t, and 0 means none.
    unsafe {
        match look_up(r, header) {
            Some((Some(handler), offset)) if handler(r, header, offset) != NGX_OK as ngx_int_t => {
                Err(Exhausted::Memory)
            }
            _ => Ok(()),
        }
    }
}
