//! What was run, with which settings and versions.

use std::path::Path;

use super::spectra::Spectra;
use super::view;
use crate::store::RunRecord;

/// The page's head.
pub(super) fn head(results: &Path, run: &RunRecord, spectra: &Spectra) -> view::Head {
    let name = results.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let name = name.unwrap_or_else(|| "results".to_owned());
    let mut parts = Vec::new();
    if let Some(started) = &run.started_utc {
        parts.push(format!("begun {}", started.replace('T', " ").replace('Z', " UTC")));
    }
    parts.push(format!("{} files", run.inputs.n_files));
    parts.push(format!("method{} {}", if spectra.methods.len() == 1 { "" } else { "s" }, spectra.methods.join(", ")));
    parts.push(format!("requant {}", run.requant_version));
    view::Head {
        title: name,
        sentence: parts.join(" · "),
        command: (!run.command_line.is_empty()).then(|| command(&run.command_line)),
        warnings: run.warnings.clone(),
    }
}

/// The command as one may type it again: its program by name alone, words with blanks quoted.
fn command(line: &[String]) -> String {
    let program =
        |word: &String| Path::new(word).file_name().map_or_else(|| word.clone(), |n| n.to_string_lossy().into_owned());
    let plain = |c: char| c.is_alphanumeric() || "-_./=,:+~@%".contains(c);
    let word = |(at, word): (usize, &String)| match (at, word.is_empty() || !word.chars().all(plain)) {
        (0, _) => program(word),
        (_, true) => format!("'{}'", word.replace('\'', "'\\''")),
        (_, false) => word.clone(),
    };
    line.iter().enumerate().map(word).collect::<Vec<_>>().join(" ")
}

/// The section at the end.
pub(super) fn settings(run: &RunRecord) -> view::Settings {
    let named =
        |all: &[crate::store::provenance::Named]| all.iter().map(|n| (n.id.clone(), n.sha256.clone())).collect();
    let left_out: Vec<String> =
        run.inputs.left_out.iter().map(|(what, n)| format!("{n} {}", what.replace('_', " "))).collect();
    let facts = [
        (
            "requant",
            Some(format!(
                "{}{}",
                run.requant_version,
                run.git_hash.as_ref().map(|h| format!(" ({h})")).unwrap_or_default()
            )),
        ),
        ("Columns of the tables", Some(format!("version {}", run.schema_version))),
        ("Begun", run.started_utc.clone()),
        ("Run", Some(run.run_id.clone())),
        ("Signature of its settings and inputs", Some(run.signature.clone())),
        ("Engine", Some(run.engine.clone())),
        ("Device", Some(run.device.clone())),
        ("Processor", run.cpu_model.clone()),
        ("Threads", Some(run.threads.to_string())),
        ("Files", Some(run.inputs.n_files.to_string())),
        ("Hash of their content", Some(run.inputs.content_sha256.clone())),
        ("Left out", Some(left_out.join(", "))),
        (
            "Rows",
            Some(format!(
                "{} spectra, {} metabolites, {} curves, {} transients",
                run.counts.spectra, run.counts.metabolites, run.counts.curves, run.counts.transients
            )),
        ),
    ];
    let told = |(name, text): (&str, Option<String>)| Some((name.to_owned(), text.filter(|text| !text.is_empty())?));
    view::Settings {
        facts: facts.into_iter().filter_map(told).collect(),
        methods: named(&run.methods),
        bases: named(&run.bases),
        depends_on: run.settings.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        config: serde_json::to_string_pretty(&run.config).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::command;

    #[test]
    fn a_command_can_be_typed_again() {
        let line = ["/usr/bin/requant", "run", "my scans", "--out", "it's"].map(str::to_owned);
        assert_eq!(command(&line), r"requant run 'my scans' --out 'it'\''s'");
    }
}
