//! Tables of header values: what is agreed, what is declined, what is no list of extensions.

use proptest::prelude::*;

use super::*;

/// What is answered to header lines under a policy: a value, `declined` or `malformed`.
fn answer(policy: Policy, lines: &[&str]) -> String {
    match negotiate(lines.iter().map(|line| line.as_bytes()), &policy) {
        Ok(Some(agreement)) => {
            let value = agreement.header_value();
            value.strip_prefix("permessage-deflate").expect("the name comes first").to_owned()
        }
        Ok(None) => "declined".to_owned(),
        Err(Malformed) => "malformed".to_owned(),
    }
}

const DEFAULT: Policy = Policy { window_bits: 15, context_takeover: false };
const NEITHER: &str = "; server_no_context_takeover; client_no_context_takeover";

#[test]
fn what_common_clients_offer_is_accepted() {
    const CASES: &[(&str, &str)] = &[
        ("Chromium", "permessage-deflate; client_max_window_bits"),
        ("Firefox", "permessage-deflate"),
        ("gorilla", "permessage-deflate; server_no_context_takeover; client_no_context_takeover"),
        ("ws", "permessage-deflate; client_max_window_bits"),
        (
            "websocket-sharp",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        ),
    ];
    for (client, offer) in CASES {
        assert_eq!(answer(DEFAULT, &[offer]), NEITHER, "{client}");
    }
}

#[test]
fn what_is_agreed_under_each_policy() {
    let takeover = |window_bits| Policy { window_bits, context_takeover: true };
    let small = Policy { window_bits: 10, ..DEFAULT };
    const P: &str = "permessage-deflate";
    let cases: &[(Policy, &str, &str)] = &[
        // (policy, parameters offered, parameters of the response)
        (DEFAULT, "server_no_context_takeover", NEITHER),
        (DEFAULT, "client_no_context_takeover", NEITHER),
        // A server window that was not asked for need not be told.
        (small, "client_max_window_bits", NEITHER),
        (small, "client_max_window_bits=9", NEITHER),
        (
            small,
            "server_max_window_bits=15",
            "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10",
        ),
        (
            small,
            "server_max_window_bits=9",
            "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9",
        ),
        (
            DEFAULT,
            "server_max_window_bits=15",
            "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=15",
        ),
        (takeover(15), "client_max_window_bits", ""),
        (takeover(15), "client_max_window_bits=15", ""),
        (takeover(15), "client_max_window_bits=8", "; client_max_window_bits=8"),
        (takeover(15), "server_no_context_takeover", "; server_no_context_takeover"),
        (takeover(15), "client_no_context_takeover", "; client_no_context_takeover"),
        (
            takeover(15),
            "client_no_context_takeover; client_max_window_bits=9",
            "; client_no_context_takeover",
        ),
        (takeover(12), "client_max_window_bits", "; client_max_window_bits=12"),
        (takeover(12), "client_max_window_bits=15", "; client_max_window_bits=12"),
        (takeover(12), "client_max_window_bits=10", "; client_max_window_bits=10"),
        (
            takeover(12),
            "server_max_window_bits=14; client_max_window_bits",
            "; server_max_window_bits=12; client_max_window_bits=12",
        ),
        // Its window cannot be limited, so the client must not refer to earlier messages.
        (
            takeover(12),
            "server_max_window_bits=12",
            "; client_no_context_takeover; server_max_window_bits=12",
        ),
    ];
    for (policy, offered, response) in cases {
        let offer = format!("{P}; {offered}");
        assert_eq!(answer(*policy, &[&offer]), *response, "{offered} under {policy:?}");
    }
    assert_eq!(answer(takeover(15), &[P]), "");
    assert_eq!(answer(takeover(14), &[P]), "; client_no_context_takeover");
}

#[test]
fn the_fields_say_what_the_header_says() {
    let agreement =
        |policy, value: &str| negotiate([value.as_bytes()].into_iter(), &policy).unwrap().unwrap();
    let policy = Policy { window_bits: 12, context_takeover: true };

    let remembered = agreement(policy, "permessage-deflate; client_max_window_bits=10");
    assert!(remembered.server_takeover && remembered.client_takeover);
    assert_eq!((remembered.server_window_bits, remembered.client_window_bits), (12, 10));

    let asked = agreement(policy, "permessage-deflate; server_max_window_bits=9");
    assert!(asked.server_takeover && !asked.client_takeover);
    assert_eq!((asked.server_window_bits, asked.client_window_bits), (9, 15));

    let default = agreement(DEFAULT, "permessage-deflate; client_max_window_bits=10");
    assert!(!default.server_takeover && !default.client_takeover);
    assert_eq!((default.server_window_bits, default.client_window_bits), (15, 15));
}

