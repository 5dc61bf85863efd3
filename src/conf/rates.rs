//! `ws_message_rate`, `ws_message_zone`, `ws_message_limit`: how many messages may pass.

use nginx_sys::ngx_command_t;

use super::location::LocationConf;
use super::row::{
    ANYWHERE, Block, HTTP, Logged, SOME, Set, THREE, Wrong, directives, each, once, wrong,
};
use super::zones::{self, Use};
use crate::nginx::complex_value::ComplexValue;
use crate::nginx::config::{self, Conf, block};
use crate::proto::rate::Action;
use crate::proto::rate::bucket::{MAX_BURST, Rate};
use crate::settings::rates::{MessageZone, RateSettings, SharedLimit, SocketRate};

directives! {
    /// How many messages may pass.
    struct RateConf at block.location.rates of LocationConf;

    inherited c"ws_message_rate",  ANYWHERE | SOME, rate: SocketRate,          once(read_rate);
    inherited c"ws_message_limit", ANYWHERE | SOME, limits: Vec<MessageLimit>, each(read_limit);
}

/// `ws_message_zone` says nothing of a block: all that it says hangs on the zone.
pub(super) const ZONE: &[ngx_command_t] = &[block::row(c"ws_message_zone", HTTP | THREE, {
    const SET: Set = define;
    &SET
})];

/// `ws_message_limit`.
#[derive(Clone, Debug)]
pub(super) struct MessageLimit {
    zone: Use<MessageZone>,
    burst: u32,
    action: Option<Action>,
}

pub(super) fn complete(location: &LocationConf, cf: Conf) -> Result<RateSettings, Logged> {
    let shared = location.rates.limits.iter().flatten().map(|limit| {
        let zone = limit.zone.resolve(cf)?;
        let rate = zone.kind.rate.with_burst(limit.burst);
        Ok(SharedLimit { zone, rate, action: limit.action })
    });
    Ok(RateSettings { own: location.rates.rate, shared: shared.collect::<Result<_, _>>()? })
}

/// The tail of `ws_message_rate` and `ws_message_limit`: `[burst=n] [close|delay|reject]`.
fn tail<'a>(args: impl Iterator<Item = &'a str>) -> Result<(u32, Option<Action>), Wrong> {
    let (mut burst, mut action) = (None, None);
    for arg in args {
        let parsed = match arg {
            "close" => Some(Action::Close),
            "delay" => Some(Action::Delay),
            "reject" => Some(Action::Reject),
            _ => None,
        };
        let number = arg.strip_prefix("burst=").and_then(|number| number.parse::<u32>().ok());
        let number = number.filter(|n| u64::from(*n) <= MAX_BURST);
        if parsed.is_some() && action.is_none() {
            action = parsed;
        } else if number.is_some() && burst.is_none() {
            burst = number;
        } else {
            return wrong(format!(
                "invalid parameter \"{arg}\": expected burst=0 to burst=60000, close, delay or reject"
            ));
        }
    }
    Ok((burst.unwrap_or(0), action))
}

fn parse_rate(text: &str) -> Result<Rate, Wrong> {
    Rate::parse(text).map_or_else(
        || wrong(format!("invalid rate \"{text}\": expected a rate such as 20r/s or 30r/m")),
        Ok,
    )
}

/// `ws_message_rate rate [burst=n] [close|delay|reject];`
fn read_rate(block: &mut Block<'_>) -> Result<SocketRate, Wrong> {
    let rate = parse_rate(block.cf.text_arg())?;
    let (burst, action) = tail(block.cf.text_args().skip(1))?;
    Ok(SocketRate { rate: rate.with_burst(burst), action: action.unwrap_or(Action::Delay) })
}

/// `ws_message_zone key zone=name:size rate=rate;`
fn define(block: &mut Block<'_>) -> Result<(), Wrong> {
    let (mut zone, mut rate) = (None, None);
    for arg in block.cf.text_args().skip(1) {
        if let Some(definition) = arg.strip_prefix("zone=") {
            zone = Some(definition);
        } else if let Some(text) = arg.strip_prefix("rate=") {
            rate = Some(parse_rate(text)?);
        } else {
            return wrong(format!("invalid parameter \"{arg}\""));
        }
    }
    let (Some(zone), Some(rate)) = (zone, rate) else {
        return wrong("needs zone=name:size and rate=rate");
    };
    let Some((name, size)) = zone.split_once(':').filter(|(name, _)| !name.is_empty()) else {
        return wrong(format!("invalid zone \"{zone}\": expected name:size"));
    };
    let Some(size) = config::parse_size(size.as_bytes()) else {
        return wrong(format!("invalid zone size \"{size}\""));
    };
    let key = ComplexValue::compile(block.cf, block.cf.arg()).ok_or(Wrong::Logged)?;
    zones::define(block, name.as_bytes(), size, MessageZone { key, rate })?;
    Ok(())
}

/// `ws_message_limit zone=name [burst=n] [close|delay|reject];`
fn read_limit(block: &mut Block<'_>) -> Result<MessageLimit, Wrong> {
    let first = block.cf.text_arg();
    let Some(name) = first.strip_prefix("zone=").filter(|name| !name.is_empty()) else {
        return wrong(format!("invalid parameter \"{first}\": expected zone=name"));
    };
    let (burst, action) = tail(block.cf.text_args().skip(1))?;
    if block.location.rates.limits.iter().flatten().any(|limit| limit.zone.name() == name) {
        return wrong(format!("repeats the zone \"{name}\""));
    }
    let zone = Use::new(block, name.as_bytes())?;
    Ok(MessageLimit { zone, burst, action })
}
