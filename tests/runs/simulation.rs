//! The simulation of basis sets against textbook formulas and against a published basis set.

use std::f64::consts::{LN_2, PI, TAU};
use std::time::Instant;

use num_complex::Complex64;
use requant::acquisition::{hz_from_ppm, ppm_from_hz};
use requant::basis::simulate::spin_systems::Group;
use requant::basis::simulate::{
    Band, Library, Line, Metabolite, Sequence, SimulateError, Transitions, basis_set, transitions,
};
use rustfft::FftPlanner;

const F0_MHZ: f64 = 123.2;

/// Lines of one group of spins (TOML fields) after a sequence.
fn lines(group: &str, sequence: &Sequence, f0_mhz: f64) -> Vec<Line> {
    let text = format!(
        "[[metabolite]]\nname = \"test\"\nsource = \"a test of the simulation\"\n[[metabolite.group]]\n{group}\n"
    );
    let library = Library::from_toml(&text).unwrap();
    transitions(&library.metabolites[0], &sequence.events().unwrap(), f0_mhz).unwrap().lines
}

fn press(te_s: f64, te1_s: f64) -> Sequence {
    Sequence::Press { te_s, te1_s, te2_s: te_s - te1_s }
}

fn close(a: Complex64, b: impl Into<Complex64>) -> bool {
    (a - b.into()).norm() < 1e-9
}

#[test]
fn pulse_acquire_starts_at_the_number_of_protons() {
    for metabolite in &Library::built_in().unwrap().metabolites {
        for f0_mhz in [63.9, F0_MHZ, 297.2] {
            let total = transitions(metabolite, &Sequence::PulseAcquire {}.events().unwrap(), f0_mhz).unwrap().total();
            assert!((total - metabolite.protons()).norm() < 1e-6, "{}: {total}", metabolite.name);
        }
    }
}

#[test]
fn a_singlet_lies_at_its_shift_with_its_width() {
    let basis = basis_set(&["Gly"], &Sequence::PulseAcquire {}, F0_MHZ, 2.5e-4, 8192, 3.0).unwrap();
    let f_hz = hz_from_ppm(3.548, F0_MHZ);
    for (n, z) in basis.fids.row(0).iter().enumerate() {
        let t = n as f64 * 2.5e-4;
        assert!((z - 2.0 * Complex64::new(-PI * 3.0 * t, TAU * f_hz * t).exp()).norm() < 1e-9);
    }
    assert!((ppm_from_hz(f_hz, F0_MHZ) - 3.548).abs() < 1e-12);
}

/// Weak coupling: four lines of ½ at ν ± J/2 (Levitt, Spin Dynamics, section 14.2).
#[test]
fn an_ax_pair_is_two_doublets() {
    let (f0_mhz, j_hz) = (1e6, 7.0);
    let found = lines("ppm = [4.0, 1.0]\nj_hz = [[1, 2, 7.0]]", &Sequence::PulseAcquire {}, f0_mhz);
    let mut expected: Vec<f64> =
        [4.0, 1.0].iter().flat_map(|ppm| [-0.5, 0.5].map(|m| hz_from_ppm(*ppm, f0_mhz) + m * j_hz)).collect();
    expected.sort_by(f64::total_cmp);
    assert_eq!(found.len(), 4);
    for (line, f_hz) in found.iter().zip(expected) {
        // What is left of the second order is J²/2Δ in frequency and J/2Δ in amplitude.
        assert!((line.frequency_hz - f_hz).abs() < 1e-4 && (line.amplitude - 0.5).norm() < 1e-5, "{line:?}");
    }
}

/// Strong coupling: (νA+νB)/2 ± J/2 ± D/2 with D² = Δ² + J², inner lines ½(1 + J/D), outer ½(1 − J/D).
#[test]
fn an_ab_pair_has_a_roof() {
    let (f0_mhz, j_hz) = (F0_MHZ, 15.6);
    let found = lines("ppm = [2.67, 2.49]\nj_hz = [[1, 2, 15.6]]", &Sequence::PulseAcquire {}, f0_mhz);
    let (a, b) = (hz_from_ppm(2.67, f0_mhz), hz_from_ppm(2.49, f0_mhz));
    let d = (b - a).hypot(j_hz);
    let mid = 0.5 * (a + b);
    let (inner, outer) = (0.5 * (1.0 + j_hz / d), 0.5 * (1.0 - j_hz / d));
    let expected = [
        (mid - 0.5 * d - 0.5 * j_hz, outer),
        (mid - 0.5 * d + 0.5 * j_hz, inner),
        (mid + 0.5 * d - 0.5 * j_hz, inner),
        (mid + 0.5 * d + 0.5 * j_hz, outer),
    ];
    assert_eq!(found.len(), 4);
    for (line, (f_hz, amplitude)) in found.iter().zip(expected) {
        assert!((line.frequency_hz - f_hz).abs() < 1e-9 && close(line.amplitude, amplitude), "{line:?}");
    }
}

