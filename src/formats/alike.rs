//! Whether transients that are files of their own may be those of one measurement, by what their headers state.

use crate::acquisition::{Acquisition, named_editing};

/// Names of editing sequences that have none of the usual words.
const EDITED: [&str; 4] = ["mescher", "mpress", "mslaser", "gsh"];

/// Whether a text from a header says that the sequence edits: its transients must not be averaged as alike.
pub(super) fn says_edited(text: &str) -> bool {
    let lower = text.to_lowercase();
    named_editing(text).is_some() || EDITED.iter().any(|word| lower.contains(word))
}

/// Equal for single transients that headers call alike; `None` for what is more than one transient of one voxel.
pub(super) fn likeness(data: &Acquisition) -> Option<String> {
    let is_single = data.samples.shape()[..4] == [1; 4] && data.water.is_none() && data.further.is_empty();
    let facts = &data.facts;
    let is_plain = is_single && data.editing.is_none() && !facts.sequence.as_deref().is_some_and(says_edited);
    let milli = |value: Option<f64>| value.map(|v| (v * 1e6).round() / 1e3);
    let place = data.affine_mm.map(|rows| rows.map(|row| row.map(|mm| (mm * 100.0).round())));
    let text = format!(
        "{} {} {:?} {:?} {:?} {:?} {:?} {:?}",
        data.format,
        data.n_points(),
        // Scanners follow the drift of the field between transients.
        facts.f0_mhz.map(|mhz| (mhz * 1e3).round()),
        facts.dwell_s.map(|s| (s * 1e9).round()),
        [facts.te_s, facts.tr_s, facts.tm_s].map(milli),
        (&facts.nucleus, &facts.sequence, facts.averages_on_scanner),
        facts.water_suppressed,
        place
    );
    is_plain.then_some(text)
}

#[cfg(test)]
mod tests {
    use ndarray::Array5;
    use num_complex::Complex64;

    use super::*;
    use crate::acquisition::Samples;

    fn transient(height: f64) -> Samples {
        Array5::from_elem((1, 1, 1, 1, 8), Complex64::new(height, 0.0)).into()
    }

    #[test]
    fn edited_sequences_and_what_is_more_than_one_transient_have_no_likeness() {
        let mut data = Acquisition::from_samples("x", transient(1.0));
        let plain = likeness(&data);
        assert!(plain.is_some());
        data.facts.te_s = Some(0.03);
        assert!(likeness(&data).is_some_and(|text| Some(text) != plain));
        for edited in ["svs_edit", "*svs_ed", "MEGA-PRESS", "eja_svs_mpress", "GABA_ON"] {
            data.facts.sequence = Some(edited.to_owned());
            assert_eq!(likeness(&data), None, "{edited}");
        }
        let two = Array5::from_elem((1, 1, 2, 1, 8), Complex64::new(1.0, 0.0));
        assert_eq!(likeness(&Acquisition::from_samples("x", two)), None);
    }
}
