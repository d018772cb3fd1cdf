//! Every shader is put together and validated without a GPU, and the structures that host and device share
//! have one layout.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::mem::offset_of;

use naga::valid::{Capabilities, ValidationFlags, Validator};
use requant::engine::gpu::layout::{RequestShape, RequestSizes, Scalars, Shape};
use requant::engine::gpu::source::{FILES, FIT_STAGES, REQUEST_STAGES, compose, fft_threads};
use requant::fit::peers::remote::{Job, Member};

/// Workgroup memory that every adapter must have (bytes): what `engine::gpu::device` asks for.
const WORKGROUP_BYTES: u32 = 32768;

fn module(stage: &str, fft_n: usize) -> naga::Module {
    let source = compose(stage, fft_n).unwrap();
    naga::front::wgsl::parse_str(&source).unwrap_or_else(|e| panic!("{stage}: {}", e.emit_to_string(&source)))
}

fn stages() -> impl Iterator<Item = &'static str> {
    FIT_STAGES.into_iter().chain(["compact"]).chain(REQUEST_STAGES)
}

#[test]
fn every_stage_is_valid_at_every_length_and_fits_the_workgroup_memory() {
    for stage in stages() {
        for fft_n in [128, 256, 512, 1024, 2048, 4096] {
            let module = module(stage, fft_n);
            let mut validator = Validator::new(ValidationFlags::all(), Capabilities::empty());
            let source = compose(stage, fft_n).unwrap();
            if let Err(e) = validator.validate(&module) {
                panic!("{stage} at {fft_n}: {}", e.emit_to_string(&source));
            }
            let bytes: u32 = module
                .global_variables
                .iter()
                .filter(|(_, v)| v.space == naga::AddressSpace::WorkGroup)
                .map(|(_, v)| module.types[v.ty].inner.size(module.to_ctx()))
                .sum();
            assert!(bytes <= WORKGROUP_BYTES, "{stage} at {fft_n}: {bytes} bytes of workgroup memory");
        }
    }
}

#[test]
fn every_file_is_used() {
    let all: String = stages().map(|s| compose(s, 1024).unwrap()).collect();
    for (name, text) in FILES {
        let last = text.lines().rfind(|l| l.starts_with("fn ") || l.starts_with("var")).unwrap();
        assert!(all.contains(last), "shaders/{name} is imported by nobody");
    }
    let on_disk = ["shaders", "shaders/shared"]
        .into_iter()
        .flat_map(|d| std::fs::read_dir(d).unwrap())
        .filter(|e| e.as_ref().unwrap().path().extension().is_some_and(|x| x == "wgsl"));
    assert_eq!(on_disk.count(), FILES.len(), "a file in shaders/ is missing in FILES");
}

#[test]
fn shared_structures_have_one_layout() {
    macro_rules! offsets {
        ($type:ident: $($field:ident)*) => { vec![$((stringify!($field), offset_of!($type, $field) as u32)),*] };
    }
    let shape = offsets!(Shape: n_short n_positive first_negative window_offset n_window n_components n_splines n_model
        n_parameters n_columns n_rows max_iterations evidence lineshape work_len vectors_len n_spectra max_ed time
        skew_time flat_time ppm twiddles spline_four spline_values spline_modes roughness shift_precision width_precision
        single_precision prior_diagonal single_mean lower_bound row_terms row_scales row_sd spline_first_bin
        spline_count spline_offset spline_at is_fixed);
    let scalars = offsets!(Scalars: phase iteration attempts passes newton frozen state failed damping variance lambda
        noise_variance predicted variance_before lambda_before cost rss rss_change start_variance unused);
    let sizes = offsets!(RequestSizes: n_requests n_carried origin window_offset stride n_observed parts most_members
        most_columns most_products twiddles time from_pivot);
    let request = offsets!(RequestShape: n_members n_jobs n_baseline n_functions n_columns turns_baseline slopes_only
        members jobs shapes phase data baseline linear);
    let member = offsets!(Member: fid takes_shape group damping shift_hz gauss amplitude);
    let job = offsets!(Job: form members which shape column_a column_b scale);
    for (name, stage, host, size) in [
        ("Shape", "weights", shape, size_of::<Shape>()),
        ("Scalars", "weights", scalars, size_of::<Scalars>()),
        ("RequestSizes", "observe", sizes, size_of::<RequestSizes>()),
        ("RequestShape", "observe", request, size_of::<RequestShape>()),
        ("Member", "observe", member, size_of::<Member>()),
        ("Job", "observe", job, size_of::<Job>()),
    ] {
        let module = module(stage, 1024);
        let (_, found) = module.types.iter().find(|(_, t)| t.name.as_deref() == Some(name)).unwrap();
        let naga::TypeInner::Struct { members, span } = &found.inner else { panic!("{name} is no structure") };
        let device: Vec<(&str, u32)> = members.iter().map(|m| (m.name.as_deref().unwrap(), m.offset)).collect();
        assert_eq!(device, host, "{name}");
        assert_eq!(*span as usize, size, "{name}");
    }
}

#[test]
fn transforms_are_shared_out_whole() {
    for n in [128, 256, 512, 1024, 2048, 4096] {
        let (threads, each) = fft_threads(n).unwrap();
        assert_eq!((threads * each) as usize, n);
        assert!(each >= 4 && threads <= 256);
    }
    for n in [0, 64, 100, 1000, 8192] {
        assert!(fft_threads(n).is_none(), "{n}");
    }
}
