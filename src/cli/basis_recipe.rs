//! `requant basis show` of a recipe: the sequence that it gives, its pulses and their places.

use std::path::Path;
use std::sync::Arc;

use super::error::{CliError, CliResult};
use super::outputs::Reads;
use crate::acquisition::{Facts, PROTON_MHZ_PER_T, named_editing};
use crate::basis::check::Protocol;
use crate::basis::simulate::edited::{Condition, Edited};
use crate::basis::simulate::pulses::timeline::timeline;
use crate::basis::simulate::{Recipe, Stated, Timing};
use crate::report::sequence_plot;

/// What is drawn where nobody states the data's frequency, dwell time and length: 3 T.
const USUAL_T: f64 = 3.0;
const USUAL_DWELL_S: f64 = 5e-4;
const USUAL_POINTS: usize = 2048;
/// Where editing pulses are drawn: on GABA's.
const EDIT_PPM: f64 = 1.9;

/// Whether a path is a recipe: a file named so.
pub(super) fn is_recipe(path: &Path) -> bool {
    path.is_file() && path.extension().is_some_and(|e| e.eq_ignore_ascii_case("toml") || e.eq_ignore_ascii_case("json"))
}

/// Shows the sequence of a recipe with what the options state of the data.
pub(super) fn show_recipe(path: &Path, gaps: &Facts, plot: Option<&Path>) -> CliResult {
    let usage = |e: anyhow::Error| CliError::new(2, e);
    let stated = Stated::read(path).map_err(|e| CliError::new(2, e))?;
    let protocol = Protocol {
        f0_mhz: gaps.f0_mhz.or(stated.field_mhz).or(Some(USUAL_T * PROTON_MHZ_PER_T)),
        te_s: gaps.te_s,
        sequence: gaps.sequence.clone(),
        dwell_s: gaps.dwell_s.or(Some(USUAL_DWELL_S)),
        n_points: Some(USUAL_POINTS),
    };
    let name = stated.sequence.as_ref().or(gaps.sequence.as_ref());
    let is_edited = stated.blocks.is_none() && name.is_some_and(|name| named_editing(name).is_some());
    let condition = Condition { sign: 1.0, pulses_ppm: vec![EDIT_PPM] };
    let edited = if is_edited { Edited::Known(vec![condition]) } else { Edited::No };
    let timing = Timing { edited, ..Timing::of(gaps).with_recipe(Some(Arc::new(stated))) };
    let recipe = Recipe::from_protocol(&protocol, &timing).map_err(|e| {
        usage(anyhow::anyhow!(
            "{}: {}; give --te-s, --sequence or --tm-s, or state it in the recipe",
            path.display(),
            e.missing.join(", ")
        ))
    })?;
    say!("{} · TE {:.2} ms · {:.2} MHz", recipe.sequence.name(), 1e3 * recipe.sequence.te_s(), recipe.f0_mhz);
    say!("pulses {} ({})", recipe.pulse_name, recipe.pulse_source.as_str());
    if let Some(preferred) = &recipe.spin_systems {
        say!("spin systems of {} for {}", preferred.file, preferred.metabolites.join(", "));
    }
    recipe.assumed.iter().for_each(|assumed| say!("assumed {assumed}"));
    let (placed, end_s) = timeline(&recipe.sequence, &recipe.pulses, recipe.f0_mhz).map_err(|e| CliError::new(2, e))?;
    say!("\n{:>10} {:>10} {:>10} {:>10}", "start ms", "long ms", "wide Hz", "B1 Hz");
    for pulse in &placed {
        let start_ms = 1e3 * pulse.start_s;
        match &pulse.shaped {
            Some((_, waveform)) => say!(
                "{start_ms:10.3} {:10.3} {:10.0} {:10.0}",
                1e3 * waveform.duration_s,
                waveform.bandwidth_hz,
                waveform.peak_b1_hz()
            ),
            None => say!("{start_ms:10.3} {:>10} {:>10} {:>9.0}°", "ideal", "–", pulse.flip_deg.unwrap_or_default()),
        }
    }
    say!("{:10.3} first sample", 1e3 * end_s);
    if let Some(plot) = plot {
        let title =
            format!("{} · TE {:.1} ms · {}", recipe.sequence.name(), 1e3 * recipe.sequence.te_s(), recipe.pulse_name);
        let svg = sequence_plot(&title, &recipe.sequence, &recipe.pulses, recipe.f0_mhz)?;
        Reads::of([path]).write_picture(plot, svg)?;
        say!("{}", plot.display());
    }
    Ok(0)
}
