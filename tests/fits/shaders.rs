//! The table of stages: the build validates every shader; here is what only the host knows of them.

use std::mem::offset_of;

use requant::engine::gpu::sizes::{FFT_LENGTHS, fft_threads};
use requant::engine::gpu::stage::{Access, Family, NamedBuffer, Stage, Threads, fit, requests};
use requant::fit::peers::remote;

#[test]
fn a_round_has_every_stage_of_a_fit_once() {
    let mut round = Stage::ROUND.to_vec();
    round.push(Stage::Compact);
    round.sort();
    assert_eq!(round, Family::Fit.stages().collect::<Vec<_>>());
}

#[test]
fn every_buffer_has_the_binding_of_its_name() {
    assert_eq!(fit::Buffer::ALL.len(), Family::Fit.bindings().len());
    assert_eq!(requests::Buffer::ALL.len(), Family::Requests.bindings().len());
    assert_eq!(fit::Buffer::BandFids.binding().name, "band_fids");
    assert_eq!(fit::Buffer::Slots.binding().access, Access::Uniform);
    assert_eq!(fit::Buffer::Data.binding().access, Access::Read);
    assert_eq!(fit::Buffer::Scalars.binding().stride as usize, size_of::<fit::Scalars>());
    assert_eq!(requests::Buffer::Gram.binding().access, Access::ReadWrite);
}

#[test]
fn requests_are_read_as_the_host_writes_them() {
    macro_rules! same {
        ($type:ident: $($field:ident)*) => {
            assert_eq!(size_of::<requests::$type>(), size_of::<remote::$type>());
            $(assert_eq!(offset_of!(requests::$type, $field), offset_of!(remote::$type, $field), stringify!($field));)*
        };
    }
    same!(Member: fid takes_shape group damping shift_hz gauss amplitude);
    same!(Job: form members which shape column_a column_b scale);
}

#[test]
fn transforms_are_shared_out_whole() {
    for n in FFT_LENGTHS {
        let (threads, each) = fft_threads(n).unwrap();
        assert_eq!((threads * each) as usize, n);
        assert!(each >= 4 && threads <= 256);
        assert_eq!(Stage::Observe.threads().at(n), threads);
    }
    assert_eq!(Stage::Normal.threads(), Threads::Fixed(64));
    for n in [0, 64, 100, 1000, 8192] {
        assert!(fft_threads(n).is_none(), "{n}");
    }
}

#[test]
fn sources_begin_with_the_solver_s_constants() {
    for stage in Stage::ALL {
        let source = stage.source(1024);
        assert!(source.contains("const FFT_N: u32 = 1024u;") && source.contains("const MAX_LAMBDA: f32 = 1e8f;"));
    }
}
