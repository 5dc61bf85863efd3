//! Shared memory zones as arrays of words, which survive reloads.
//!
//! nginx makes the memory and its slab allocator; all of it is taken by one array of zeroed atomic
//! words, so that no process ever takes the zone's lock again.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::AtomicU64;

use nginx_sys::{
    NGX_ERROR, NGX_OK, ngx_int_t, ngx_pagesize, ngx_shared_memory_add, ngx_shm_zone_t,
    ngx_slab_alloc, ngx_slab_pool_t, ngx_str_t,
};

use super::config::Conf;
use super::string::str_bytes;

/// A zone of a configuration; a handle as good as the configuration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Zone(*mut ngx_shm_zone_t);

/// What hangs on `ngx_shm_zone_t.data`.
struct Data {
    words: *const AtomicU64,
    len: usize,
    /// How its words are to be read; a zone that is read differently starts anew.
    meaning: String,
}

/// Why a zone cannot be had.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum BadZone {
    /// Less than eight pages, nginx's own minimum.
    TooSmall,
    /// nginx has logged why.
    Refused,
    /// Another directive has defined a zone of this name.
    Taken,
}

/// Marks the zones of this module among those of others.
static TAG: u8 = 0;

impl Zone {
    /// A zone by its name, which may be defined later.
    pub(crate) fn refer(cf: Conf, name: &ngx_str_t) -> Result<Self, BadZone> {
        Self::add(cf, name, 0)
    }

    /// Defines a zone; `meaning` says how its words are read.
    pub(crate) fn define(
        cf: Conf,
        name: &ngx_str_t,
        size: usize,
        meaning: String,
    ) -> Result<Self, BadZone> {
        // SAFETY: nginx sets its page size before it reads a configuration.
        if size < 8 * unsafe { ngx_pagesize } {
            return Err(BadZone::TooSmall);
        }
        let zone = Self::add(cf, name, size)?;
        // SAFETY: the zone lives as long as the configuration being read.
        unsafe {
            if !(*zone.0).data.is_null() {
                return Err(BadZone::Taken);
            }
            let data = cf.allocate(Data { words: ptr::null(), len: 0, meaning });
            if data.is_null() {
                return Err(BadZone::Refused);
            }
            (*zone.0).init = Some(init);
            (*zone.0).data = data.cast();
        }
        Ok(zone)
    }

    fn add(cf: Conf, name: &ngx_str_t, size: usize) -> Result<Self, BadZone> {
        // nginx keeps the name, so it needs a copy that lives as long as the zone.
        let copy = cf.copy(name).ok_or(BadZone::Refused)?;
        let mut copy = copy;
        let tag = (&raw const TAG).cast_mut().cast::<c_void>();
        // SAFETY: cf is live; nginx logs what is wrong.
        let zone = unsafe { ngx_shared_memory_add(cf.as_ptr(), &mut copy, size, tag) };
        if zone.is_null() { Err(BadZone::Refused) } else { Ok(Self(zone)) }
    }

    /// The words, once nginx has made the memory; empty before.
    pub(crate) fn words(self) -> &'static [AtomicU64] {
        // SAFETY: `data` is null or a `Data`; the mapping lives as long as the cycle, as does
        // everything that holds a `Zone`.
        unsafe {
            match (*self.0).data.cast::<Data>().as_ref() {
                Some(data) if !data.words.is_null() => {
                    core::slice::from_raw_parts(data.words, data.len)
                }
                _ => &[],
            }
        }
    }
}

/// `ngx_shm_zone_t.init`: called with the data of the same zone in the previous cycle, if any.
unsafe extern "C" fn init(zone: *mut ngx_shm_zone_t, previous: *mut c_void) -> ngx_int_t {
    // SAFETY: nginx calls with a zone that `define` made and whose memory is mapped, its slab
    // allocator at the start; `previous` is the data of a zone with the same tag.
    unsafe {
        let data = &mut *(*zone).data.cast::<Data>();
        let pool: *mut ngx_slab_pool_t = (*zone).shm.addr.cast();
        if let Some(previous) = previous.cast::<Data>().as_ref() {
            if previous.meaning != data.meaning {
                let name = str_bytes((*zone).shm.name);
                super::log::write(
                    (*zone).shm.log,
                    super::log::Level::Emerg,
                    format_args!(
                        "zone \"{}\" is {} while previously it was {}",
                        String::from_utf8_lossy(name),
                        data.meaning,
                        previous.meaning
                    ),
                );
                return NGX_ERROR as ngx_int_t;
            }
            data.words = previous.words;
            data.len = previous.len;
            return NGX_OK as ngx_int_t;
        }
        // One page is left to the allocator's own rounding.
        let bytes = ((*pool).pfree.saturating_sub(1)) * ngx_pagesize;
        if (*zone).shm.exists == 0 {
            let memory = ngx_slab_alloc(pool, bytes);
            if memory.is_null() {
                return NGX_ERROR as ngx_int_t;
            }
            ptr::write_bytes(memory.cast::<u8>(), 0, bytes);
            (*pool).data = memory;
        }
        data.words = (*pool).data.cast();
        data.len = bytes / size_of::<AtomicU64>();
    }
    NGX_OK as ngx_int_t
}