#[test]
fn a_doublet_turns_over_every_1_over_j() {
    for n in 0..5 {
        let found =
            lines("ppm = [4.0, 1.0]\nj_hz = [[1, 2, 7.0]]", &Sequence::SpinEcho { te_s: f64::from(n) / 7.0 }, 1e6);
        let sign = if n % 2 == 0 { 0.5 } else { -0.5 };
        assert_eq!(found.len(), 4);
        for line in found {
            assert!((line.amplitude - sign).norm() < 1e-4, "n = {n}: {line:?}");
        }
    }
}

/// Between those times the lines of a doublet have the phases ± πJ·TE.
#[test]
fn a_doublet_dephases_by_pi_j_te() {
    let te_s = 0.03;
    for sequence in
        [Sequence::SpinEcho { te_s }, press(te_s, 0.011), Sequence::Special { te_s }, Sequence::SemiLaser { te_s }]
    {
        let found = lines("ppm = [4.0, 1.0]\nj_hz = [[1, 2, 7.0]]", &sequence, 1e6);
        for (line, side) in found.iter().zip([-1.0, 1.0, -1.0, 1.0]) {
            assert!(
                (line.amplitude - Complex64::from_polar(0.5, side * PI * 7.0 * te_s)).norm() < 1e-4,
                "{sequence:?} {line:?}"
            );
        }
    }
}

#[test]
fn steam_is_half_of_press_where_nothing_evolves() {
    for name in ["NAA", "Glu", "Ins", "GABA", "PE"] {
        let metabolite = Library::built_in().unwrap().get(name).unwrap();
        let run = |sequence: &Sequence| {
            transitions(metabolite, &sequence.events().unwrap(), F0_MHZ).unwrap().fid(2.5e-4, 512, 2.0)
        };
        let steam = run(&Sequence::Steam { te_s: 0.0, tm_s: 0.0 });
        for (s, p) in steam.iter().zip(run(&press(0.0, 0.0))) {
            assert!((2.0 * s - p).norm() < 1e-8, "{name}: {s} {p}");
        }
        // A singlet stays so at any timing; coupled spins do not.
        let later = run(&Sequence::Steam { te_s: 0.02, tm_s: 0.03 });
        let difference: f64 = later.iter().zip(&steam).map(|(a, b)| (a - b).norm()).sum();
        assert!(difference > 1.0, "{name}");
    }
    let singlet = lines("ppm = [2.0]\nweight = 3.0", &Sequence::Steam { te_s: 0.02, tm_s: 0.03 }, F0_MHZ);
    assert!(close(singlet[0].amplitude, 1.5));
}

/// Editing pulses on X refocus A's coupling: at TE = 1/J the doublet is upright when edited, inverted when
/// not, and X itself is dephased.
#[test]
fn mega_press_edits_the_coupling_and_removes_the_edited_spins() {
    let te_s = 1.0 / 7.0;
    let group = "ppm = [3.0, 1.9]\nj_hz = [[1, 2, 7.0]]";
    let at = |centre_ppm| Sequence::MegaPress { te_s, te1_s: 0.02, band: Band { centre_ppm, width_ppm: 0.5 } };
    let mut on = lines(group, &at(1.9), 1e6);
    // The second order, J/Δ, leaves 1e-6 of the edited spin.
    on.retain(|line| line.amplitude.norm() > 1e-5);
    assert_eq!(on.len(), 2, "{on:?}");
    for line in &on {
        assert!(
            (line.frequency_hz - hz_from_ppm(3.0, 1e6)).abs() < 4.0 && (line.amplitude - 0.5).norm() < 1e-3,
            "{line:?}"
        );
    }
    let off = lines(group, &at(7.5), 1e6);
    assert_eq!(off.len(), 4);
    assert!(off.iter().all(|line| (line.amplitude + 0.5).norm() < 1e-3), "{off:?}");
}

