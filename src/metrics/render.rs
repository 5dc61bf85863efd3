//! Snapshots as JSON and in Prometheus' text format, version 0.0.4.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::{Counter, Gauge, Side, Snapshot};

/// A metric of Prometheus: name, type, help, and its samples as labels and counters.
struct Family {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    samples: &'static [(&'static str, Counter)],
}

/// The counters that are plain; gauges, close codes and the histogram are written by themselves.
const FAMILIES: &[Family] = &[
    Family {
        name: "ws_handshakes_total",
        kind: "counter",
        help: "Handshakes by the status of their answer.",
        samples: &[
            ("status=\"101\"", Counter::Accepted),
            ("status=\"400\"", Counter::BadRequest),
            ("status=\"403\"", Counter::Forbidden),
            ("status=\"405\"", Counter::NotAllowed),
            ("status=\"426\"", Counter::UpgradeRequired),
            ("status=\"500\"", Counter::HandshakeFailed),
        ],
    },
    Family {
        name: "ws_messages_total",
        kind: "counter",
        help: "Whole data messages.",
        samples: &[
            ("direction=\"in\",type=\"text\"", Counter::TextIn),
            ("direction=\"in\",type=\"binary\"", Counter::BinaryIn),
            ("direction=\"out\",type=\"text\"", Counter::TextOut),
            ("direction=\"out\",type=\"binary\"", Counter::BinaryOut),
        ],
    },
    Family {
        name: "ws_message_bytes_total",
        kind: "counter",
        help: "Payload bytes of data messages, before compression.",
        samples: &[
            ("direction=\"in\",type=\"text\"", Counter::TextBytesIn),
            ("direction=\"in\",type=\"binary\"", Counter::BinaryBytesIn),
            ("direction=\"out\",type=\"text\"", Counter::TextBytesOut),
            ("direction=\"out\",type=\"binary\"", Counter::BinaryBytesOut),
        ],
    },
    Family {
        name: "ws_rest_requests_total",
        kind: "counter",
        help: "Requests of messages by the class of their status.",
        samples: &[
            ("status=\"2xx\"", Counter::Rest2xx),
            ("status=\"3xx\"", Counter::Rest3xx),
            ("status=\"4xx\"", Counter::Rest4xx),
            ("status=\"5xx\"", Counter::Rest5xx),
            ("status=\"failed\"", Counter::RestFailed),
            ("status=\"refused\"", Counter::RestRefused),
        ],
    },
    Family {
        name: "ws_limited_messages_total",
        kind: "counter",
        help: "Messages over a rate by what became of them.",
        samples: &[
            ("action=\"delay\"", Counter::LimitDelayed),
            ("action=\"reject\"", Counter::LimitRejected),
            ("action=\"close\"", Counter::LimitClosed),
        ],
    },
    Family {
        name: "ws_slow_readers_total",
        kind: "counter",
        help: "Sockets dropped because the client did not read.",
        samples: &[("", Counter::SlowReaders)],
    },
];

const GAUGES: &[(&str, Gauge, &str)] = &[
    ("ws_sockets", Gauge::Sockets, "Open sockets."),
    ("ws_rest_requests_active", Gauge::Requests, "Requests of messages under way."),
    ("ws_draining_workers", Gauge::Draining, "Workers that are shutting down."),
];

