//! placeholder
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs, reason = "tests")]
use requant::engine::gpu::{device, GpuEngine};

#[test]
fn opens() {
    let engine = GpuEngine::open_untested(0).unwrap();
    println!("{:?}", requant::engine::gpu::SelfTest::run(&engine));
    println!("{:?}", engine.notes());
}