/// GABA at 3 T: the difference holds an upright signal at 3.01 ppm, about as large as theory says
/// (outer lines of the triplet, half of its two protons, twice).
#[test]
fn edited_gaba_appears_at_3_ppm() {
    let at = |centre_ppm| Sequence::MegaPress { te_s: 0.068, te1_s: 0.01, band: Band { centre_ppm, width_ppm: 0.6 } };
    let area = |sequence: &Sequence| -> Complex64 {
        let metabolite = Library::built_in().unwrap().get("GABA").unwrap();
        let Transitions { lines } = transitions(metabolite, &sequence.events().unwrap(), F0_MHZ).unwrap();
        lines
            .iter()
            .filter(|line| (ppm_from_hz(line.frequency_hz, F0_MHZ) - 3.01).abs() < 0.2)
            .map(|line| line.amplitude)
            .sum()
    };
    let (on, off) = (area(&at(1.9)), area(&at(7.5)));
    assert!(on.re > 1.8 && off.re < 0.3, "{on} {off}");
    assert!(((on - off).re - 2.0).abs() < 0.3, "{}", on - off);
}

/// Pulses at the proton frequency leave ³¹P alone: its coupling is refocused in the echo and splits the
/// acquired line.
#[test]
fn couplings_to_other_nuclei_are_refocused_but_split() {
    let found = lines(
        "ppm = [3.9]\nother = [{ nucleus = \"31P\", j_hz = [7.0] }, { nucleus = \"14N\", j_hz = [2.0] }]",
        &Sequence::SpinEcho { te_s: 0.05 },
        F0_MHZ,
    );
    let f_hz = hz_from_ppm(3.9, F0_MHZ);
    let expected = [-5.5, -3.5, -1.5, 1.5, 3.5, 5.5];
    assert_eq!(found.len(), expected.len());
    for (line, offset) in found.iter().zip(expected) {
        assert!((line.frequency_hz - f_hz - offset).abs() < 1e-9 && close(line.amplitude, 1.0 / 6.0), "{line:?}");
    }
}

/// Against an independent calculation: dense exponentials, and gradients as rotations about z averaged
/// over their angle, in place of coherence orders (aspartate, 123.2 MHz; at 0, 50 and 200 ms).
#[test]
fn strong_coupling_and_gradients_agree_with_a_brute_force_calculation() {
    let band = Band { centre_ppm: 3.9, width_ppm: 0.6 };
    let cases = [
        (
            press(0.03, 0.011),
            [
                (1.993_007_426_391_252, 0.081_115_117_943_050_82),
                (-0.407_136_438_178_523_2, -0.112_315_012_423_284_95),
                (0.950_519_846_912_084_2, 1.325_728_354_982_338_7),
            ],
        ),
        (
            Sequence::Steam { te_s: 0.02, tm_s: 0.015 },
            [
                (1.090_781_405_315_392_8, 0.0),
                (-0.189_547_137_995_699_06, -0.138_950_277_986_288_34),
                (0.531_687_098_213_773, 0.722_370_298_227_168_9),
            ],
        ),
        (
            Sequence::SemiLaser { te_s: 0.035 },
            [
                (1.695_543_845_024_994_7, 0.010_421_474_974_381_728),
                (-0.461_764_112_719_019_6, -0.070_704_149_814_653_83),
                (1.137_561_151_261_498, 1.654_041_711_438_278_8),
            ],
        ),
        (
            Sequence::MegaPress { te_s: 0.068, te1_s: 0.01, band },
            [
                (-1.036_468_486_474_928_7, -0.001_051_161_222_641_516_6),
                (-0.280_532_919_304_580_7, 0.737_782_984_878_564_1),
                (-0.004_171_924_752_172_207, -0.506_318_292_215_127_4),
            ],
        ),
    ];
    let asp = Library::built_in().unwrap().get("Asp").unwrap();
    for (sequence, expected) in cases {
        let fid = transitions(asp, &sequence.events().unwrap(), F0_MHZ).unwrap().fid(0.05, 5, 0.0);
        for (z, (re, im)) in [fid[0], fid[1], fid[4]].into_iter().zip(expected) {
            assert!(close(z, Complex64::new(re, im)), "{sequence:?}: {z} {re} {im}");
        }
    }
}

