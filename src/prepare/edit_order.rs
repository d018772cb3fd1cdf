//! Transients of an edited measurement sorted into its conditions: as somebody states, as the file says, or as the data show.

use num_complex::Complex64;

use super::condition::whole_transients;
use super::edit_combined::{MOST as MOST_ROWS, combined};
use super::edit_contradiction::contradiction;
use super::edit_decision::{Decision, Found, decide, with_glutathione};
use super::edit_evidence::Evidence;
use super::error::{PrepareError, check_header};
use super::settings::Preparation;
use crate::acquisition::{Acquisition, Conditions, Editing, Origin, Samples, StatedEditing, Turns, named_editing};

/// Chemical shifts of the pulses for GABA and for glutathione (ppm).
const GABA_PPM: f64 = 1.9;
const GSH_PPM: f64 = 4.56;

/// Words in a file's name that say which condition, or which combination of conditions, it holds.
const CONDITION_WORDS: [&str; 6] = ["on", "off", "diff", "dif", "sum", "edit"];

/// Sorts the transients of `data` into conditions, where it is a measurement of editing; any other stays as it is.
///
/// `file_stem` is the file's name, which may say that it is edited, or which condition it holds.
///
/// # Errors
/// [`PrepareError::EditOrder`] where transients of several conditions cannot be told apart,
/// [`PrepareError::EditConditions`] where sequence or name say that conditions are missing.
pub fn arrange(
    data: &mut Acquisition,
    water: Option<&Acquisition>,
    preparation: &Preparation,
    stated: &StatedEditing,
    file_stem: &str,
) -> Result<(), PrepareError> {
    if stated.n_conditions == Some(1) {
        as_one(data, stated);
        return Ok(());
    }
    if data.n_conditions() > 1 {
        name_conditions(data, stated);
        return Ok(());
    }
    let by_name =
        data.facts.sequence.as_deref().and_then(named_editing).or_else(|| named_editing(&own_words(file_stem)));
    let n_conditions = match (stated.n_conditions, &data.editing, by_name) {
        (Some(n), ..) => Some(n),
        (None, Some(Editing { conditions: Conditions::Mixed(n), .. }), named) => {
            n.or(named.and_then(|n| n.n_conditions))
        }
        (None, Some(_), _) | (None, None, None) => return Ok(()),
        (None, None, Some(named)) => named.n_conditions,
    };
    let n_transients = data.n_transients();
    if let Some(turns) = stated.turns(n_transients) {
        if turns.of_each(n_transients) == 0 {
            return Err(PrepareError::EditOrder { n_transients });
        }
        // What cannot be looked at contradicts nothing: preparation says why.
        let evidence = evidence_of(data, water, preparation).ok().flatten();
        let contradiction = evidence.and_then(|evidence| contradiction(&evidence, turns));
        as_stated(data, turns, stated);
        if let Some(contradiction) = contradiction {
            data.flags.push("edit_order_contradicted");
            data.remarks.push(format!(
                "the data contradict the stated order of the edit conditions, `{turns}`: {contradiction}"
            ));
        }
        return Ok(());
    }
    if n_transients < 2 {
        let Some(condition) = condition_of(file_stem) else {
            return Err(PrepareError::EditConditions { n_transients });
        };
        data.remarks.push(format!("the file's name says that it holds the condition `{condition}` alone"));
        data.condition_labels = vec![condition.to_owned()];
        return Ok(());
    }
    leave_out_combined(data, preparation)?;
    as_data_show(data, water, preparation, n_conditions)
}

/// Leaves rows out that are made of the others: their conditions tell as much.
fn leave_out_combined(data: &mut Acquisition, preparation: &Preparation) -> Result<(), PrepareError> {
    let (dwell_s, f0_mhz) = check_header(data)?;
    let [voxels, conditions, transients, coils, points] = data.samples.shape();
    if voxels > 1 || coils > 1 || preparation == &Preparation::None {
        return Ok(());
    }
    let rows: Vec<Vec<Complex64>> =
        (0..transients.min(MOST_ROWS + 1)).map(|t| data.samples.fid([0, 0, t, 0])).collect();
    let combined = combined(&rows, dwell_s, f0_mhz);
    if combined.is_empty() {
        return Ok(());
    }
    let kept: Vec<usize> = (0..transients).filter(|t| !combined.contains(t)).collect();
    let said: Vec<String> = combined.iter().map(|t| (t + 1).to_string()).collect();
    data.remarks.push(format!(
        "not read, as the export made them of the other rows (a difference, a sum): row {} of {transients}",
        said.join(" and ")
    ));
    let all = data.samples.clone();
    let shape = [voxels, conditions, kept.len(), coils, points];
    data.samples = Samples::stored_in_parts(shape, move |[voxel, condition, transient, coil], points| {
        all.points([voxel, condition, kept[transient], coil], points)
    });
    Ok(())
}

