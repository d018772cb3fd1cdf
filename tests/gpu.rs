//! Parity of the engines, and what the GPU engine does when things go wrong.
//!
//! One body runs on every adapter that there is. Without an adapter the tests show as ignored; with
//! `REQUANT_REQUIRE_GPU` set (continuous integration) they fail instead.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs, reason = "tests")]

mod common;
#[path = "common/parity.rs"]
mod parity;
#[path = "common/stages.rs"]
mod stages;

use libtest_mimic::{Arguments, Failed, Trial};
use num_complex::Complex64;
use requant::engine::gpu::device;
use requant::engine::{Batch, CpuEngine, Engine, EngineKind, Fitted, GpuEngine, Task};
use requant::fit::map::settings::{Macromolecules, RatioPriors, Smoothness};
use requant::fit::map::{self, Settings};
use requant::fit::sample::settings::{SamplingSettings, Uncertainty};
use requant::fit::{FitState, Method, Model};

use common::{DWELL_S, F0_MHZ, N_POINTS, Nuisance, basis, spectrum};
use parity::{Sabotage, agreement, compare};

/// A test on the adapter of that number.
type Body = fn(usize);

fn main() {
    let arguments = Arguments::from_args();
    let adapters = device::list();
    let required = std::env::var_os("REQUANT_REQUIRE_GPU").is_some();
    let tests: [(&str, Body); 21] = [
        ("gpu_self_test_passes", self_test_passes),
        ("gpu_parity_over_settings", parity_over_settings),
        ("gpu_parity_harness_can_fail", parity_harness_can_fail),
        ("gpu_components_of_one_spectrum_begin_with_amplitudes", components_of_one_spectrum),
        ("gpu_any_batch_and_chunk_size_give_the_same_bits", any_batch_and_chunk_size),
        ("gpu_a_tiny_problem", a_tiny_problem),
        ("gpu_forty_protocols_together_are_what_each_is_alone", forty_protocols),
        ("gpu_faulty_spectra_touch_no_other", faulty_spectra),
        ("gpu_a_lost_device_costs_nothing_but_time", a_lost_device),
        ("gpu_what_the_shaders_cannot_do_is_done_on_the_processor", unsupported_models),
        ("gpu_methods_of_every_kind_in_one_batch", methods_together),
        ("gpu_methods_that_decide_on_the_host_in_any_batch", methods_in_any_batch),
        ("gpu_draws_follow_the_native_ones", draws_follow),
        ("gpu_every_stage_agrees_with_its_twin", every_stage_agrees),
        ("gpu_a_constant_changed_on_one_side_is_noticed", changed_constants),
        ("real_gpu_every_stage_agrees_with_its_twin", real_every_stage_agrees),
        ("real_gpu_parity_challenge", real_parity_challenge),
        ("real_gpu_parity_of_methods", real_parity_of_methods),
        ("real_gpu_parity_voigt", |i| real_parity("voigt", "lcmodel-test/3t.basis", |_| {}, i)),
        ("real_gpu_parity_hard", |i| real_parity("hard", "lcmodel-test/3t.basis", |_| {}, i)),
        ("real_gpu_parity_shift", |i| {
            real_parity("shift", "basis/lcmodel/press_30ms_3T.basis", without_knowledge, i);
        }),
    ];
    let trial = |name: String, body: fn(usize), index: Option<usize>| {
        Trial::test(name, move || match index {
            Some(index) => {
                body(index);
                Ok(())
            }
            None => Err(Failed::from("no adapter: install a Vulkan driver (mesa-vulkan-drivers has a software one)")),
        })
        .with_ignored_flag(index.is_none() && !required)
    };
    let trials = tests.into_iter().flat_map(|(name, body)| match adapters.len() {
        0 => vec![trial(name.to_owned(), body, None)],
        n => (0..n).map(|i| trial(format!("{name}::adapter_{i}"), body, Some(i))).collect(),
    });
    let trials = trials.collect();
    libtest_mimic::run(&arguments, trials).exit();
}

fn without_knowledge(settings: &mut Settings) {
    settings.components.macromolecules = Macromolecules::None;
    settings.components.lipids = false;
    settings.priors.ratios = RatioPriors::None;
}

