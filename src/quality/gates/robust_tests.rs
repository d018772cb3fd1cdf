//! What the profile `robust` says of spectra by their flags, whatever the method.

use super::evaluate::{Row, Value};
use super::kinds::ValueKind;
use super::profile::{Gates, Verdict};

/// A spectrum of a method without `expected_error_percent`, with usual figures but these.
struct Spectrum {
    flags: &'static [&'static str],
    snr_residual: f64,
}

impl Row for Spectrum {
    fn cell(&self, column: &str) -> Value {
        match column {
            "fwhm_hz" => Value::Number(6.0),
            "snr_residual" => Value::Number(self.snr_residual),
            "qc_flags" => Value::Texts(self.flags.iter().map(|flag| (*flag).to_owned()).collect()),
            _ => Value::Null,
        }
    }
}

/// The first of the gates on spectra that does not hold.
fn refused_by(flags: &'static [&'static str], snr_residual: f64) -> Option<String> {
    let spectra = |column: &str| match column {
        "fwhm_hz" | "snr_residual" => Some(ValueKind::Number),
        "qc_flags" => Some(ValueKind::Texts),
        _ => None,
    };
    let metabolites = |_: &str| Some(ValueKind::Number);
    let ready = Gates::built_in("robust").unwrap().unwrap().ready(&spectra, &metabolites, &[]).unwrap();
    let row = Spectrum { flags, snr_residual };
    let of_spectra = ready.iter().filter(|gate| gate.of_spectra);
    of_spectra.into_iter().find(|gate| gate.verdict(&row, &[]) != Verdict::Passes).map(|gate| gate.name.clone())
}

#[test]
fn fits_that_are_not_those_of_the_data_are_refused_without_a_score() {
    for (flag, gate) in [
        ("fit_doubtful", "fit_doubtful"),
        ("not_converged", "fit_doubtful"),
        ("low_snr", "low_snr"),
        ("shift_at_limit", "shift_at_limit"),
        ("misfit", "misfit"),
        ("not_mixed", "sampling_not_mixed"),
    ] {
        let flags: &'static [&'static str] = Box::leak(Box::new([flag]));
        assert_eq!(refused_by(flags, 9.0).as_deref(), Some(gate), "{flag}");
    }
    assert_eq!(refused_by(&[], 20.0), None);
}

#[test]
fn what_a_spectrum_holds_and_faults_too_small_to_matter_do_not_decide() {
    assert_eq!(refused_by(&["implausible_tnaa_tcr", "implausible_concentration", "prior_strained"], 20.0), None);
    // A residual of 1 % of the tallest peak, well above little noise.
    assert_eq!(refused_by(&["misfit"], 50.0), None);
}
