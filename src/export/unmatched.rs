//! What found nobody on the other side of a join.

use super::join::{Joined, Unmatched};
use super::key::Key;
use super::study::Study;
use super::table::{Column, Table};

pub(crate) fn table(study: &Study) -> Table<'_> {
    let rows: Vec<(&Joined, &Unmatched)> =
        study.joined.iter().flat_map(|joined| joined.unmatched.iter().map(move |one| (joined, one))).collect();
    let label = |key: Key| {
        rows.iter().map(move |(_, one)| {
            let own = one.keys.iter().find(|(own, _)| *own == key)?;
            own.1.as_deref().map(|label| key.written(label))
        })
    };
    let side = |one: &Unmatched| if one.is_of_results { "results" } else { "file" };
    let columns = vec![
        Column::text("file", "Joined file", rows.iter().map(|row| Some(row.0.name.as_str()))),
        Column::text(
            "side",
            "results: no line of the file is theirs; file: no row of the results is theirs",
            rows.iter().map(|row| Some(side(row.1))),
        ),
        Column::owned("participant_id", "Participant", label(Key::Participant)),
        Column::owned("session_id", "Session", label(Key::Session)),
        Column::owned("site", "Site", label(Key::Site)),
        Column::owned("voi", "Region", label(Key::Voi)),
        Column::owned("spectrum_id", "Spectrum", label(Key::Spectrum)),
        Column::count("line", "Line of the file", rows.iter().map(|row| i64::try_from(row.1.line?).ok())),
        Column::count("n_rows", "Rows of the results", rows.iter().map(|row| i64::try_from(row.1.n_rows).ok())),
        Column::text(
            "looks_like",
            "Who may be meant on the other side: alike but for capitals, leading zeros and punctuation",
            rows.iter().map(|row| row.1.looks_like.as_deref()),
        ),
    ];
    Table { name: "unmatched".to_owned(), row: "One row per label that found nothing.", columns }
}

/// What was joined, a line a file.
pub(crate) fn in_words(study: &Study) -> Vec<String> {
    let line = |joined: &Joined| {
        let by: Vec<&str> = joined.keys.iter().map(|key| key.name()).collect();
        let n_matched = joined.line_of.iter().flatten().count();
        let of = |is_of_results: bool| joined.unmatched.iter().filter(move |one| one.is_of_results == is_of_results);
        let mut text = format!("{} by {}: {n_matched} of {} rows", joined.name, by.join(" and "), joined.line_of.len());
        for (is_of_results, what) in [(true, "of the results are not in it"), (false, "of it are not in the results")] {
            let first = of(is_of_results).next();
            let Some(first) = first else { continue };
            let labels: Vec<String> = first
                .keys
                .iter()
                .map(|(key, label)| label.as_deref().map_or("n/a".to_owned(), |label| key.written(label)))
                .collect();
            let like = of(is_of_results).find_map(|one| one.looks_like.as_ref());
            let like = like.map(|like| format!("; {like} looks alike")).unwrap_or_default();
            text += &format!(
                "; {} {what} ({}{}{like})",
                of(is_of_results).count(),
                labels.join(" "),
                if of(is_of_results).count() > 1 { ", …" } else { "" }
            );
        }
        text
    };
    study.joined.iter().map(line).collect()
}