fn engine(index: usize) -> GpuEngine {
    GpuEngine::open_untested(index).unwrap()
}

fn spectra(n: usize) -> Vec<Vec<Complex64>> {
    (0..n)
        .map(|i| {
            let x = i as f64;
            spectrum(Nuisance {
                shift_hz: (x * 0.7).sin() * 6.0,
                phi0_rad: (x * 1.3).sin(),
                lorentz_hz: 1.0 + (x * 0.37).sin().abs() * 3.0,
                gauss_hz: 3.0 + (x * 0.53).cos().abs() * 5.0,
                noise_sd: 0.3 + 0.1 * (i % 7) as f64,
                seed: 100 + i as u64,
            })
        })
        .collect()
}

/// The same with a third of each line 6 Hz away: shim that splits lines.
fn split(fid: &[Complex64]) -> Vec<Complex64> {
    let other = |i: usize| Complex64::from_polar(1.0 / 3.0, std::f64::consts::TAU * 6.0 * DWELL_S * i as f64);
    fid.iter().enumerate().map(|(i, z)| z * (other(i) + 2.0 / 3.0)).collect()
}

fn without_kernel(settings: &mut Settings) {
    settings.priors.kernel_scale = 0.0;
}

fn model_with(change: impl FnOnce(&mut Settings)) -> Model {
    let mut settings = Settings::map().unwrap();
    change(&mut settings);
    Model::from(map::Model::new(&basis(), N_POINTS, DWELL_S, F0_MHZ, Some(0.03), &settings).unwrap())
}

fn batch<'a>(model: &'a Model, fids: &'a [Vec<Complex64>]) -> Batch<'a> {
    Batch::of(model, fids.iter().map(Vec::as_slice))
}

/// Everything that a fit returns, by its bits.
fn bits(fitted: &[Fitted]) -> Vec<(FitState, usize, Vec<u64>)> {
    let of = |f: &Fitted| f.result.amplitudes.iter().map(|a| a.value.to_bits()).collect();
    fitted.iter().map(|f| (f.result.state, f.result.n_iterations, of(f))).collect()
}

fn self_test_passes(index: usize) {
    GpuEngine::open(Some(index)).unwrap();
}

fn parity_over_settings(index: usize) {
    let engine = engine(index);
    let fids = spectra(10);
    type Change = fn(&mut Settings);
    let settings: [(&str, Change); 7] = [
        ("map", |_| {}),
        ("no kernel", without_kernel),
        ("no priors of knowledge", without_knowledge),
        // Beside so flexible a baseline a kernel is anything: 0.06 CRLB with one.
        ("fixed smoothness", |s| {
            s.baseline.smoothness = Smoothness::Fixed(50.0);
            without_kernel(s);
        }),
        ("no baseline", |s| s.baseline.splines_per_ppm = 0.0),
        ("lineshape", |s| {
            s.priors.skew_sd = 0.3;
            s.priors.flatness_sd = 0.3;
        }),
        ("every peak", |s| s.components.macromolecules = Macromolecules::Peaks),
    ];
    let model = model_with(|_| {});
    let split: Vec<_> = fids.iter().map(|fid| split(fid)).collect();
    let all = settings.iter().map(|(name, change)| (*name, model_with(change), &fids));
    for (name, model, fids) in all.chain([("split lines", model, &split)]) {
        let agreement = compare(&batch(&model, fids), &engine);
        println!("{name}: {agreement}");
        assert!(agreement.holds(), "{name}: {agreement}");
    }
}

/// The harness sees a spectrum that is wrong by a fifth of a CRLB in one amplitude.
fn parity_harness_can_fail(index: usize) {
    let model = model_with(|_| {});
    let fids = spectra(3);
    let engine = engine(index);
    let (native, device) = (CpuEngine.fit(&batch(&model, &fids)), engine.fit(&batch(&model, &fids)));
    assert!(agreement(&native, &device).holds());
    for sabotage in [Sabotage::Amplitude, Sabotage::State, Sabotage::Error] {
        let agreement = agreement(&native, &sabotage.of(&device));
        assert!(!agreement.holds(), "{sabotage:?} was not noticed: {agreement}");
    }
}