#[test]
fn an_offer_with_any_fault_is_declined() {
    const PARAMETERS: &[&str] = &[
        "unknown",
        "unknown=1",
        "mode=\"fast\"",
        "Server_No_Context_Takeover",
        "server_no_context_takeover=true",
        "server_no_context_takeover=\"15\"",
        "client_no_context_takeover=1",
        "server_no_context_takeover; server_no_context_takeover",
        "client_no_context_takeover; client_no_context_takeover",
        "server_max_window_bits=10; server_max_window_bits=10",
        "client_max_window_bits; client_max_window_bits",
        "client_max_window_bits; client_max_window_bits=10",
        "server_max_window_bits",
        "server_max_window_bits=8", // legal, but we cannot keep to it
        "server_max_window_bits=7",
        "server_max_window_bits=16",
        "server_max_window_bits=09",
        "server_max_window_bits=010",
        "server_max_window_bits=0",
        "server_max_window_bits=1",
        "server_max_window_bits=100",
        "server_max_window_bits=+9",
        "server_max_window_bits=-9",
        "server_max_window_bits=9.0",
        "server_max_window_bits=0x9",
        "client_max_window_bits=7",
        "client_max_window_bits=16",
        "client_max_window_bits=08",
        "client_max_window_bits=ten",
        "client_max_window_bits=4294967304", // 8 modulo 2^32
    ];
    for parameters in PARAMETERS {
        let bad = format!("permessage-deflate; {parameters}");
        for context_takeover in [false, true] {
            let policy = Policy { window_bits: 15, context_takeover };
            assert_eq!(answer(policy, &[&bad]), "declined", "{bad}");
        }
        // The next offer of the client is still good, in the same line or in another.
        let both = format!("{bad}, permessage-deflate");
        assert_eq!(answer(DEFAULT, &[&both]), NEITHER, "{both}");
        assert_eq!(answer(DEFAULT, &[&bad, "permessage-deflate"]), NEITHER, "{bad}");
    }
}

#[test]
fn the_first_offer_we_can_serve_wins() {
    let with = |bits: &str| format!("{NEITHER}; server_max_window_bits={bits}");
    let d = "permessage-deflate";
    let cases: &[(&[String], String)] = &[
        (
            &[format!("{d}; server_max_window_bits=10, {d}; server_max_window_bits=12, {d}")],
            with("10"),
        ),
        (&[format!("{d}; server_max_window_bits=8, {d}; server_max_window_bits=9")], with("9")),
        (&[format!("x-webkit-deflate-frame, {d}; server_max_window_bits=11")], with("11")),
        (
            &[
                "permessage-bzip2; level=9".to_owned(),
                format!("{d}; server_max_window_bits=13"),
                d.to_owned(),
            ],
            with("13"),
        ),
        (&["permessage-bzip2".to_owned()], "declined".to_owned()),
        (&["PERMESSAGE-DEFLATE".to_owned()], "declined".to_owned()),
        (&[], "declined".to_owned()),
    ];
    for (lines, response) in cases {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        assert_eq!(answer(DEFAULT, &lines), *response, "{lines:?}");
    }
}

#[test]
fn spellings_that_mean_the_same() {
    const LINES: &[&[&str]] = &[
        &["permessage-deflate;server_max_window_bits=10"],
        &["permessage-deflate ; server_max_window_bits = 10"],
        &["\tpermessage-deflate\t;\tserver_max_window_bits\t=\t10\t"],
        &["permessage-deflate; server_max_window_bits=\"10\""],
        &["permessage-deflate; server_max_window_bits=\"\\1\\0\" "],
        &["permessage-deflate; server_max_window_bits=\"1\\0\""],
        &[", ,permessage-deflate; server_max_window_bits=10,, "],
        &["", "permessage-deflate; server_max_window_bits=10", ","],
        &["a;b;c=d;e=\"f\\g\",permessage-deflate; server_max_window_bits=10"],
    ];
    for lines in LINES {
        let expected = format!("{NEITHER}; server_max_window_bits=10");
        assert_eq!(answer(DEFAULT, lines), expected, "{lines:?}");
    }
}