/// One condition, whatever names say.
fn as_one(data: &mut Acquisition, stated: &StatedEditing) {
    if data.n_conditions() == 1 {
        data.editing = None;
        data.condition_labels = stated.conditions.iter().map(|c| c.label.clone()).collect();
        data.condition_labels.resize(1, String::new());
    }
}

/// Transients sorted as somebody states.
fn as_stated(data: &mut Acquisition, turns: Turns, stated: &StatedEditing) {
    data.editing = Some(Editing { origin: Origin::Manifest, ..data.editing.clone().unwrap_or_default() });
    data.sort_into(turns, (1..=turns.n_conditions).map(|c| format!("condition{c}")).collect());
    name_conditions(data, stated);
}

/// Names the conditions as somebody states.
fn name_conditions(data: &mut Acquisition, stated: &StatedEditing) {
    if stated.conditions.len() == data.n_conditions() {
        data.condition_labels = stated.conditions.iter().map(|c| c.label.clone()).collect();
        let pulses_ppm = stated.conditions.iter().map(|c| c.pulses_ppm.clone()).collect::<Option<_>>();
        let pulses_ppm = pulses_ppm.unwrap_or_default();
        let turns = data.editing.as_ref().and_then(|editing| editing.turns);
        data.editing = Some(Editing { pulses_ppm, turns, origin: Origin::Manifest, ..Editing::default() });
    }
}

/// Transients sorted as NAA and residual water show.
fn as_data_show(
    data: &mut Acquisition,
    water: Option<&Acquisition>,
    preparation: &Preparation,
    n_conditions: Option<usize>,
) -> Result<(), PrepareError> {
    let unknown = PrepareError::EditOrder { n_transients: data.n_transients() };
    let evidence = evidence_of(data, water, preparation)?.ok_or(unknown.clone())?;
    let Found { turns, without_naa, probability } = match decide(&evidence, n_conditions) {
        Decision::Conditions(found) => found,
        Decision::One { .. } => return Err(PrepareError::EditConditions { n_transients: data.n_transients() }),
        Decision::CannotTell => return Err(unknown),
    };
    let glutathione = (turns.n_conditions == 4).then(|| with_glutathione(&evidence, turns, &without_naa)).flatten();
    let (labels, pulses_ppm) = names_of(&without_naa, glutathione.as_deref());
    let told = if glutathione.is_some() { "NAA and residual water" } else { "NAA" };
    data.remarks.push(format!(
        "the order of the edit conditions was told by {told}: {turns} {} (probability {probability:.4})",
        labels.join(" ")
    ));
    data.editing = Some(Editing { pulses_ppm, origin: Origin::Data(probability), ..Editing::default() });
    data.sort_into(turns, labels);
    Ok(())
}

/// What the transients of a single voxel show; `None` where they hold nothing that can be looked at, or must not be.
fn evidence_of(
    data: &Acquisition,
    water: Option<&Acquisition>,
    preparation: &Preparation,
) -> Result<Option<Evidence>, PrepareError> {
    let (dwell_s, f0_mhz) = check_header(data)?;
    if data.n_voxels() > 1 || preparation == &Preparation::None {
        return Ok(None);
    }
    let (places, transients) = whole_transients(preparation, data, water, 0, 0)?;
    Ok(Evidence::of(&transients, dwell_s, f0_mhz).map(|evidence| evidence.spread(&places, data.n_transients())))
}

/// Label and editing pulses of each condition.
fn names_of(without_naa: &[bool], glutathione: Option<&[bool]>) -> (Vec<String>, Vec<Vec<f64>>) {
    let named = without_naa.iter().enumerate().map(|(c, gaba)| match (without_naa.len(), glutathione.map(|g| g[c])) {
        (2, _) if *gaba => ("on".to_owned(), vec![GABA_PPM]),
        (2, _) => ("off".to_owned(), Vec::new()),
        (_, Some(true)) if *gaba => ("gaba+gsh".to_owned(), vec![GABA_PPM, GSH_PPM]),
        (_, Some(true)) => ("gsh".to_owned(), vec![GSH_PPM]),
        (_, Some(false)) if *gaba => ("gaba".to_owned(), vec![GABA_PPM]),
        (_, Some(false)) => ("off".to_owned(), Vec::new()),
        // Whether there is a second pulse is not known.
        (_, None) if *gaba => (format!("gaba{}", c + 1), vec![GABA_PPM]),
        (_, None) => (format!("off{}", c + 1), Vec::new()),
    });
    named.unzip()
}

