//! Transients of an edited measurement sorted into its conditions: as somebody states, as the file says, or as the data show.

use super::error::PrepareError;
use super::settings::Preparation;
use crate::acquisition::{Acquisition, Conditions, Editing, StatedEditing, Turns, named_editing};

/// Words in a file's name that say which condition, or which combination of conditions, it holds.
const CONDITION_WORDS: [&str; 6] = ["on", "off", "diff", "dif", "sum", "edit"];

/// The measurement with its conditions apart, where it is one of editing; any other as it is.
///
/// `file_stem` is the file's name, which may say that it is edited, or which condition it holds.
///
/// # Errors
/// [`PrepareError::EditOrder`] where transients of several conditions cannot be told apart,
/// [`PrepareError::EditConditions`] where sequence or name say that conditions are missing.
pub fn arranged(
    mut data: Acquisition,
    water: Option<&Acquisition>,
    preparation: &Preparation,
    stated: &StatedEditing,
    file_stem: &str,
) -> Result<Acquisition, PrepareError> {
    let _ = (water, preparation);
    if stated.n_conditions == Some(1) {
        return Ok(as_one(data, stated));
    }
    if data.n_conditions() > 1 {
        label(&mut data, stated);
        return Ok(data);
    }
    let by_name =
        data.facts.sequence.as_deref().and_then(named_editing).or_else(|| named_editing(&own_words(file_stem)));
    let n_conditions = match (stated.n_conditions, &data.editing, by_name) {
        (Some(n), ..) => Some(n),
        (None, Some(Editing { conditions: Conditions::Mixed(n), .. }), named) => {
            n.or(named.and_then(|n| n.n_conditions))
        }
        (None, Some(_), _) | (None, None, None) => return Ok(data),
        (None, None, Some(named)) => named.n_conditions,
    };
    if let Some(turns) = stated.turns(data.n_transients()) {
        return in_turns(data, turns, stated);
    }
    if data.n_transients() < 2 {
        return match condition_of(file_stem) {
            Some(condition) => {
                data.remarks.push(format!("the file's name says that it holds the condition `{condition}` alone"));
                data.condition_labels = vec![condition.to_owned()];
                Ok(data)
            }
            None => Err(PrepareError::EditConditions),
        };
    }
    Err(PrepareError::EditOrder { n_transients: data.n_transients(), n_conditions })
}

/// One condition, whatever names say.
fn as_one(mut data: Acquisition, stated: &StatedEditing) -> Acquisition {
    if data.n_conditions() == 1 {
        data.editing = None;
        data.condition_labels = stated.conditions.iter().map(|c| c.label.clone()).collect();
        data.condition_labels.resize(1, String::new());
    }
    data
}

/// Transients sorted as somebody states.
fn in_turns(data: Acquisition, turns: Turns, stated: &StatedEditing) -> Result<Acquisition, PrepareError> {
    let n_transients = data.n_transients();
    if turns.of_each(n_transients) == 0 {
        return Err(PrepareError::EditOrder { n_transients, n_conditions: Some(turns.n_conditions) });
    }
    let editing = data.editing.clone().unwrap_or_default();
    let labels = (1..=turns.n_conditions).map(|c| format!("condition{c}")).collect();
    let mut data = data.in_conditions(turns, labels);
    data.editing = Some(Editing { conditions: Conditions::Apart, ..editing });
    label(&mut data, stated);
    Ok(data)
}

/// Names the conditions as somebody states.
fn label(data: &mut Acquisition, stated: &StatedEditing) {
    if stated.conditions.len() == data.n_conditions() {
        data.condition_labels = stated.conditions.iter().map(|c| c.label.clone()).collect();
        let pulses_ppm =
            stated.conditions.iter().map(|c| c.pulses_ppm.clone()).collect::<Option<_>>().unwrap_or_default();
        data.editing = Some(Editing { pulses_ppm, conditions: Conditions::Apart });
    }
}

/// A file's name without what it says of subject and session.
fn own_words(file_stem: &str) -> String {
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
