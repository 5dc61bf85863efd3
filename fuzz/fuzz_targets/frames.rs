#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ngx_ws_fuzz::frames::run(data));
