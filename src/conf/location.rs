//! What is said in a block, and what a location amounts to with all that is said around it.

use core::ffi::CStr;

use nginx_sys::ngx_http_handler_pt;

use super::calls::{self, CallConf};
use super::http::HttpConf;
use super::rates::{self, RateConf};
use super::row::{Logged, Topic};
use super::socket::{self, SocketConf};
use super::zones::{self, ZoneConf};
use crate::handler::status::Status;
use crate::handler::upgrade::Upgrade;
use crate::nginx::config::block::Said;
use crate::nginx::config::{Conf, Place};
use crate::nginx::content;
use crate::nginx::log::Level;
use crate::settings::Settings;

/// What is said in one block.
#[derive(Debug, Default)]
pub(crate) struct LocationConf {
    pub(super) socket: SocketConf,
    pub(super) calls: CallConf,
    pub(super) rates: RateConf,
    pub(super) zones: ZoneConf,
}

pub(super) const CONFLICT: &str = "conflicts with another content handler of this location";

/// The directive that makes a location ours, where it stands, and what nginx is to call.
type Owner<'l> = (&'static CStr, &'l Place, ngx_http_handler_pt);

impl LocationConf {
    fn inherit(&mut self, around: &Self, same_location: bool) {
        let Self { socket, calls, rates, zones } = self;
        socket.inherit(&around.socket, same_location);
        calls.inherit(&around.calls, same_location);
        rates.inherit(&around.rates, same_location);
        zones.inherit(&around.zones, same_location);
    }

    fn socket_owner(&self) -> Option<Owner<'_>> {
        let echo = self.socket.echo.as_ref().map(|place| (c"ws_echo", place));
        let (name, place) = echo.or_else(|| self.calls.owner())?;
        Some((name, place, content::handler::<Upgrade>()))
    }

    fn owner(&self) -> Option<Owner<'_>> {
        let status = self.zones.status.as_ref();
        self.socket_owner()
            .or(status.map(|(_, place)| (c"ws_status", place, content::handler::<Status>())))
    }
}

impl Said for LocationConf {
    type Http = HttpConf;
    type Settings = Settings;

    fn complete_http(cf: Conf, http: &mut HttpConf) -> Result<(), Logged> {
        http.complete(cf)
    }

    fn complete(&mut self, cf: Conf, http: &HttpConf, around: &Self) -> Result<Settings, Logged> {
        // The inside of an `if` is a location without a name; it keeps the handler around it.
        let same_location = cf.is_nameless() && !cf.has_content_handler();
        self.inherit(around, same_location);
        if let Some((name, place, handler)) = self.owner() {
            if same_location {
                cf.set_content_handler(handler);
            }
            // A directive behind ours may have taken the location for its own module.
            if !cf.is_content_handler(handler) {
                cf.log_at(Level::Emerg, name, format_args!("{CONFLICT}"), place);
                return Err(Logged);
            }
        }
        if let Some((_, place, _)) = self.socket_owner() {
            socket::warn(self, cf, place);
        }
        let http_settings = http.settings().ok_or(Logged)?;
        Ok(Settings {
            socket: socket::complete(self),
            rest: calls::complete(self, http_settings),
            rates: rates::complete(self, cf)?,
            zone: zones::complete_zone(self, http, cf)?,
            status: zones::complete_status(self, cf)?,
            http: http_settings.clone(),
        })
    }
}
