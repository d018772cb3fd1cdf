//! `requant basis simulate`: a basis set from spin systems.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::basis_target::TargetArgs;
use super::error::{CliError, CliResult};
use super::numbers::{bounded, ppm, sequence_ms};
use super::outputs::Reads;
use super::shared::MAX_TEXT_BYTES;
use crate::acquisition::{PROTON_MHZ_PER_T, hz_from_ppm};
use crate::basis::BasisSet;
use crate::basis::simulate::edited::leave_out_what_cancels;
use crate::basis::simulate::{BRAIN_METABOLITES, Band, LINEWIDTH_HZ, Library, Sequence, basis_set_from};
use crate::fit::macromolecule_relaxation::Weighting;
use crate::fit::macromolecules::gaussian_fid;
use crate::fit::macromolecules::{LCMODEL_LIPIDS, LCMODEL_MACROMOLECULES, Line, PATTERN_GROUPS};
use crate::regular_file;

/// Arguments of `requant basis simulate`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant basis simulate --sequence press --te 35 --field-t 3 --out press35.basis
  requant basis simulate --sequence steam --te 20 --tm 10 --field-mhz 297.2 --out steam20.basis
  requant basis simulate --sequence mega-press --te 68 --edit difference --field-t 3 --out m68.basis

Pulses are ideal. Amplitudes are in protons: a pulse-acquire FID starts at the metabolite's number
of protons.")]
pub(super) struct SimulateArgs {
    /// Pulse sequence
    #[arg(long, value_enum)]
    sequence: SequenceChoice,
    /// Echo time (ms); not for pulse-acquire
    #[arg(long, value_name = "MS", value_parser = sequence_ms)]
    te: Option<f64>,
    /// First echo (ms) of PRESS and MEGA-PRESS [default: half of TE; MEGA-PRESS a fifth]
    #[arg(long, value_name = "MS", value_parser = sequence_ms)]
    te1: Option<f64>,
    /// Second echo (ms) of PRESS [default: TE − TE1]
    #[arg(long, value_name = "MS", value_parser = sequence_ms)]
    te2: Option<f64>,
    /// Mixing time (ms) of STEAM
    #[arg(long, value_name = "MS", value_parser = sequence_ms)]
    tm: Option<f64>,
    /// Which spectrum of MEGA-PRESS
    #[arg(long, value_enum)]
    edit: Option<EditChoice>,
    /// Middle of the editing pulse when on (ppm) [default: 1.9, for GABA]
    #[arg(long, value_name = "PPM", value_parser = ppm)]
    edit_ppm: Option<f64>,
    /// Middle of the editing pulse when off (ppm) [default: 7.5]
    #[arg(long, value_name = "PPM", value_parser = ppm)]
    edit_off_ppm: Option<f64>,
    /// Width of the band that the editing pulse inverts (ppm) [default: 0.6]
    #[arg(long, value_name = "PPM", value_parser = bounded::<100, true>)]
    edit_width_ppm: Option<f64>,
    /// Field (T)
    #[arg(long, value_name = "T", value_parser = bounded::<30, true>, conflicts_with = "field_mhz", required_unless_present = "field_mhz")]
    field_t: Option<f64>,
    /// Spectrometer frequency (MHz)
    #[arg(long, value_name = "MHZ", value_parser = bounded::<2000, true>)]
    field_mhz: Option<f64>,
    /// Spectral width (Hz)
    #[arg(long, value_name = "HZ", default_value_t = 4000.0, value_parser = bounded::<1_000_000, true>)]
    bandwidth_hz: f64,
    /// Number of samples
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    points: u32,
    /// Lorentzian width of the lines (FWHM, Hz)
    #[arg(long, value_name = "HZ", default_value_t = LINEWIDTH_HZ, value_parser = bounded::<1000, false>)]
    linewidth_hz: f64,
    /// Members, separated by commas [default: those of the brain]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    metabolites: Vec<String>,
    /// Spin systems instead of the built-in ones (format: src/basis/simulate/spin_systems.toml)
    #[arg(long, value_name = "FILE.toml")]
    spin_systems: Option<PathBuf>,
    /// Macromolecules to add: the measured 3 T pattern in groups, or LCModel's list
    #[arg(long, value_enum)]
    macromolecules: Option<MacromoleculeChoice>,
    /// Add LCModel's lipids
    #[arg(long)]
    lipids: bool,
    /// A singlet of so many protons at 0 ppm in every member
    #[arg(long, value_name = "PROTONS", default_value_t = 0.0, value_parser = bounded::<1000, false>)]
    reference_protons: f64,
    /// File (.basis) or folder to write
    #[arg(long, value_name = "PATH")]
    out: PathBuf,
    #[command(flatten)]
    target: TargetArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SequenceChoice {
    PulseAcquire,
    SpinEcho,
    Press,
    Steam,
    SemiLaser,
    MegaPress,
    Special,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum MacromoleculeChoice {
    /// The measured 3 T pattern in five groups, scaled to the field.
    Pattern,
    /// LCModel's parametrised list.
    Lcmodel,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EditChoice {
    /// Editing pulse on the edited spins.
    On,
    /// Editing pulse elsewhere.
    Off,
    /// On minus off.
    Difference,
}

pub(super) fn simulate(args: &SimulateArgs) -> CliResult {
    let sequences = args.sequences()?;
    let f0_mhz = args.field_mhz.or(args.field_t.map(|t| t * PROTON_MHZ_PER_T)).unwrap_or(0.0);
    let own = args
        .spin_systems
        .as_ref()
        .map(|path| {
            let text =
                regular_file::text(path, MAX_TEXT_BYTES).map_err(|e| anyhow::anyhow!("{}: {e}", path.display()))?;
            Library::from_toml(&text).map_err(|e| anyhow::anyhow!("{}: {e}", path.display()))
        })
        .transpose()?;
    let library = match &own {
        Some(library) => library,
        None => Library::built_in()?,
    };
    // The brain's usual members; of spin systems that somebody brings, all.
    let names: Vec<&str> = match (&args.metabolites[..], &own) {
        ([], Some(own)) => own.names(),
        ([], None) => BRAIN_METABOLITES.to_vec(),
        (asked, _) => asked.iter().map(String::as_str).collect(),
    };
    let make = |sequence: &Sequence| -> Result<BasisSet, CliError> {
        let (dwell_s, points) = (1.0 / args.bandwidth_hz, args.points as usize);
        basis_set_from(library, &names, sequence, f0_mhz, dwell_s, points, args.linewidth_hz)
            .map_err(|e| CliError::new(2, e))
    };
    let mut set = make(&sequences[0])?;
    if let Some(subtracted) = sequences.get(1) {
        set.fids -= &make(subtracted)?.fids;
        set.id += ", difference";
        let gone = leave_out_what_cancels(&mut set);
        if !gone.is_empty() {
            say!("left out, as the difference holds none of them: {}", gone.join(", "));
        }
    }
    add_broad(&mut set, args);
    add_reference(&mut set, args.reference_protons);
    say!("{}", in_words(&sequences));
    args.target.save(&set, &args.out, &Reads::default().and(args.spin_systems.as_ref()))
}

/// `PRESS, TE 35 ms (TE1 17.5 ms, TE2 17.5 ms)`; a second sequence is subtracted.
fn in_words(sequences: &[Sequence]) -> String {
    let ms = |s: f64| format!("{} ms", (1e6 * s).round() / 1e3);
    let Some(sequence) = sequences.first() else { return String::new() };
    let name = sequence.name();
    let te = ms(sequence.te_s());
    let pulse = |band: &Band| format!("editing pulse at {} ppm, {} ppm wide", band.centre_ppm, band.width_ppm);
    let first = match sequence {
        Sequence::PulseAcquire {} => name.to_owned(),
        Sequence::Press { te1_s, te2_s, .. } => format!("{name}, TE {te} (TE1 {}, TE2 {})", ms(*te1_s), ms(*te2_s)),
        Sequence::Steam { tm_s, .. } => format!("{name}, TE {te}, TM {}", ms(*tm_s)),
        Sequence::MegaPress { te1_s, band, .. } => format!("{name}, TE {te} (TE1 {}), {}", ms(*te1_s), pulse(band)),
        _ => format!("{name}, TE {te}"),
    };
    match sequences.get(1) {
        Some(Sequence::MegaPress { band, .. }) => format!("{first}; subtracted: at {} ppm", band.centre_ppm),
        _ => first,
    }
}

/// Adds the macromolecules and lipids asked for as members of their own. Their couplings do not evolve; lines of one member
/// weaken against one another with the echo and mixing time as their relaxation makes them, the member's area as before.
fn add_broad(set: &mut BasisSet, args: &SimulateArgs) {
    let mut members: Vec<(&str, Vec<Line>)> = match args.macromolecules {
        Some(MacromoleculeChoice::Pattern) => PATTERN_GROUPS.iter().map(|g| (g.name, g.lines())).collect(),
        Some(MacromoleculeChoice::Lcmodel) => LCMODEL_MACROMOLECULES.iter().map(|p| (p.name, p.lines())).collect(),
        None => Vec::new(),
    };
    let tm_s = args.tm.map(|ms| 1e-3 * ms);
    let weighting = Weighting { te_s: set.te_s, tm_s, tr_s: None };
    members.iter_mut().for_each(|(_, lines)| weigh(lines, &weighting));
    if args.lipids {
        members.extend(LCMODEL_LIPIDS.iter().map(|p| (p.name, p.lines())));
    }
    for (name, lines) in members {
        let fid = gaussian_fid(&lines, set.dwell_s, set.f0_mhz, set.fids.ncols(), 1.0);
        // Rows are as long as the set's: both are made for its number of points.
        if set.fids.push_row(ndarray::ArrayView1::from(&fid)).is_ok() {
            set.metabolites.push(name.to_owned());
        }
    }
}

fn weigh(lines: &mut [Line], weighting: &Weighting) {
    let area = |lines: &[Line]| lines.iter().map(|line| line.area).sum::<f64>();
    let before = area(lines);
    lines.iter_mut().for_each(|line| line.area *= weighting.left(line.ppm));
    let after = area(lines);
    if after > 0.0 {
        lines.iter_mut().for_each(|line| line.area *= before / after);
    }
}

/// Adds a singlet at 0 ppm to every member.
fn add_reference(set: &mut BasisSet, protons: f64) {
    if protons == 0.0 {
        return;
    }
    let width_hz = set.linewidth_hz.unwrap_or(0.0);
    let rate = num_complex::Complex64::new(
        -std::f64::consts::PI * width_hz,
        std::f64::consts::TAU * hz_from_ppm(0.0, set.f0_mhz),
    );
    for mut fid in set.fids.outer_iter_mut() {
        for (n, z) in fid.iter_mut().enumerate() {
            *z += protons * (rate * (n as f64 * set.dwell_s)).exp();
        }
    }
}

impl SimulateArgs {
    /// The sequence, and a second one that is to be subtracted.
    fn sequences(&self) -> Result<Vec<Sequence>, CliError> {
        use SequenceChoice as S;
        let usage = |message: String| CliError::new(2, anyhow::anyhow!(message));
        let refuse = |set: bool, option: &str, only: &str| {
            if set { Err(usage(format!("{option} is for {only} only"))) } else { Ok(()) }
        };
        let is = |sequence| self.sequence == sequence;
        refuse(self.tm.is_some() && !is(S::Steam), "--tm", "--sequence steam")?;
        refuse(self.te1.is_some() && !(is(S::Press) || is(S::MegaPress)), "--te1", "--sequence press and mega-press")?;
        refuse(self.te2.is_some() && !is(S::Press), "--te2", "--sequence press")?;
        let edits = [self.edit_ppm, self.edit_off_ppm, self.edit_width_ppm].iter().any(Option::is_some);
        refuse((edits || self.edit.is_some()) && !is(S::MegaPress), "--edit…", "--sequence mega-press")?;
        refuse(self.te.is_some() && is(S::PulseAcquire), "--te", "sequences with an echo")?;
        let seconds = |ms: f64| ms * 1e-3;
        let te_s = match (self.te, self.sequence) {
            (_, S::PulseAcquire) => 0.0,
            (Some(te), _) => seconds(te),
            (None, _) => return Err(usage("--te is missing: the echo time in ms".to_owned())),
        };
        let te1_s = self.te1.map(seconds);
        Ok(match self.sequence {
            S::PulseAcquire => vec![Sequence::PulseAcquire {}],
            S::SpinEcho => vec![Sequence::SpinEcho { te_s }],
            S::Special => vec![Sequence::Special { te_s }],
            S::SemiLaser => vec![Sequence::SemiLaser { te_s }],
            S::Press => {
                let te1_s = te1_s.or(self.te2.map(|te2| te_s - seconds(te2))).unwrap_or(0.5 * te_s);
                vec![Sequence::Press { te_s, te1_s, te2_s: self.te2.map_or(te_s - te1_s, seconds) }]
            }
            S::Steam => {
                let tm = self.tm.ok_or_else(|| usage("--tm is missing: STEAM has a mixing time, in ms".to_owned()))?;
                vec![Sequence::Steam { te_s, tm_s: seconds(tm) }]
            }
            S::MegaPress => {
                let with = |centre_ppm| {
                    let band = Band { centre_ppm, width_ppm: self.edit_width_ppm.unwrap_or(0.6) };
                    Sequence::MegaPress { te_s, te1_s: te1_s.unwrap_or(0.2 * te_s), band }
                };
                let (on, off) = (with(self.edit_ppm.unwrap_or(1.9)), with(self.edit_off_ppm.unwrap_or(7.5)));
                match self.edit.unwrap_or(EditChoice::Difference) {
                    EditChoice::On => vec![on],
                    EditChoice::Off => vec![off],
                    EditChoice::Difference => vec![on, off],
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_are_told_in_words() {
        let press = Sequence::Press { te_s: 35.0 * 1e-3, te1_s: 0.0175, te2_s: 0.0175 };
        assert_eq!(in_words(&[press]), "PRESS, TE 35 ms (TE1 17.5 ms, TE2 17.5 ms)");
        assert_eq!(in_words(&[Sequence::Steam { te_s: 0.02, tm_s: 0.01 }]), "STEAM, TE 20 ms, TM 10 ms");
        let mega = |centre_ppm| Sequence::MegaPress {
            te_s: 0.068,
            te1_s: 0.2 * 0.068,
            band: Band { centre_ppm, width_ppm: 0.6 },
        };
        assert_eq!(
            in_words(&[mega(1.9), mega(7.5)]),
            "MEGA-PRESS, TE 68 ms (TE1 13.6 ms), editing pulse at 1.9 ppm, 0.6 ppm wide; subtracted: at 7.5 ppm"
        );
        assert_eq!(in_words(&[Sequence::PulseAcquire {}]), "pulse-acquire");
    }
}
