//! Slots, what becomes of them, and how their sums are shown.

use super::*;

fn memory(slots: usize) -> Vec<AtomicU64> {
    (0..SLOT * slots).map(|_| AtomicU64::new(0)).collect()
}

const ALL_ALIVE: fn(u64) -> bool = |_| true;

#[test]
fn processes_have_slots_of_their_own_and_sums_are_right() {
    let words = memory(3);
    let a = Slot::take(&words, 10, ALL_ALIVE).unwrap();
    let b = Slot::take(&words, 11, ALL_ALIVE).unwrap();
    assert!(Slot::take(&words, 12, ALL_ALIVE).is_none(), "all are taken");

    a.add(Counter::TextIn, 2);
    b.add(Counter::TextIn, 3);
    a.change(Gauge::Sockets, 1);
    b.change(Gauge::Sockets, 2);
    b.change(Gauge::Sockets, -1);
    a.closed(Side::Client, 1000);
    a.closed(Side::Server, 4711);
    for ms in [0, 1, 2, 30, 20_000] {
        b.took(ms);
    }

    let sum = Snapshot::take(&words, ALL_ALIVE);
    assert_eq!(sum.counter(Counter::TextIn), 5);
    assert_eq!(sum.counter(Counter::TextOut), 0);
    assert_eq!(sum.gauge(Gauge::Sockets), 2);
    assert_eq!(sum.closed(Side::Client).next(), Some((Some(1000), 1)));
    assert_eq!(sum.closed(Side::Server).last(), Some((None, 1)));
    let latency: Vec<_> = sum.latency().cumulative().collect();
    assert_eq!(latency[..3], [(1, 2), (2, 3), (5, 3)]);
    assert_eq!(latency.last(), Some(&(10_000, 4)));
    assert_eq!((sum.latency().count(), sum.latency().sum()), (5, 20_033));
}

#[test]
fn counts_survive_a_dead_process_and_gauges_do_not() {
    let words = memory(2);
    let dead = Slot::take(&words, 10, ALL_ALIVE).unwrap();
    dead.add(Counter::Accepted, 7);
    dead.change(Gauge::Sockets, 7);

    let alive = |pid| pid != 10;
    let sum = Snapshot::take(&words, alive);
    assert_eq!((sum.counter(Counter::Accepted), sum.gauge(Gauge::Sockets)), (7, 0));

    let next = Slot::take(&words, 11, alive).unwrap();
    next.add(Counter::Accepted, 1);
    next.change(Gauge::Sockets, 1);
    let sum = Snapshot::take(&words, alive);
    assert_eq!((sum.counter(Counter::Accepted), sum.gauge(Gauge::Sockets)), (8, 1));
}

#[test]
fn prometheus_format() {
    let words = memory(2);
    let slot = Slot::take(&words, 10, ALL_ALIVE).unwrap();
    slot.add(Counter::Accepted, 3);
    slot.took(40);
    let text = render::prometheus(&[("a\"b".to_owned(), Snapshot::take(&words, ALL_ALIVE))]);
    for line in [
        "# TYPE ws_sockets gauge",
        "ws_sockets{zone=\"a\\\"b\"} 0",
        "ws_handshakes_total{zone=\"a\\\"b\",status=\"101\"} 3",
        "ws_closed_total{zone=\"a\\\"b\",side=\"server\",code=\"1000\"} 0",
        "ws_rest_request_duration_seconds_bucket{zone=\"a\\\"b\",le=\"0.025\"} 0",
        "ws_rest_request_duration_seconds_bucket{zone=\"a\\\"b\",le=\"0.05\"} 1",
        "ws_rest_request_duration_seconds_bucket{zone=\"a\\\"b\",le=\"10\"} 1",
        "ws_rest_request_duration_seconds_bucket{zone=\"a\\\"b\",le=\"+Inf\"} 1",
        "ws_rest_request_duration_seconds_sum{zone=\"a\\\"b\"} 0.04",
        "ws_rest_request_duration_seconds_count{zone=\"a\\\"b\"} 1",
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\n{text}");
    }
}

#[test]
fn json_format() {
    let words = memory(2);
    let slot = Slot::take(&words, 10, ALL_ALIVE).unwrap();
    slot.change(Gauge::Sockets, 2);
    slot.closed(Side::Server, 1001);
    let text = render::json(&[("main".to_owned(), Snapshot::take(&words, ALL_ALIVE))]);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["main"]["sockets"]["active"], 2);
    assert_eq!(value["main"]["closed"], serde_json::json!({"server": {"1001": 1}, "client": {}}));
}