/// The linear problem at the start, which soft rows do not hold together yet, has no factor: a fit that began without amplitudes
/// would count as one without signal. What no row holds together has none later either: that is left to the processor.
fn components_of_one_spectrum(index: usize) {
    let twice = |names: [&str; 3], again: [&str; 3]| {
        let mut basis = basis();
        let twice = names.map(|name| basis.position(name).unwrap());
        let rows: Vec<usize> = (0..basis.metabolites.len()).chain(twice).collect();
        basis.fids = basis.fids.select(ndarray::Axis(0), &rows);
        basis.metabolites.extend(again.map(str::to_owned));
        let settings = Settings::map().unwrap();
        Model::from(map::Model::new(&basis, N_POINTS, DWELL_S, F0_MHZ, Some(0.03), &settings).unwrap())
    };
    let (engine, fids) = (engine(index), spectra(6));
    let held = twice(["GABA", "Lac", "Ins"], ["Asp", "Tau", "Glc"]);
    let native = CpuEngine.fit(&batch(&held, &fids));
    for (i, (device, native)) in engine.fit(&batch(&held, &fids)).iter().zip(&native).enumerate() {
        assert_eq!((device.engine, device.result.state), (EngineKind::Gpu, FitState::Converged), "{i}");
        assert_eq!(native.result.state, FitState::Converged, "{i}");
        let [found, expected] = [device, native].map(|fit| fit.result.chi2_reduced);
        assert!((found / expected - 1.0).abs() < 0.01, "{i}: {found}, {expected}");
    }
    let untold = twice(["Glu", "Ins", "NAA"], ["Gln", "sIns", "NAAG"]);
    assert_eq!(engine.fit(&batch(&untold, &fids[..1]))[0].engine, EngineKind::Cpu);
}

fn any_batch_and_chunk_size(index: usize) {
    let model = model_with(|_| {});
    let fids = spectra(9);
    let whole = bits(&engine(index).fit(&batch(&model, &fids)));
    for chunk in [1, 2, 5] {
        let cut = bits(&engine(index).with_chunk(chunk).fit(&batch(&model, &fids)));
        assert!(whole == cut, "chunks of {chunk}");
    }
    let one = bits(&engine(index).fit(&batch(&model, &fids[4..5])));
    assert!(one[0] == whole[4], "a batch of one");
    assert!(bits(&engine(index).fit(&batch(&model, &fids))) == whole, "a second run");
}

/// K 3, N 256, in batches of several sizes. A software rasteriser needs half a minute for a thousand: how many at
/// most is settable, and 20,000 were run once (`benches/GPU.md`).
fn a_tiny_problem(index: usize) {
    let mut tiny = basis();
    tiny.metabolites.truncate(3);
    tiny.fids = tiny.fids.slice(ndarray::s![..3, ..]).to_owned();
    let mut settings = Settings::map().unwrap();
    without_knowledge(&mut settings);
    settings.baseline.splines_per_ppm = 4.0;
    // Every second sample: a spectral width of 2 kHz.
    let dwell_s = 2.0 * DWELL_S;
    let model = Model::from(map::Model::new(&tiny, 256, dwell_s, F0_MHZ, None, &settings).unwrap());
    let some: Vec<Vec<Complex64>> =
        spectra(16).into_iter().map(|fid| fid.into_iter().step_by(2).take(256).collect()).collect();
    let engine = engine(index);
    let once = bits(&engine.fit(&batch(&model, &some)));
    let native = CpuEngine.fit(&batch(&model, &some));
    assert_eq!(once.iter().map(|b| b.0).collect::<Vec<_>>(), native.iter().map(|f| f.result.state).collect::<Vec<_>>());
    let most = std::env::var("REQUANT_TINY_BATCH").ok().and_then(|n| n.parse().ok()).unwrap_or(100);
    for n in [1, 65, most] {
        let many = Batch::of(&model, (0..n).map(|i| some[i % 16].as_slice()));
        let fitted = bits(&engine.fit(&many));
        assert_eq!(fitted.len(), n);
        assert!(fitted.iter().enumerate().all(|(i, f)| *f == once[i % 16]), "a batch of {n}");
    }
    assert!(engine.notes().is_empty(), "{:?}", engine.notes());
}

