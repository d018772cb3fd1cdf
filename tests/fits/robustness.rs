//! What happens to spectra that no fit should be asked to fit: wrong amplitudes come with a warning.

use num_complex::Complex64;
use requant::engine::{Batch, CpuEngine, Engine};
use requant::fit::Model;
use requant::fit::map::{self, Settings};
use requant::quality::flags;
use requant::simulate::{Corpus, Recipe};

const SUBJECTS: usize = 40;
const USUAL: [(&str, &[&str]); 5] = [
    ("tNAA", &["NAA", "NAAG"]),
    ("tCr", &["Cr", "PCr"]),
    ("tCho", &["GPC", "PCh"]),
    ("Glx", &["Glu", "Gln"]),
    ("Ins", &["Ins"]),
];
/// An amplitude that is off by more than this many of its standard deviations is wrong.
const WRONG: f64 = 4.0;

/// What was done to the spectra, and what became of them.
#[derive(Debug, Default, Clone, Copy)]
struct Outcome {
    /// Amplitudes of the usual five, wrong ones, and wrong ones in spectra without a warning.
    amplitudes: usize,
    wrong: usize,
    silent: usize,
    /// Spectra with a warning.
    warned: usize,
}

fn outcome(change: impl FnOnce(&mut Recipe), shift_ppm: f64, phase_rad: f64) -> Outcome {
    let mut recipe = Recipe::from_toml(Recipe::FIRST_RUN).unwrap();
    recipe.subjects = SUBJECTS;
    recipe.site.truncate(1);
    change(&mut recipe);
    let corpus = Corpus::new(&recipe).unwrap();
    let (site, basis) = (&corpus.sites[0], &corpus.bases[0]);
    let settings = Settings::map().unwrap();
    let te_s = Some(site.sequence.te_s());
    let dwell_s = 1.0 / site.bandwidth_hz;
    let model = Model::from(map::Model::new(basis, site.n_points, dwell_s, site.f0_mhz, te_s, &settings).unwrap());
    let spectra: Vec<_> = (0..SUBJECTS).flat_map(|i| corpus.spectra(i)).collect();
    let moved = |(n, z): (usize, Complex64)| {
        let turn = phase_rad - std::f64::consts::TAU * shift_ppm * site.f0_mhz * dwell_s * n as f64;
        z * Complex64::from_polar(1.0, turn)
    };
    let fids: Vec<Vec<Complex64>> =
        spectra.iter().map(|(_, s)| s.data.samples.iter().enumerate().map(moved).collect()).collect();
    let fits = CpuEngine.fit(&Batch::of(&model, fids.iter().map(Vec::as_slice)));
    let mut out = Outcome::default();
    for ((truth, _), fit) in spectra.iter().zip(&fits) {
        let warns = !flags(&fit.result, model.limits(), site.f0_mhz, model.basis_linewidth_hz()).is_empty();
        out.warned += usize::from(warns);
        for (name, members) in USUAL {
            let value: f64 = members
                .iter()
                .map(|m| truth.concentrations[corpus.metabolites.iter().position(|n| n == m).unwrap()])
                .sum();
            let found = fit.result.amplitude(name).unwrap();
            out.amplitudes += 1;
            if ((found.value - value) / found.sd_posterior).abs() > WRONG {
                out.wrong += 1;
                out.silent += usize::from(!warns);
            }
        }
    }
    out
}

#[test]
fn wrong_amplitudes_come_with_a_warning() {
    type Change = fn(&mut Recipe);
    let nothing: Change = |_| {};
    let cases: [(&str, Change, f64, f64); 9] = [
        ("nothing", nothing, 0.0, 0.0),
        ("0.25 ppm low", nothing, -0.25, 0.0),
        ("0.25 ppm high", nothing, 0.25, 0.0),
        ("turned by 180°", nothing, 0.0, std::f64::consts::PI),
        ("lines of 30 Hz", |r| r.site[0].gauss_hz = [30.0, 30.0], 0.0, 0.0),
        ("SNR 3", |r| r.site[0].snr = [3.0, 3.0], 0.0, 0.0),
        ("lipids × 20", |r| r.nuisances.lipids = [1.0, 20.0 * r.nuisances.lipids[1].max(1.0)], 0.0, 0.0),
        ("residual water 100 × NAA", |r| r.nuisances.residual_water = 100.0, 0.0, 0.0),
        ("lines on one side", |r| r.nuisances.asymmetry = 0.5, 0.0, 0.0),
    ];
    let mut all = Outcome::default();
    for (name, change, shift_ppm, phase_rad) in cases {
        let o = outcome(change, shift_ppm, phase_rad);
        println!("{name}: {o:?}");
        all.wrong += o.wrong;
        all.silent += o.silent;
        if name == "nothing" {
            assert!(o.warned as f64 <= 0.05 * SUBJECTS as f64, "{o:?}");
        }
        if name == "turned by 180°" {
            assert_eq!(o.wrong, 0, "{o:?}");
        }
    }
    println!("{} wrong amplitudes, {} of them without a warning", all.wrong, all.silent);
    assert!(all.silent as f64 <= 0.05 * all.wrong as f64, "{all:?}");
}
