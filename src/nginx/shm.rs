//! Shared memory zones as arrays of words, which survive reloads.
//!
//! nginx makes the memory and its slab allocator; all of it is taken by one array of zeroed atomic
//! words, so that no process ever takes the zone's lock again.

use core::cell::Cell;
use core::ffi::c_void;
use core::fmt::Debug;
use core::marker::PhantomData;
use core::ptr;
use core::sync::atomic::AtomicU64;

use nginx_sys::{
    NGX_ERROR, NGX_OK, ngx_int_t, ngx_pagesize, ngx_shared_memory_add, ngx_shm_zone_t,
    ngx_slab_alloc, ngx_slab_pool_t,
};

use super::config::Conf;
use super::log::{self, Level};

/// A kind of zones: what its directive says of one.
pub(crate) trait Kind: Copy + Debug + 'static {
    /// What tells its zones from those of other kinds, which nginx compares by address.
    fn mark() -> &'static Mark;

    /// How the words of this zone are to be read.
    fn meaning(&self) -> String;
}

/// The directive that defines zones of a kind.
#[derive(Debug)]
pub(crate) struct Mark(pub(crate) &'static str);

/// A zone that is defined, as good as the configuration.
#[derive(Debug)]
pub(crate) struct Zone<K> {
    pub(crate) kind: K,
    name: String,
    words: Cell<&'static [AtomicU64]>,
}

/// A zone by its name, which may be defined later.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reference<K> {
    zone: *mut ngx_shm_zone_t,
    kind: PhantomData<K>,
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

impl<K: Kind> Reference<K> {
    pub(crate) fn new(cf: Conf, name: &[u8]) -> Result<Self, BadZone> {
        Self::add(cf, name, 0)
    }

    fn add(cf: Conf, name: &[u8], size: usize) -> Result<Self, BadZone> {
        // nginx keeps the name, so it needs a copy that lives as long as the zone.
        let mut name = cf.copy(name).ok_or(BadZone::Refused)?;
        let tag = ptr::from_ref(K::mark()).cast_mut().cast::<c_void>();
        // SAFETY: cf is live; nginx only compares the tag, and logs what is wrong.
        let zone = unsafe { ngx_shared_memory_add(cf.as_ptr(), &mut name, size, tag) };
        if zone.is_null() {
            return Err(BadZone::Refused);
        }
        Ok(Self { zone, kind: PhantomData })
    }

    /// The zone, once it is defined.
    pub(crate) fn resolve(self) -> Option<&'static Zone<K>> {
        // SAFETY: a zone with this kind's tag is asked for by this type only, so `data` is null or
        // what `Zone::define` put there; both live as long as the configuration that holds `self`.
        unsafe { (*self.zone).data.cast::<Zone<K>>().as_ref() }
    }
}

impl<K: Kind> Zone<K> {
    pub(crate) fn define(
        cf: Conf,
        name: &[u8],
        size: u64,
        kind: K,
    ) -> Result<&'static Self, BadZone> {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        // SAFETY: nginx sets its page size before it reads a configuration.
        if size < 8 * unsafe { ngx_pagesize } {
            return Err(BadZone::TooSmall);
        }
        let reference = Reference::<K>::add(cf, name, size)?;
        if reference.resolve().is_some() {
            return Err(BadZone::Taken);
        }
        let name = String::from_utf8_lossy(name).into_owned();
        let data = cf.allocate(Self { kind, name, words: Cell::new(&[]) });
        // SAFETY: the zone lives as long as the configuration being read, and is ours by its tag.
        unsafe {
            (*reference.zone).init = Some(init::<K>);
            (*reference.zone).data = data.cast();
        }
        reference.resolve().ok_or(BadZone::Refused)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The words, once nginx has made the memory; empty before.
    pub(crate) const fn words(&self) -> &'static [AtomicU64] {
        self.words.get()
    }
}

/// `ngx_shm_zone_t.init`: called with the data of the same zone in the previous cycle, if any.
unsafe extern "C" fn init<K: Kind>(zone: *mut ngx_shm_zone_t, previous: *mut c_void) -> ngx_int_t {
    // SAFETY: nginx calls with the zone that `define` gave this function and its data.
    let (zone, this) = unsafe { (&*zone, &*(*zone).data.cast::<Zone<K>>()) };
    // SAFETY: null, or the data of a zone with the same tag, whose configuration still lives.
    if let Some(previous) = unsafe { previous.cast::<Zone<K>>().as_ref() } {
        let (now, before) = (this.kind.meaning(), previous.kind.meaning());
        if now != before {
            let name = &this.name;
            let message = format_args!("zone \"{name}\" is {now} while previously it was {before}");
            // SAFETY: nginx gives every zone the log of its cycle.
            unsafe { log::write(zone.shm.log, Level::Emerg, message) };
            return NGX_ERROR as ngx_int_t;
        }
        this.words.set(previous.words.get());
        return NGX_OK as ngx_int_t;
    }
    // SAFETY: nginx has mapped the memory, its slab allocator at the start, for as long as there is
    // a configuration with this zone; nobody else allocates from it.
    unsafe {
        let pool: *mut ngx_slab_pool_t = zone.shm.addr.cast();
        // One page is left to the allocator's own rounding.
        let bytes = ((*pool).pfree.saturating_sub(1)) * ngx_pagesize;
        if zone.shm.exists == 0 {
            let memory = ngx_slab_alloc(pool, bytes);
            if memory.is_null() {
                return NGX_ERROR as ngx_int_t;
            }
            ptr::write_bytes(memory.cast::<u8>(), 0, bytes);
            (*pool).data = memory;
        }
        let words: *const AtomicU64 = (*pool).data.cast();
        this.words.set(core::slice::from_raw_parts(words, bytes / size_of::<AtomicU64>()));
    }
    NGX_OK as ngx_int_t
}