/// Protocol number `i`: metabolites, samples, frequency, baseline and lineshape of its own.
fn protocol(i: usize) -> Model {
    let mut own = basis();
    let n = 2 + i % 3;
    own.metabolites.truncate(n);
    own.fids = own.fids.slice(ndarray::s![..n, ..]).to_owned();
    let mut settings = Settings::map().unwrap();
    if i % 4 != 1 {
        without_knowledge(&mut settings);
    }
    if i % 5 != 2 {
        without_kernel(&mut settings);
    }
    settings.baseline.splines_per_ppm = [4.0, 3.0, 0.0, 5.0][i % 4];
    let n_points = [256, 240, 512][i % 3];
    let f0_mhz = F0_MHZ + 15e-6 * i as f64;
    Model::from(map::Model::new(&own, n_points, 2.0 * DWELL_S, f0_mhz, Some(0.03), &settings).unwrap())
}

/// Forty protocols in one dispatch, their spectra shuffled: each comes out as it does alone, bit for bit, however many slots
/// there are and whatever was in them before, and as the native engine has it.
fn forty_protocols(index: usize) {
    let models: Vec<Model> = (0..40).map(protocol).collect();
    let wide: Vec<Vec<Complex64>> = spectra(6).into_iter().map(|fid| fid.into_iter().step_by(2).collect()).collect();
    let n_points = |i: usize| [256, 240, 512][i % 3];
    let most = std::env::var("REQUANT_PROTOCOL_SPECTRA").ok().and_then(|n| n.parse().ok()).unwrap_or(2);
    let cut = |i: usize, s: usize| &wide[(i + s) % 6][..n_points(i)];
    let pairs: Vec<(usize, usize)> = (0..most).flat_map(|s| (0..40).map(move |i| (7 * i % 40, s))).collect();
    let tasks = pairs.iter().map(|&(i, s)| Task { model: &models[i], fid: cut(i, s) });
    let together = Batch { tasks: tasks.collect() };
    let engine = engine(index);
    let device = engine.fit(&together);
    assert!(device.iter().all(|fit| fit.engine == EngineKind::Gpu), "{:?}", engine.notes());
    let fitted = bits(&device);
    assert_eq!(fitted.len(), 40 * most);
    for (i, model) in models.iter().enumerate() {
        let alone = bits(&engine.fit(&Batch::of(model, (0..most).map(|s| cut(i, s)))));
        let own = pairs.iter().zip(&fitted).filter(|((of, _), _)| *of == i).map(|(_, fit)| fit);
        assert!(own.eq(alone.iter()), "protocol {i}");
    }
    for slots in [1, 7] {
        let few = Batch { tasks: together.tasks[..40.min(together.tasks.len())].to_vec() };
        let again = bits(&self::engine(index).with_chunk(slots).fit(&few));
        assert!(again == fitted[..few.tasks.len()], "{slots} slots");
    }
    assert!(engine.notes().is_empty(), "{:?}", engine.notes());
    // Problems this small have directions that hardly anything tells: states agree with the native engine's, and how far amplitudes
    // do is printed; parity is held on the sets of real size.
    let agreement = agreement(&CpuEngine.fit(&together), &device);
    println!("{agreement}");
    assert_eq!(agreement.n_other_states, 0, "{agreement}");
}

/// Methods of every kind in one batch: what the device iterates, what asks it, and what it leaves to the processor.
fn methods_together(index: usize) {
    let models = [model_with(|_| {}), method_model("lcmodel-fast"), method_model("varpro"), model_with(without_kernel)];
    let fids = spectra(2);
    let tasks = (0..8).map(|i| Task { model: &models[i % 4], fid: &fids[i / 4] }).collect();
    let engine = engine(index);
    let together = engine.fit(&Batch { tasks });
    let engines = together.iter().map(|fit| fit.engine).collect::<Vec<_>>();
    let expected = [EngineKind::Gpu, EngineKind::Gpu, EngineKind::Cpu, EngineKind::Gpu];
    assert_eq!(engines, [expected, expected].concat(), "{:?}", engine.notes());
    for (i, model) in models.iter().enumerate() {
        let alone = bits(&engine.fit(&batch(model, &fids)));
        let own = bits(&[together[i].clone(), together[4 + i].clone()]);
        assert!(own == alone, "model {i}");
    }
}

