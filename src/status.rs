//! `ws_status`: the counters of zones, as JSON or for Prometheus.

use std::cell::RefCell;

use nginx_sys::{NGX_ERROR, ngx_http_handler_pt, ngx_http_request_t, ngx_int_t};

use crate::metrics::{Slot, Snapshot, render};
use crate::nginx::process;
use crate::nginx::request::{NoMemory, Request};
use crate::nginx::shm::Zone;
use crate::settings::{self, Format, Settings};

/// What `ws_status` installs in its location.
pub(crate) const HANDLER: ngx_http_handler_pt = Some(ngx_http_ws_status_handler);

unsafe extern "C" fn ngx_http_ws_status_handler(r: *mut ngx_http_request_t) -> ngx_int_t {
    // SAFETY: nginx calls a content handler with a live request.
    let Some(request) = (unsafe { Request::new(r) }) else { return NGX_ERROR as ngx_int_t };
    let Some(settings) = settings::of(request) else { return NGX_ERROR as ngx_int_t };
    if !request.is_get() && !request.is_head() {
        return 405;
    }
    serve(request, settings).unwrap_or(500)
}

fn serve(request: Request, settings: &Settings) -> Result<ngx_int_t, NoMemory> {
    let Some(status) = &settings.status else { return Ok(404) };
    let zones: Vec<_> = settings
        .counter_zones
        .iter()
        .filter(|counters| status.zone.is_none_or(|zone| zone == counters.zone))
        .map(|counters| {
            let snapshot = Snapshot::take(counters.zone.words(), process::is_alive);
            (counters.name.clone(), snapshot)
        })
        .collect();
    let format = match status.format {
        Format::Negotiated if prefers_text(request) => Format::Prometheus,
        format => format,
    };
    request.add_header("Cache-Control", b"no-store")?;
    if format == Format::Prometheus {
        let body = render::prometheus(&zones);
        return request.answer(200, "", "text/plain; version=0.0.4; charset=utf-8", &body);
    }
    request.answer(200, "", "application/json", &render::json(&zones))
}

/// Whether `Accept` likes one of the formats that a Prometheus server asks for better than JSON
/// (RFC 9110 §12.5.1).
fn prefers_text(request: Request) -> bool {
    let (mut text, mut json) = (0.0, 0.0);
    let accepts = request.headers().filter(|(name, _)| name.eq_ignore_ascii_case(b"accept"));
    for item in accepts.flat_map(|(_, value)| value.split(|b| *b == b',')) {
        let item = String::from_utf8_lossy(item).to_ascii_lowercase();
        let mut parts = item.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default();
        let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
        match media_type {
            "text/plain" | "application/openmetrics-text" => text = f32::max(text, quality),
            "application/json" => json = f32::max(json, quality),
            _ => {}
        }
    }
    text > json
}

thread_local! {
    /// The slots this worker has taken; `None` where a zone had no more.
    static SLOTS: RefCell<Vec<(Zone, Option<Slot<'static>>)>> = const { RefCell::new(Vec::new()) };
}

/// This worker's slot in the zone of a location, if that counts.
pub(crate) fn slot(settings: &Settings) -> Option<Slot<'static>> {
    let zone = settings.zone?;
    SLOTS.with_borrow_mut(|slots| {
        if let Some((_, slot)) = slots.iter().find(|(known, _)| *known == zone) {
            return *slot;
        }
        let slot = Slot::take(zone.words(), process::id(), process::is_alive);
        slots.push((zone, slot));
        slot
    })
}