#[test]
fn what_is_no_list_of_extensions_fails_the_handshake() {
    const LINES: &[&[&str]] = &[
        &[""],
        &[" ", ",\t,"],
        &[";"],
        &["permessage-deflate;"],
        &["permessage-deflate;;client_max_window_bits"],
        &["permessage-deflate; ,foo"],
        &["; client_max_window_bits"],
        &["=8"],
        &["permessage-deflate=8"],
        &["permessage-deflate client_max_window_bits"],
        &["permessage-deflate; client_max_window_bits="],
        &["permessage-deflate; client_max_window_bits=,foo"],
        &["permessage-deflate; client_max_window_bits=8=8"],
        &["permessage-deflate; client_max_window_bits==8"],
        &["permessage-deflate; client_max_window_bits=\"\""],
        &["permessage-deflate; client_max_window_bits=\"8"],
        &["permessage-deflate; client_max_window_bits=\"8\\\""],
        &["permessage-deflate; client_max_window_bits=\"8\"9"],
        &["permessage-deflate; client_max_window_bits=8\"9\""],
        &["permessage-deflate; client_max_window_bits=\" 8\""],
        &["permessage-deflate; client_max_window_bits=\"8 \""],
        &["permessage-deflate; client_max_window_bits=\"8,9\""],
        &["permessage-deflate; client_max_window_bits=\"\\\\\""],
        &["permessage-deflate; \"client_max_window_bits\""],
        &["\"permessage-deflate\""],
        &["permessage/deflate"],
        &["permessage-deflate; (comment)"],
        &["permessage-d\u{e9}flate"],
        &["permessage-deflate\0"],
        &["permessage-deflate; x=\u{7f}"],
        // The fault may be in another extension, or come after what would have been agreed.
        &["foo bar, permessage-deflate"],
        &["permessage-deflate, foo;"],
        &["permessage-deflate", "foo=\"bar\""],
    ];
    for lines in LINES {
        assert_eq!(answer(DEFAULT, lines), "malformed", "{lines:?}");
    }
}

#[test]
fn a_policy_out_of_range_is_brought_into_it() {
    for (window_bits, used) in [(0, 9), (8, 9), (16, 15), (255, 15)] {
        let policy = Policy { window_bits, context_takeover: true };
        let agreement = negotiate([&b"permessage-deflate"[..]].into_iter(), &policy);
        assert_eq!(agreement.unwrap().unwrap().server_window_bits, used);
    }
}

/// Bytes of the grammar, or its words, in any order.
fn line() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("permessage-deflate".to_owned()),
        "; ?(server|client)_no_context_takeover",
        "; ?(server|client)_max_window_bits(=(8|9|1[0-5]|\"1[0-5]\"|[0-9]{0,2}))?",
        Just(", ".to_owned()),
    ];
    prop_oneof![
        "[ \\t,;=\"\\\\a-c0-9\\x00\\xff]{0,40}",
        proptest::collection::vec(word.clone(), 0..8).prop_map(|words| words.concat()),
        proptest::collection::vec(word, 0..3)
            .prop_map(|words| format!("permessage-deflate{}", words.concat())),
    ]
}

proptest! {
    #[test]
    fn any_bytes_have_an_answer(
        lines in proptest::collection::vec(line(), 0..3),
        window_bits: u8,
        takeover: bool,
    ) {
        let policy = Policy { window_bits, context_takeover: takeover };
        if let Ok(Some(agreement)) = negotiate(lines.iter().map(|l| l.as_bytes()), &policy) {
            prop_assert!((9..=15).contains(&agreement.server_window_bits));
            prop_assert!((8..=15).contains(&agreement.client_window_bits));
            prop_assert!(takeover || !agreement.server_takeover && !agreement.client_takeover);
            // Our own answer reads as one extension whose parameters are legal.
            let own = agreement.header_value();
            prop_assert!(negotiate([own.as_bytes()].into_iter(), &policy).unwrap().is_some());
        }
    }
}
