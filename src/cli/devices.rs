//! `requant devices`: what could fit here.

#[cfg(feature = "gpu")]
use std::time::Instant;

use super::error::CliResult;
#[cfg(feature = "gpu")]
use crate::engine::GpuEngine;
#[cfg(feature = "gpu")]
use crate::engine::gpu::{SelfTest, device};

#[cfg(not(feature = "gpu"))]
pub(super) fn run() -> CliResult {
    say!("{}", super::engine::WITHOUT_GPU);
    say!("auto takes the processor ({} threads)", rayon::current_num_threads());
    Ok(0)
}

#[cfg(feature = "gpu")]
pub(super) fn run() -> CliResult {
    let adapters = device::list();
    if adapters.is_empty() {
        say!("no GPU found (a Vulkan, Metal or DirectX 12 driver would show here)");
    }
    for adapter in &adapters {
        let limits = &adapter.limits;
        say!("{}  {} · {} · {} · {}", adapter.index, adapter.name, adapter.kind, adapter.backend, adapter.driver);
        say!(
            "   workgroup memory {} KiB · {} invocations · largest binding {} MiB · {} storage buffers",
            limits.max_compute_workgroup_storage_size / 1024,
            limits.max_compute_invocations_per_workgroup,
            limits.max_storage_buffer_binding_size >> 20,
            limits.max_storage_buffers_per_shader_stage
        );
        say!("   {}", verdict(adapter));
    }
    match device::automatic(&adapters) {
        Some(index) => say!("auto takes {index}"),
        None => say!("auto takes the processor ({} threads)", rayon::current_num_threads()),
    }
    Ok(0)
}

/// What the self-test says of an adapter.
#[cfg(feature = "gpu")]
fn verdict(adapter: &device::AdapterSummary) -> String {
    if let Some(lacks) = &adapter.lacks {
        return format!("cannot be used: {lacks}");
    }
    let started = Instant::now();
    let test = match GpuEngine::open_untested(adapter.index).and_then(|engine| SelfTest::run(&engine)) {
        Ok(test) => test,
        Err(error) => return format!("cannot be used: {error}"),
    };
    match test.fault() {
        Some(fault) => format!("self-test failed: {fault}"),
        None => format!(
            "self-test passed: amplitudes within {:.4} standard deviations of the native engine ({:.1} s, shaders compiled)",
            test.worst_sd,
            started.elapsed().as_secs_f64()
        ),
    }
}
