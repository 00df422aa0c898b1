#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tracebook_fuzz::http::grpc(input));