fn map_model(model: &Model) -> &map::Model {
    let Model::Map(model) = model else { panic!("a model of map is wanted") };
    model
}

fn every_stage_agrees(index: usize) {
    let model = model_with(|_| {});
    stages::check(map_model(&model), &spectra(3)[2], false, index);
    stages::check(map_model(&model), &split(&spectra(7)[6]), true, index);
    stages::check(map_model(&model_with(without_kernel)), &spectra(3)[2], false, index);
}

fn real_every_stage_agrees(index: usize) {
    let (model, fids) = parity::benchmark("voigt", "lcmodel-test/3t.basis", &Settings::map().unwrap().into());
    stages::check(map_model(&model), &fids[0], false, index);
}

fn changed_constants(index: usize) {
    stages::notices_changed_constants(map_model(&model_with(|_| {})), &spectra(3)[2], index);
}

fn faulty_spectra(index: usize) {
    let model = model_with(|_| {});
    let good = spectra(4);
    let engine = engine(index);
    let alone = bits(&engine.fit(&batch(&model, &good)));
    let mut mixed = good.clone();
    mixed.insert(0, vec![Complex64::new(f64::NAN, 0.0); N_POINTS]);
    mixed.insert(2, vec![Complex64::default(); N_POINTS]);
    let mut one_nan = good[1].clone();
    one_nan[7].im = f64::INFINITY;
    mixed.insert(4, one_nan);
    let fitted = engine.fit(&batch(&model, &mixed));
    assert_eq!(fitted.len(), mixed.len());
    let found = bits(&fitted);
    for faulty in [0, 2, 4] {
        assert_eq!(found[faulty].0, FitState::NoSignal);
    }
    let kept: Vec<_> = [1, 3, 5, 6].map(|i| found[i].clone()).to_vec();
    assert!(kept == alone);
    assert!(engine.fit(&Batch::default()).is_empty());
}

fn a_lost_device(index: usize) {
    let model = model_with(|_| {});
    let fids = spectra(4);
    let engine = engine(index).with_chunk(2);
    let before = bits(&engine.fit(&batch(&model, &fids)));
    engine.lose_device();
    let after = engine.fit(&batch(&model, &fids));
    assert!(bits(&after) == before, "a new device gives the same");
    assert!(after.iter().all(|f| f.engine == EngineKind::Gpu));
    assert_eq!(engine.notes().len(), 1, "{:?}", engine.notes());
    // The adapter is gone for good: the processor does it, and says so.
    engine.forbid_reopening();
    engine.lose_device();
    let native = engine.fit(&batch(&model, &fids));
    assert!(native.iter().all(|f| f.engine == EngineKind::Cpu), "{:?}", engine.notes());
    assert_eq!(bits(&native), bits(&CpuEngine.fit(&batch(&model, &fids))));
}

fn unsupported_models(index: usize) {
    let many = model_with(|s| s.baseline.splines_per_ppm = 60.0);
    let fixed = model_with(|s| s.baseline.smoothness = Smoothness::EdPerPpm(3.0));
    let models: [(Model, &str); 4] = [
        (many, "parameters"),
        (fixed, "effective dimension"),
        (method_model("varpro"), "compare samples"),
        (method_model("osprey"), "the fit before"),
    ];
    for (model, told) in models {
        let fids = spectra(2);
        let engine = engine(index);
        let fitted = engine.fit(&batch(&model, &fids));
        assert!(fitted.iter().all(|f| f.engine == EngineKind::Cpu));
        assert!(engine.notes()[0].contains(told), "{:?}", engine.notes());
    }
}

fn real_parity_challenge(index: usize) {
    let (model, fids) = parity::challenge();
    check(&model, &fids, index);
}

fn real_parity(set: &str, basis: &str, change: fn(&mut Settings), index: usize) {
    let mut settings = Settings::map().unwrap();
    change(&mut settings);
    let (model, fids) = parity::benchmark(set, basis, &settings.into());
    check(&model, &fids, index);
}

