//! Parity of two engines in units of the Cramér–Rao bound, and the real spectra that it is measured on.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used, clippy::panic, reason = "test support")]

use std::fmt;
use std::path::Path;

use num_complex::Complex64;
use requant::basis::{BasisSet, FirstPoint};
use requant::engine::{Batch, CpuEngine, Engine, Fitted};
use requant::fit::map::{self, Settings};
use requant::fit::{FitState, Method, Model};
use requant::formats;

use super::common::data;

/// Most that amplitudes may differ (CRLB): for 99 % of them, and for all. f32 iterations end where f64 ones do to
/// a thousandth of a CRLB; what is left is a last step that one engine took and the other did not.
const MOST_CRLB: f64 = 0.02;
const ALL_CRLB: f64 = 0.1;
/// Most that standard deviations may differ (relative): both come in f64 from the host, at parameters that differ
/// as above.
const SD: f64 = 0.005;

/// What a test changes in one engine's results, to see that the harness notices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sabotage {
    Amplitude,
    State,
    Error,
}

#[derive(Debug, Default)]
pub struct Agreement {
    pub n_spectra: usize,
    pub n_other_states: usize,
    /// 99 % of the amplitudes differ by less (CRLB).
    pub most: f64,
    /// All amplitudes differ by less (CRLB).
    pub all: f64,
    /// All standard deviations differ by less (relative).
    pub sd: f64,
    pub iterations: (f64, f64),
    /// The spectrum whose amplitudes or errors differ most, and its iterations on both.
    pub worst: (usize, usize, usize),
    /// The first spectrum that ends in another state: its number and both states.
    pub first_other: Option<(usize, FitState, FitState)>,
}

impl Agreement {
    pub fn holds(&self) -> bool {
        self.n_other_states == 0 && self.most <= MOST_CRLB && self.all <= ALL_CRLB && self.sd <= SD
    }
}

impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} spectra · {} other states · 99 % within {:.5} CRLB, all within {:.5} · sd within {:.1e} · iterations {:.1}, {:.1} · worst number {}, {} and {} iterations",
            self.n_spectra,
            self.n_other_states,
            self.most,
            self.all,
            self.sd,
            self.iterations.0,
            self.iterations.1,
            self.worst.0,
            self.worst.1,
            self.worst.2
        )?;
        match self.first_other {
            Some((number, native, other)) => write!(f, " · number {number} ends as {native:?} and {other:?}"),
            None => Ok(()),
        }
    }
}

impl Sabotage {
    pub fn of(self, fitted: &[Fitted]) -> Vec<Fitted> {
        let mut fitted = fitted.to_vec();
        let victim = &mut fitted[0].result;
        match self {
            Self::Amplitude => victim.amplitudes[0].value += 0.2 * victim.amplitudes[0].sd_noise,
            Self::State => victim.state = FitState::Singular,
            Self::Error => victim.amplitudes[1].sd_posterior *= 1.01,
        }
        fitted
    }
}

/// Fits `batch` on the native engine and on `engine`.
pub fn compare(batch: &Batch<'_>, engine: &dyn Engine) -> Agreement {
    let other = engine.fit(batch);
    assert!(other.iter().all(|f| f.engine == engine.kind()), "done elsewhere: {:?}", engine.notes());
    agreement(&CpuEngine.fit(batch), &other)
}

/// How far the fits of another engine are from those of the native one.
pub fn agreement(native: &[Fitted], other: &[Fitted]) -> Agreement {
    assert_eq!(native.len(), other.len());
    let mut out = Agreement { n_spectra: native.len(), ..Agreement::default() };
    let mut differences = Vec::new();
    let mut most_of_bounds = 0.0;
    for (number, (a, b)) in native.iter().zip(other).enumerate() {
        let (a, b) = (&a.result, &b.result);
        if a.state != b.state {
            out.n_other_states += 1;
            out.first_other.get_or_insert((number, a.state, b.state));
        }
        out.iterations.0 += a.n_iterations as f64 / native.len() as f64;
        out.iterations.1 += b.n_iterations as f64 / native.len() as f64;
        assert_eq!(a.amplitudes.len(), b.amplitudes.len());
        for (x, y) in a.amplitudes.iter().zip(&b.amplitudes) {
            let crlb = x.sd_noise.min(x.sd_posterior);
            let difference = ((x.value - y.value) / crlb).abs();
            assert!(difference.is_finite(), "{}: {x:?} {y:?}", x.name);
            differences.push(difference);
            let errors = [(x.sd_noise, y.sd_noise), (x.sd_posterior, y.sd_posterior)];
            let sd = errors.iter().fold(0.0_f64, |most, (s, t)| most.max((s / t - 1.0).abs()));
            out.sd = out.sd.max(sd);
            let of_bounds = (difference / ALL_CRLB).max(sd / SD);
            if of_bounds > most_of_bounds {
                most_of_bounds = of_bounds;
                out.worst = (number, a.n_iterations, b.n_iterations);
            }
        }
    }
    differences.sort_by(f64::total_cmp);
    out.most = differences[(differences.len() * 99 / 100).min(differences.len() - 1)];
    out.all = *differences.last().unwrap();
    out
}

/// The ISMRM fitting challenge of 2016, as `requant run` fits it.
pub fn challenge() -> (Model, Vec<Vec<Complex64>>) {
    let folder = data().join("challenge2016");
    let basis = referenced(&folder.join("basis/press3T_30ms.BASIS"));
    let model =
        Model::from(map::Model::new(&basis, 2048, 2.5e-4, 123.2, Some(0.03), &Settings::map().unwrap()).unwrap());
    let numbers = [1, 2, 4, 5, 7, 9, 11, 12, 14, 15, 16, 18, 19, 21];
    (model, numbers.iter().map(|i| fid(&folder.join(format!("lcmodel/dataset{i}.RAW")))).collect())
}

/// A set of `benchmark/`, as `requant run` fits it.
pub fn benchmark(set: &str, basis: &str, method: &Method) -> (Model, Vec<Vec<Complex64>>) {
    let basis = referenced(&data().join(basis));
    let folder = data().join("benchmark").join(set);
    let mut subjects: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with("sub-")))
        .collect();
    subjects.sort();
    let files = subjects.iter().map(|s| {
        let name = s.file_name().unwrap().to_string_lossy().into_owned();
        let mut all = std::fs::read_dir(s.join("mrs")).unwrap().map(|e| e.unwrap().path());
        all.find(|p| p.to_string_lossy().contains("_svs.nii")).unwrap_or_else(|| panic!("{name}: no spectrum"))
    });
    let files: Vec<_> = files.collect();
    let first = formats::read(&files[0]).unwrap();
    let (n, dwell_s, f0_mhz) = (first.n_points(), first.facts.dwell_s.unwrap(), first.facts.f0_mhz.unwrap());
    let model = method.model(&basis, n, dwell_s, f0_mhz, first.facts.te_s).unwrap();
    (model, files.iter().map(|f| fid(f)).collect())
}

fn referenced(path: &Path) -> BasisSet {
    let set = BasisSet::read(path).unwrap().with_first_point(FirstPoint::Full);
    if set.offset_ppm().is_some_and(|o| o.abs() > 0.01) { set.referenced() } else { set }
}

fn fid(path: &Path) -> Vec<Complex64> {
    formats::read(path).unwrap().samples.iter().collect()
}
