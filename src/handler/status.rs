//! `ws_status`: the counters of zones, as JSON or for Prometheus.

use core::slice;

use nginx_sys::{NGX_ERROR, ngx_int_t};

use crate::metrics::{Snapshot, render};
use crate::nginx::content::Content;
use crate::nginx::exhausted::Exhausted;
use crate::nginx::process;
use crate::nginx::request::Request;
use crate::settings::status::Format;
use crate::settings::{self, Settings};

/// The content of `ws_status`.
pub(crate) struct Status;

impl Content for Status {
    fn serve(request: Request) -> ngx_int_t {
        let Some(settings) = settings::of(request) else { return NGX_ERROR as ngx_int_t };
        if !request.is_get() && !request.is_head() {
            return 405;
        }
        show(request, settings).unwrap_or(500)
    }
}

fn show(request: Request, settings: &Settings) -> Result<ngx_int_t, Exhausted> {
    let Some(status) = &settings.status else { return Ok(404) };
    let all = &settings.http.counter_zones;
    let zones: Vec<_> = status
        .zone
        .as_ref()
        .map_or(&**all, slice::from_ref)
        .iter()
        .map(|zone| (zone.name().to_owned(), Snapshot::take(zone.words(), process::is_alive)))
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
