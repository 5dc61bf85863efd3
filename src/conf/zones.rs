//! Zones of shared memory by their names; `ws_zone`, `ws_status`: where is counted, and where it is
//! shown.

use core::ffi::CStr;

use super::http::HttpConf;
use super::location::{CONFLICT, LocationConf};
use super::row::{
    ANYWHERE, Block, LOCATION, Logged, NONE, ONE_OR_TWO, Wrong, directives, once, perhaps, wrong,
};
use crate::handler::status::Status;
use crate::nginx::config::{self, Conf, Place};
use crate::nginx::content;
use crate::nginx::log::Level;
use crate::nginx::shm::{BadZone, Kind, Reference, Zone};
use crate::settings::http::CounterZone;
use crate::settings::status::{Format, StatusSettings};

directives! {
    /// Where is counted, and what is shown of it.
    struct ZoneConf at block.location.zones of LocationConf;

    inherited c"ws_zone",   ANYWHERE | ONE_OR_TWO,        zone: Use<CounterZone>,             perhaps(read_zone);
    own       c"ws_status", LOCATION | NONE | ONE_OR_TWO, status: (StatusConf, Place),     once(read_status);
}

/// `ws_status`.
#[derive(Clone, Debug)]
pub(super) struct StatusConf {
    zone: Option<Use<CounterZone>>,
    format: Format,
}

/// A zone as a directive names it.
#[derive(Clone, Debug)]
pub(super) struct Use<K> {
    zone: Reference<K>,
    name: String,
    directive: &'static CStr,
    place: Place,
}

impl<K: Kind> Use<K> {
    /// The zone may be defined later, but it must be.
    pub(super) fn new(block: &mut Block<'_>, name: &[u8]) -> Result<Self, Wrong> {
        let zone = Reference::new(block.cf, name);
        let name = String::from_utf8_lossy(name).into_owned();
        let Ok(zone) = zone else {
            let kind = K::mark().0;
            return wrong(format!("cannot use zone \"{name}\" as a {kind}"));
        };
        let used = Self { zone, name, directive: block.name, place: block.cf.place() };
        let check = used.clone();
        block.http.checks.push(Box::new(move |cf| check.resolve(cf).map(drop)));
        Ok(used)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The zone, when all directives are read.
    pub(super) fn resolve(&self, cf: Conf) -> Result<&'static Zone<K>, Logged> {
        self.zone.resolve().ok_or_else(|| {
            // As nginx would say later, but with the directive and its place.
            let (name, kind, directive) =
                (&self.name, K::mark().0, self.directive.to_string_lossy());
            cf.log(
                Level::Emerg,
                format_args!(
                    "zero size shared memory zone \"{name}\": \"{directive}\" needs a {kind} in {}",
                    self.place
                ),
            );
            Logged
        })
    }
}

/// Defines a zone.
pub(super) fn define<K: Kind>(
    block: &mut Block<'_>,
    name: &[u8],
    size: u64,
    kind: K,
) -> Result<&'static Zone<K>, Wrong> {
    Zone::define(block.cf, name, size, kind).or_else(|why| {
        let name = String::from_utf8_lossy(name);
        wrong(match why {
            BadZone::TooSmall => format!("zone \"{name}\" is too small"),
            BadZone::Taken => format!("zone \"{name}\" is already defined"),
            BadZone::Refused => format!("cannot define zone \"{name}\" as a {}", K::mark().0),
        })
    })
}

/// Where sockets of the location are counted: the only zone there is, if nothing is said.
pub(super) fn complete_zone(
    location: &LocationConf,
    http: &HttpConf,
    cf: Conf,
) -> Result<Option<&'static Zone<CounterZone>>, Logged> {
    match (&location.zones.zone, &*http.counter_zones) {
        (Some(zone), _) => zone.resolve(cf).map(Some),
        (None, [only]) => Ok(Some(only)),
        (None, _) => Ok(None),
    }
}

pub(super) fn complete_status(
    location: &LocationConf,
    cf: Conf,
) -> Result<Option<StatusSettings>, Logged> {
    let Some((status, _)) = &location.zones.status else { return Ok(None) };
    let zone = status.zone.as_ref().map(|zone| zone.resolve(cf)).transpose()?;
    Ok(Some(StatusSettings { zone, format: status.format }))
}

/// `ws_zone name [size];`
fn read_zone(block: &mut Block<'_>) -> Result<Option<Use<CounterZone>>, Wrong> {
    let name = block.cf.arg();
    let Some(size) = block.cf.args().nth(1) else {
        // This block counts there.
        return Use::new(block, name).map(Some);
    };
    if !block.cf.is_http_block() {
        return wrong("defines a zone outside of the http block");
    }
    let Some(bytes) = config::parse_size(size.as_bytes()) else {
        return wrong(format!("invalid size \"{size}\": expected a size such as 64k or 1m"));
    };
    let zone = define(block, name, bytes, CounterZone)?;
    block.http.counter_zones.push(zone);
    Ok(None)
}

/// `ws_status [zone] [json|prometheus];`
fn read_status(block: &mut Block<'_>) -> Result<(StatusConf, Place), Wrong> {
    let (mut zone, mut format) = (None, None);
    for arg in block.cf.args() {
        let parsed = match arg.as_bytes() {
            b"json" => Some(Format::Json),
            b"prometheus" => Some(Format::Prometheus),
            _ => None,
        };
        match parsed {
            Some(_) if format.is_some() => return wrong("names two formats"),
            Some(_) => format = parsed,
            None if zone.is_some() => return wrong(format!("invalid parameter \"{arg}\"")),
            None => zone = Some(Use::new(block, arg.as_bytes())?),
        }
    }
    if block.cf.has_content_handler() {
        return wrong(CONFLICT);
    }
    block.cf.set_content_handler(content::handler::<Status>());
    let format = format.unwrap_or(Format::Negotiated);
    Ok((StatusConf { zone, format }, block.cf.place()))
}