/// Methods that search and decide, on as many spectra as a software rasteriser does in seconds.
fn real_parity_of_methods(index: usize) {
    for (name, n_spectra) in [("lcmodel", 3), ("lcmodel-fast", 8), ("fsl", 20), ("abfit", 3), ("abfit-reg", 6)] {
        let method = Method::built_in(name).unwrap().unwrap();
        let (model, mut fids) = parity::benchmark("voigt", "lcmodel-test/3t.basis", &method);
        fids.truncate(n_spectra);
        print!("{name}: ");
        check(&model, &fids, index);
    }
}

fn method_model(name: &str) -> Model {
    let method = Method::built_in(name).unwrap().unwrap();
    method.model(&basis(), N_POINTS, DWELL_S, F0_MHZ, Some(0.03)).unwrap()
}

/// Fits that meet at the device are told apart: in any batch, with faulty ones among them, and when the device is lost.
fn methods_in_any_batch(index: usize) {
    let model = method_model("lcmodel-fast");
    let model = &model;
    let mut fids = spectra(5);
    let whole = bits(&engine(index).fit(&batch(model, &fids)));
    for at_once in [1, 2] {
        let cut = engine(index).with_chunk(at_once).fit(&batch(model, &fids));
        assert!(bits(&cut) == whole && cut.iter().all(|f| f.engine == EngineKind::Gpu), "{at_once} at a time");
    }
    fids[1][7].im = f64::NAN;
    fids[3].fill(Complex64::default());
    let engine = engine(index);
    engine.lose_device();
    let mixed = bits(&engine.fit(&batch(model, &fids)));
    assert_eq!([mixed[1].0, mixed[3].0], [FitState::NoSignal; 2]);
    assert!([0, 2, 4].iter().all(|&i| mixed[i] == whole[i]));
    assert_eq!(engine.notes().len(), 1, "{:?}", engine.notes());
    engine.forbid_reopening();
    engine.lose_device();
    let native = engine.fit(&batch(model, &fids));
    assert!([0, 2, 4].iter().all(|&i| native[i].engine == EngineKind::Cpu), "{:?}", engine.notes());
    assert_eq!(bits(&native), bits(&CpuEngine.fit(&batch(model, &fids))));
}

/// First draws of short chains: the same on either engine until rounding parts them, and in any batch.
fn draws_follow(index: usize) {
    for name in ["lcmodel-fast", "fsl", "abfit-reg"] {
        let Method::Peers(mut settings) = Method::built_in(name).unwrap().unwrap() else { panic!("{name}") };
        settings.uncertainty = Uncertainty::Sample;
        settings.sampling = SamplingSettings { chains: 2, warmup: 2, draws: 4 };
        let method = Method::Peers(settings);
        let model = method.model(&basis(), N_POINTS, DWELL_S, F0_MHZ, Some(0.03)).unwrap();
        let fids = spectra(3);
        let on_device = engine(index).fit(&batch(&model, &fids));
        let alone = engine(index).with_chunk(1).fit(&batch(&model, &fids));
        let native = CpuEngine.fit(&batch(&model, &fids));
        let mut off = Vec::new();
        for ((ours, theirs), again) in on_device.iter().zip(&native).zip(&alone) {
            assert_eq!(ours.engine, EngineKind::Gpu);
            let amplitudes = ours.result.amplitudes.iter().zip(&theirs.result.amplitudes).zip(&again.result.amplitudes);
            for ((a, b), again) in amplitudes {
                let (Some(drawn), Some(expected)) = (&a.sampled, &b.sampled) else { panic!("{name}: no draws") };
                assert_eq!(a.sampled, again.sampled);
                assert_ne!(drawn.mean.to_bits(), expected.mean.to_bits(), "{name}: the device was not asked");
                off.push((drawn.mean - expected.mean).abs() / expected.sd);
            }
        }
        off.sort_by(f64::total_cmp);
        // Where one chain accepts what the other does not, all draws of a spectrum part.
        assert!(off.len() > 30 && off[off.len() / 2] < 0.01, "{name}: {off:?}");
    }
}

fn check(model: &Model, fids: &[Vec<Complex64>], index: usize) {
    let agreement = compare(&batch(model, fids), &engine(index));
    println!("{agreement}");
    assert!(agreement.holds(), "{agreement}");
}