#[test]
fn no_echo_has_more_signal_than_protons() {
    for metabolite in &Library::built_in().unwrap().metabolites {
        let protons = metabolite.protons();
        for sequence in
            [press(0.03, 0.011), Sequence::SemiLaser { te_s: 0.035 }, Sequence::Steam { te_s: 0.02, tm_s: 0.01 }]
        {
            let found = transitions(metabolite, &sequence.events().unwrap(), F0_MHZ).unwrap();
            assert!(found.total().norm() <= protons * (1.0 + 1e-9), "{} {sequence:?}", metabolite.name);
            assert!(found.lines.iter().all(|line| line.amplitude.re.is_finite() && line.amplitude.im.is_finite()));
        }
    }
}

#[test]
fn mistakes_are_errors_that_help() {
    let go = |names: &[&str], sequence: &Sequence, dwell_s| basis_set(names, sequence, F0_MHZ, dwell_s, 64, 1.0);
    let unknown = go(&["NAA", "Unheard"], &Sequence::PulseAcquire {}, 2.5e-4).unwrap_err();
    assert!(
        matches!(&unknown, SimulateError::UnknownMetabolite { name, known } if name == "Unheard" && known.contains("Scyllo")),
        "{unknown}"
    );
    assert!(matches!(go(&["mI", "Ins"], &Sequence::PulseAcquire {}, 2.5e-4), Err(SimulateError::Duplicate { .. })));
    let timing = Sequence::Press { te_s: 0.03, te1_s: 0.011, te2_s: 0.011 };
    assert!(matches!(go(&["NAA"], &timing, 2.5e-4), Err(SimulateError::Timing { .. })));
    assert!(matches!(go(&["NAA"], &Sequence::PulseAcquire {}, -1.0), Err(SimulateError::Grid { .. })));
    let chain = (1..11).map(|k| format!("[{k}, {}, 7.0]", k + 1)).collect::<Vec<_>>().join(", ");
    let text = format!(
        "[[metabolite]]\nname = \"chain\"\nsource = \"a test\"\n[[metabolite.group]]\nppm = [{}]\nj_hz = [{chain}]",
        ["2.0"; 11].join(", ")
    );
    let library = Library::from_toml(&text).unwrap();
    let error = transitions(&library.metabolites[0], &[], F0_MHZ).unwrap_err();
    assert!(matches!(error, SimulateError::TooManySpins { spins: 11, most: 10, .. }), "{error}");
}

#[test]
fn the_same_request_gives_the_same_bytes_on_any_number_of_threads() {
    let names = ["Ins", "NAA", "Glu", "PE", "Lac"];
    let go = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| basis_set(&names, &press(0.03, 0.011), F0_MHZ, 2.5e-4, 256, 1.0).unwrap())
    };
    let (one, three) = (go(1), go(3));
    assert_eq!(one.fids, three.fids);
    assert_eq!(one.sha256, three.sha256);
    assert_eq!(one.metabolites, names);
}

#[test]
fn twenty_eight_metabolites_take_seconds_on_one_core() {
    let names: Vec<&str> = Library::built_in().unwrap().names().into_iter().filter(|n| *n != "Val").take(28).collect();
    assert_eq!(names.len(), 28);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let start = Instant::now();
    let basis = pool.install(|| basis_set(&names, &press(0.03, 0.011), F0_MHZ, 2.5e-4, 4096, 1.0)).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    println!("28 metabolites, PRESS, 4096 points, one core: {seconds:.3} s");
    assert_eq!(basis.fids.dim(), (28, 4096));
    assert!(seconds < 5.0, "{seconds} s");
}

/// Frequency that the challenge's basis set was simulated for: its singlets lie at round shifts with it
/// (Gly 3.5480, Ace 1.9040, sIns 3.3400), and 0.0014 ppm off with the data's 123.2 MHz.
const CHALLENGE_F0_MHZ: f64 = 123.2617;
const CHALLENGE_DWELL_S: f64 = 2.5e-4;
const CHALLENGE_POINTS: usize = 2048;
/// Lorentzian width of its lines, from its singlets (Hz).
const CHALLENGE_WIDTH_HZ: f64 = 2.0;
/// Reference peak at 0 ppm in every member (protons).
const CHALLENGE_REFERENCE: f64 = 0.1;

