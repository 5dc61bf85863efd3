//! The command line.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

pub(crate) const USAGE: &str = "usage: load PORT PATH [http] [deflate] [connections=1] [depth=1] \
    [size=20] [message=TEXT] [expect=TEXT] [warm=0] [messages=1000] [hold=SECONDS] [pids=1,2]";

/// What to send where.
pub(crate) struct Options {
    /// Always loopback.
    pub(crate) address: SocketAddrV4,
    pub(crate) path: String,
    /// Plain keep-alive requests instead of messages.
    pub(crate) http: bool,
    /// Offer permessage-deflate and send compressed messages.
    pub(crate) deflate: bool,
    pub(crate) connections: u32,
    /// Messages under way on each connection.
    pub(crate) depth: u32,
    pub(crate) message: Vec<u8>,
    /// Every reply has to contain it; without it, a reply has to be the message.
    pub(crate) expect: Option<String>,
    /// Messages before anything is measured; at least one on each connection.
    pub(crate) warm_up: u32,
    pub(crate) messages: u32,
    /// How long the connections idle before memory is read a last time.
    pub(crate) hold: Duration,
    /// The processes that make up the server.
    pub(crate) pids: Vec<u32>,
}

impl Options {
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let port = number(&args.next().ok_or(USAGE)?)?;
        let mut options = Self {
            address: SocketAddrV4::new(Ipv4Addr::LOCALHOST, port),
            path: args.next().ok_or(USAGE)?,
            http: false,
            deflate: false,
            connections: 1,
            depth: 1,
            message: text(20),
            expect: None,
            warm_up: 0,
            messages: 1000,
            hold: Duration::ZERO,
            pids: Vec::new(),
        };
        for arg in args {
            let (name, value) = arg.split_once('=').unwrap_or((&arg, ""));
            match name {
                "http" => options.http = true,
                "deflate" => options.deflate = true,
                "connections" => options.connections = number(value)?,
                "depth" => options.depth = number(value)?,
                "size" => options.message = text(number(value)?),
                "message" => options.message = value.into(),
                "expect" => options.expect = Some(value.into()),
                "warm" => options.warm_up = number(value)?,
                "messages" => options.messages = number(value)?,
                "hold" => options.hold = Duration::from_secs(number(value)?),
                "pids" => options.pids = value.split(',').map(number).collect::<Result<_, _>>()?,
                _ => return Err(format!("unknown option \"{arg}\"; {USAGE}")),
            }
        }
        if options.connections == 0 || options.depth == 0 {
            return Err("connections and depth start at 1".into());
        }
        options.warm_up = options.warm_up.max(options.connections);
        Ok(options)
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("bad number \"{text}\"; {USAGE}"))
}

/// Text that compresses about as well as small JSON records do.
fn text(size: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut text = Vec::with_capacity(size + 64);
    while text.len() < size {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text.extend(format!("{{\"id\":{},\"name\":\"n{:x}\"}},", state >> 12, state >> 8).bytes());
    }
    text.truncate(size);
    text
}
