//! What the derive refuses, with the messages it gives, and what it accepts.

#[test]
fn everything_that_must_fail_fails_with_our_message() {
    trybuild::TestCases::new().compile_fail("fail/*/*.rs");
}

#[test]
fn everything_accepted_compiles() {
    trybuild::TestCases::new().pass("pass/*.rs");
}