/// The samples of an LCModel RAW file of format 8E13.5.
fn read_raw(name: &str) -> Vec<Complex64> {
    let path = crate::common::data().join("challenge2016/basis/raw").join(format!("{name}.RAW"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let body = text.split_once("$END").unwrap().1;
    let numbers: Vec<f64> = body
        .lines()
        .flat_map(|line| {
            line.as_bytes().chunks(13).map(|c| std::str::from_utf8(c).unwrap().trim()).filter(|s| !s.is_empty())
        })
        .map(|s| s.parse().unwrap())
        .collect();
    numbers.chunks_exact(2).map(|c| Complex64::new(c[0], c[1])).collect()
}

/// The complex spectrum between 0.3 and 4.2 ppm.
fn window(fid: &[Complex64]) -> Vec<Complex64> {
    let mut spectrum = fid.to_vec();
    spectrum[0] *= 0.5;
    spectrum.resize(2 * fid.len(), Complex64::ZERO);
    FftPlanner::new().plan_fft_forward(spectrum.len()).process(&mut spectrum);
    let n = spectrum.len();
    (0..n)
        .filter(|k| {
            let signed = if *k < n / 2 { *k as f64 } else { *k as f64 - n as f64 };
            (0.3..4.2).contains(&ppm_from_hz(signed / (n as f64 * CHALLENGE_DWELL_S), CHALLENGE_F0_MHZ))
        })
        .map(|k| spectrum[k])
        .collect()
}

/// Width of the Gaussian that broadens the glycine of the challenge's GSH, and nothing else (FWHM, Hz).
const CHALLENGE_GLYCINE_HZ: f64 = 5.30;

/// The challenge's member as the simulation makes it: PRESS of TE1 11 and TE2 19 ms, its width, its
/// reference peak.
fn simulated(metabolite: &Metabolite, broaden_glycine: bool) -> Vec<Complex64> {
    let fid = |groups: &[Group]| {
        let part = Metabolite { groups: groups.to_vec(), ..metabolite.clone() };
        let lines = transitions(&part, &press(0.03, 0.011).events().unwrap(), CHALLENGE_F0_MHZ).unwrap();
        lines.fid(CHALLENGE_DWELL_S, CHALLENGE_POINTS, CHALLENGE_WIDTH_HZ)
    };
    let (glycine, rest) = metabolite.groups.split_at(usize::from(broaden_glycine));
    let mut sum = fid(rest);
    for (n, (z, g)) in sum.iter_mut().zip(fid(glycine)).enumerate() {
        let t = n as f64 * CHALLENGE_DWELL_S;
        let f_hz = hz_from_ppm(0.0, CHALLENGE_F0_MHZ);
        let reference = CHALLENGE_REFERENCE * Complex64::new(-PI * CHALLENGE_WIDTH_HZ * t, TAU * f_hz * t).exp();
        *z += reference + g * (-(PI * CHALLENGE_GLYCINE_HZ * t).powi(2) / (4.0 * LN_2)).exp();
    }
    sum
}

/// Normalised correlation (phase counts) of the challenge's member with the simulation, both broadened by `hz`
/// (Lorentzian), and the factor between them.
fn agreement(library: &Library, file: &str, broaden_glycine: bool, hz: f64) -> (f64, f64) {
    let given = read_raw(file);
    assert_eq!(given.len(), CHALLENGE_POINTS, "{file}");
    let broad = |fid: Vec<Complex64>| -> Vec<Complex64> {
        let decay = |n: usize| (-PI * hz * n as f64 * CHALLENGE_DWELL_S).exp();
        fid.iter().enumerate().map(|(n, z)| z * decay(n)).collect()
    };
    let simulated = simulated(library.get(file).unwrap(), broaden_glycine);
    let (a, b) = (window(&broad(simulated)), window(&broad(given)));
    let dot = |x: &[Complex64], y: &[Complex64]| -> f64 { x.iter().zip(y).map(|(x, y)| (x.conj() * y).re).sum() };
    let (aa, ab, bb) = (dot(&a, &a), dot(&a, &b), dot(&b, &b));
    (ab / (aa * bb).sqrt(), ab / aa)
}

/// The shift (ppm) and the coupling (Hz) that two descriptions of a metabolite differ most in, the challenge's value
/// first. The order of CH2 protons does not count, nor do couplings within a CH2, which show badly or not at all.
fn differences(theirs: &Metabolite, ours: &Metabolite) -> String {
    let largest = |mut x: Vec<f64>, mut y: Vec<f64>| {
        x.sort_by(f64::total_cmp);
        y.sort_by(f64::total_cmp);
        let pairs = x.into_iter().zip(y).max_by(|a, b| (a.0 - a.1).abs().total_cmp(&(b.0 - b.1).abs()));
        pairs.filter(|(a, b)| (a - b).abs() > 5e-5)
    };
    let ppm = |m: &Metabolite| {
        m.groups.iter().flat_map(|g| g.ppm.iter().flat_map(|p| vec![*p; g.weight.ceil() as usize])).collect()
    };
    let j = |m: &Metabolite| m.groups.iter().flat_map(|g| &g.couplings).map(|c| c.j_hz).filter(|j| *j > 0.0).collect();
    let shift = largest(ppm(theirs), ppm(ours)).map(|(a, b)| format!("{a:.4} for {b:.4} ppm ({:+.4})", a - b));
    let coupling = largest(j(theirs), j(ours)).map(|(a, b)| format!("J {a:.2} for {b:.2} Hz ({:+.2})", a - b));
    let both: Vec<String> = shift.into_iter().chain(coupling).collect();
    if both.is_empty() { "–".to_owned() } else { both.join(", ") }
}

const CHALLENGE: [&str; 21] = [
    "Ace", "Ala", "Asc", "Asp", "Cr", "GABA", "Glc", "Gln", "Glu", "Gly", "GPC", "GSH", "Ins", "Lac", "NAA", "NAAG",
    "PCho", "PCr", "PE", "sIns", "Tau",
];

/// Width that a line in vivo has beyond the challenge's (Hz).
const IN_VIVO_HZ: f64 = 5.0;

/// With the shifts and couplings that the challenge used (determined from its basis set, in `datasets/`), the
/// simulation is the challenge's; with those of the built-in library it differs by what the literature differs. The
/// table is `docs/reference/spin-systems.md`, rewritten with REQUANT_UPDATE=1.
#[test]
fn real_challenge_basis_is_reproduced() {
    let theirs = Library::from_toml(include_str!("../../datasets/challenge2016-spin-systems.toml")).unwrap();
    let built_in = Library::built_in().unwrap();
    let mut table = String::new();
    let (mut reproduced, mut alike, mut alike_in_vivo) = (0, 0, 0);
    for name in CHALLENGE {
        let (with_theirs, scale) = agreement(&theirs, name, name == "GSH", 0.0);
        let (with_ours, _) = agreement(built_in, name, false, 0.0);
        let (in_vivo, _) = agreement(built_in, name, false, IN_VIVO_HZ);
        let differs = differences(theirs.get(name).unwrap(), built_in.get(name).unwrap());
        table += &format!("| {name} | {with_theirs:.6} | {with_ours:.4} | {in_vivo:.4} | {differs} |\n");
        reproduced += usize::from(with_theirs >= 0.999);
        alike += usize::from(with_ours >= 0.999);
        alike_in_vivo += usize::from(in_vivo >= 0.999);
        assert!((scale - 1.0).abs() < 0.005, "{name}: {with_theirs} {scale}");
        assert!(with_ours > 0.87, "{name}: {with_ours}");
    }
    println!(
        "{table}{reproduced} of {} with their spin systems, {alike} and {alike_in_vivo} with ours",
        CHALLENGE.len()
    );
    assert!(reproduced >= 18, "{reproduced}");
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/spin-systems.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = page.split_once("<!-- challenge -->\n").unwrap();
    let (_, foot) = rest.split_once("<!-- /challenge -->").unwrap();
    let header = "| member | with the challenge's spin systems | with the built-in ones | the same, 5 Hz wider | largest differences: the challenge's value for the built-in one |\n|---|---|---|---|---|\n";
    let new = format!("{head}<!-- challenge -->\n{header}{table}<!-- /challenge -->{foot}");
    if std::env::var_os("REQUANT_UPDATE").is_some() {
        std::fs::write(&path, &new).unwrap();
        return;
    }
    assert_eq!(
        page.replace("\r\n", "\n"),
        new,
        "docs/reference/spin-systems.md is not up to date: REQUANT_UPDATE=1 cargo test --test runs simulation::"
    );
}