/// The exposition of zones, each under the label `zone`.
pub fn prometheus(zones: &[(String, Snapshot)]) -> String {
    let mut out = String::new();
    let label = |zone: &str, more: &str| {
        // Names of zones are what an operator wrote; quotes and backslashes need care.
        let zone = zone.replace('\\', "\\\\").replace('"', "\\\"");
        if more.is_empty() { format!("zone=\"{zone}\"") } else { format!("zone=\"{zone}\",{more}") }
    };
    for (name, gauge, help) in GAUGES {
        head(&mut out, name, "gauge", help);
        for (zone, snapshot) in zones {
            let _ = writeln!(out, "{name}{{{}}} {}", label(zone, ""), snapshot.gauge(*gauge));
        }
    }
    for Family { name, kind, help, samples } in FAMILIES {
        head(&mut out, name, kind, help);
        for (zone, snapshot) in zones {
            for (labels, counter) in *samples {
                let value = snapshot.counter(*counter);
                let _ = writeln!(out, "{name}{{{}}} {value}", label(zone, labels));
            }
        }
    }

    let name = "ws_closed_total";
    head(
        &mut out,
        name,
        "counter",
        "Ended sockets by the side that ended them and the close code.",
    );
    for (zone, snapshot) in zones {
        for (side, text) in SIDES {
            for (code, n) in snapshot.closed(side) {
                let code = code.map_or("other".to_owned(), |code| code.to_string());
                let labels = format!("side=\"{text}\",code=\"{code}\"");
                let _ = writeln!(out, "{name}{{{}}} {n}", label(zone, &labels));
            }
        }
    }

    let name = "ws_rest_request_duration_seconds";
    head(&mut out, name, "histogram", "How long requests of messages took.");
    for (zone, snapshot) in zones {
        let latency = snapshot.latency();
        for (ms, n) in latency.cumulative() {
            let le = format!("le=\"{}\"", seconds(ms));
            let _ = writeln!(out, "{name}_bucket{{{}}} {n}", label(zone, &le));
        }
        let count = latency.count();
        let _ = writeln!(out, "{name}_bucket{{{}}} {count}", label(zone, "le=\"+Inf\""));
        let _ = writeln!(out, "{name}_sum{{{}}} {}", label(zone, ""), seconds(latency.sum()));
        let _ = writeln!(out, "{name}_count{{{}}} {count}", label(zone, ""));
    }
    out
}

/// The same as one JSON object, a member per zone.
pub fn json(zones: &[(String, Snapshot)]) -> String {
    let object: Map<String, Value> =
        zones.iter().map(|(name, snapshot)| (name.clone(), zone(snapshot))).collect();
    format!("{:#}\n", Value::Object(object))
}

fn zone(s: &Snapshot) -> Value {
    let n = |counter| s.counter(counter);
    let closed = |side| -> Map<String, Value> {
        s.closed(side)
            .filter(|(_, n)| *n > 0)
            .map(|(code, n)| (code.map_or("other".to_owned(), |c| c.to_string()), n.into()))
            .collect()
    };
    let latency = s.latency();
    // Pairs, because members of an object have no order.
    let buckets: Vec<Value> = latency.cumulative().map(|(ms, n)| json!([ms, n])).collect();
    json!({
        "sockets": { "active": s.gauge(Gauge::Sockets), "total": n(Counter::Accepted) },
        "handshakes": {
            "101": n(Counter::Accepted),
            "400": n(Counter::BadRequest),
            "403": n(Counter::Forbidden),
            "405": n(Counter::NotAllowed),
            "426": n(Counter::UpgradeRequired),
            "500": n(Counter::HandshakeFailed),
        },
        "messages": {
            "in": { "text": n(Counter::TextIn), "binary": n(Counter::BinaryIn) },
            "out": { "text": n(Counter::TextOut), "binary": n(Counter::BinaryOut) },
        },
        "bytes": {
            "in": { "text": n(Counter::TextBytesIn), "binary": n(Counter::BinaryBytesIn) },
            "out": { "text": n(Counter::TextBytesOut), "binary": n(Counter::BinaryBytesOut) },
        },
        "closed": { "server": closed(Side::Server), "client": closed(Side::Client) },
        "rest": {
            "active": s.gauge(Gauge::Requests),
            "2xx": n(Counter::Rest2xx),
            "3xx": n(Counter::Rest3xx),
            "4xx": n(Counter::Rest4xx),
            "5xx": n(Counter::Rest5xx),
            "failed": n(Counter::RestFailed),
            "refused": n(Counter::RestRefused),
            "duration_ms": { "count": latency.count(), "sum": latency.sum(), "le": buckets },
        },
        "limited": {
            "delay": n(Counter::LimitDelayed),
            "reject": n(Counter::LimitRejected),
            "close": n(Counter::LimitClosed),
        },
        "slow_readers": n(Counter::SlowReaders),
        "draining_workers": s.gauge(Gauge::Draining),
    })
}

const SIDES: [(Side, &str); 2] = [(Side::Server, "server"), (Side::Client, "client")];

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// Milliseconds as seconds, without a rounding error.
fn seconds(ms: u64) -> String {
    let text = format!("{}.{:03}", ms / 1000, ms % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