/// A file's name without what it says of subject and session. A metabolite's name alone names no scan.
fn own_words(file_stem: &str) -> String {
    if file_stem.eq_ignore_ascii_case("gaba") {
        return String::new();
    }
    file_stem
        .split('_')
        .filter(|part| !part.starts_with("sub-") && !part.starts_with("ses-"))
        .collect::<Vec<_>>()
        .join("_")
}

/// Which condition the name says that a file holds, where it says so once.
fn condition_of(file_stem: &str) -> Option<&'static str> {
    let name = file_stem.to_lowercase();
    let words: Vec<&str> = name.split(|c: char| !c.is_alphanumeric()).collect();
    let mut found = CONDITION_WORDS.into_iter().filter(|word| words.contains(word));
    match (found.next(), found.next()) {
        (Some("dif"), None) => Some("diff"),
        // `edit off`, `edit on`.
        (Some(word), None | Some("edit")) if word != "edit" => Some(word),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use ndarray::Array5;
    use num_complex::Complex64;

    use super::*;

    fn transients(n: usize) -> Acquisition {
        let samples = Array5::from_shape_fn((1, 1, n, 1, 8), |(_, _, t, _, _)| Complex64::new(t as f64, 0.0));
        Acquisition::from_samples("", samples)
    }

    fn arranged(
        data: &Acquisition,
        order: (Option<&str>, Option<&str>),
        stem: &str,
    ) -> Result<Acquisition, PrepareError> {
        let mut data = data.clone();
        let stated = StatedEditing::parse(order.0, order.1).unwrap();
        arrange(&mut data, None, &Preparation::default(), &stated, stem).map(|()| data)
    }

    /// Numbers of the transients of a condition.
    fn of_condition(data: &Acquisition, condition: usize) -> Vec<usize> {
        (0..data.n_transients()).map(|t| data.samples.at([0, condition, t, 0, 0]).re as usize).collect()
    }

    #[test]
    fn what_a_manifest_states_is_done() {
        let data = arranged(&transients(8), (None, Some("in_turn off on")), "x").unwrap();
        assert_eq!((of_condition(&data, 0), of_condition(&data, 1)), (vec![0, 2, 4, 6], vec![1, 3, 5, 7]));
        assert_eq!(data.condition_labels, ["off", "on"]);
        let data = arranged(&transients(9), (None, Some("blocks_2 on off")), "x").unwrap();
        // The last circle is not whole: of OFF there are two pairs, of ON two and a half.
        assert_eq!((of_condition(&data, 0), of_condition(&data, 1)), (vec![0, 1, 4, 5], vec![2, 3, 6, 7]));
        let data = arranged(&transients(8), (None, Some("halves on off")), "x").unwrap();
        assert_eq!(of_condition(&data, 1), [4, 5, 6, 7]);
        let four = arranged(&transients(8), (None, Some("in_turn gaba off gsh gaba+gsh")), "x").unwrap();
        assert_eq!(four.editing.unwrap().pulses_ppm, [vec![1.9], vec![], vec![4.56], vec![1.9, 4.56]]);
        let as_it_is = arranged(&transients(8), (Some("1"), None), "x_MEGA").unwrap();
        assert_eq!((as_it_is.n_conditions(), as_it_is.n_transients()), (1, 8));
        let few = arranged(&transients(1), (None, Some("in_turn on off")), "x").unwrap_err();
        assert_eq!(few.code(), "cannot_tell_edit_order");
    }

    #[test]
    fn what_is_called_edited_and_has_one_condition_is_no_result() {
        let mut data = transients(1);
        for stem in ["x_MEGA_act", "GABA_act", "sub-01_acq-hermes_svs"] {
            assert_eq!(arranged(&data, (None, None), stem).unwrap_err().code(), "edit_conditions_missing", "{stem}");
        }
        for stem in ["x_act", "sub-gaba1_svs", "GABA", "x_unedited"] {
            assert_eq!(arranged(&data, (None, None), stem).unwrap().condition_labels, [""], "{stem}");
        }
        data.facts.sequence = Some("svs_edit".to_owned());
        assert_eq!(arranged(&data, (None, None), "x").unwrap_err().code(), "edit_conditions_missing");
        for (stem, label) in [("np_on_spec", "on"), ("S1_OFF", "off"), ("np_dif_spec", "diff"), ("edit-off", "off")] {
            assert_eq!(arranged(&data, (None, None), stem).unwrap().condition_labels, [label]);
        }
        assert_eq!(arranged(&data, (None, Some("diff")), "x").unwrap().condition_labels, ["diff"]);
        assert!(arranged(&data, (None, None), "on_off").is_err());
    }
}
