//! `requant devices`: what could fit here.

#[cfg(feature = "gpu")]
use std::time::Instant;

use clap::Args;

#[cfg(feature = "gpu")]
use super::error::CliError;
use super::error::CliResult;
#[cfg(feature = "gpu")]
use super::json::print_json;
#[cfg(feature = "gpu")]
use crate::engine::GpuEngine;
#[cfg(feature = "gpu")]
use crate::engine::gpu::{SelfTest, device};

/// Arguments of `requant devices`.
#[derive(Args, Debug)]
pub(super) struct DevicesArgs {
    /// Print JSON: `devices` (index, name, kind, backend, driver, is_software, workgroup_memory_bytes,
    /// largest_binding_bytes, passed, verdict) and `auto`, the index of the one that `--engine auto` takes
    #[arg(long)]
    json: bool,
    /// Check and time one GPU, in at most five minutes: agreement with the native engine, spectra per second against batch
    /// and problem size, time by stage beside counted work. Markdown, to be sent or kept
    #[arg(long, conflicts_with = "json")]
    check: bool,
    /// Number of the GPU to check [default: the one that auto takes, else a software rasteriser]
    #[arg(long, value_name = "N", requires = "check")]
    gpu: Option<usize>,
}

#[cfg(not(feature = "gpu"))]
pub(super) fn run(args: &DevicesArgs) -> CliResult {
    if args.json {
        super::json::print_json(&serde_json::json!({ "devices": [], "auto": null }))?;
        return Ok(0);
    }
    if args.check {
        return Err(super::error::CliError::new(2, anyhow::anyhow!("{}", super::engine::WITHOUT_GPU)));
    }
    say!("{}", super::engine::WITHOUT_GPU);
    say!("auto takes the processor ({} threads)", rayon::current_num_threads());
    Ok(0)
}

#[cfg(feature = "gpu")]
pub(super) fn run(args: &DevicesArgs) -> CliResult {
    let adapters = device::list();
    if args.json {
        let devices: Vec<serde_json::Value> = adapters.iter().map(described).collect();
        let auto = device::automatic(&adapters);
        print_json(&serde_json::json!({ "devices": devices, "auto": auto }))?;
        return Ok(0);
    }
    if args.check {
        return check(&adapters, args.gpu);
    }
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
        say!("   {}", verdict(adapter).1);
    }
    match device::automatic(&adapters) {
        Some(index) => say!("auto takes {index}"),
        None => say!("auto takes the processor ({} threads)", rayon::current_num_threads()),
    }
    Ok(0)
}

/// Checks one adapter.
#[cfg(feature = "gpu")]
fn check(adapters: &[device::AdapterSummary], asked: Option<usize>) -> CliResult {
    let index = asked.or_else(|| device::automatic(adapters)).or_else(|| device::software(adapters));
    let Some(adapter) = index.and_then(|index| adapters.iter().find(|a| a.index == index)) else {
        let what = asked.map_or("no GPU found".to_owned(), |n| format!("no GPU has number {n}"));
        return Err(CliError::new(2, anyhow::anyhow!("{what}: `requant devices` lists what there is")));
    };
    Ok(super::device_check::run(adapter)?)
}

#[cfg(feature = "gpu")]
fn described(adapter: &device::AdapterSummary) -> serde_json::Value {
    let (passed, verdict) = verdict(adapter);
    serde_json::json!({
        "index": adapter.index,
        "name": adapter.name,
        "kind": adapter.kind,
        "backend": adapter.backend,
        "driver": adapter.driver,
        "is_software": adapter.is_software,
        "workgroup_memory_bytes": adapter.limits.max_compute_workgroup_storage_size,
        "largest_binding_bytes": adapter.limits.max_storage_buffer_binding_size,
        "passed": passed,
        "verdict": verdict,
    })
}

/// Whether an adapter passed the self-test, and what that says.
#[cfg(feature = "gpu")]
fn verdict(adapter: &device::AdapterSummary) -> (bool, String) {
    if let Some(lacks) = &adapter.lacks {
        return (false, format!("cannot be used: {lacks}"));
    }
    let started = Instant::now();
    let test = match GpuEngine::open_untested(adapter.index).and_then(|engine| SelfTest::run(&engine)) {
        Ok(test) => test,
        Err(error) => return (false, format!("cannot be used: {error}")),
    };
    match test.fault() {
        Some(fault) => (false, format!("self-test failed: {fault}")),
        None => (
            true,
            format!(
                "self-test passed: amplitudes within {:.4} standard deviations of the native engine ({:.1} s, shaders compiled)",
                test.worst_sd,
                started.elapsed().as_secs_f64()
            ),
        ),
    }
}
