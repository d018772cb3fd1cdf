//! The people of a corpus as tables: what a study has of them, and the truth.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::corpus::{Corpus, spectrum_id};

/// Writes `participants.tsv` with its columns' meanings; of a study also `tissue.tsv`, and beside the truth of spectra that of
/// people (`people.tsv`), of sites (`sites.tsv`) and the recipe.
pub(super) fn write(corpus: &Corpus, out: &Path) -> std::io::Result<()> {
    let mut meanings = serde_json::json!({
        "site": { "Description": "Site, with its own scanner and protocol" },
        "age": { "Description": "Age", "Units": "year" },
        "sex": { "Description": "Sex", "Levels": { "F": "female", "M": "male" } },
        "group": { "Description": "Group of the study" },
    });
    let scales = corpus.recipe.study.iter().flat_map(|study| &study.scale);
    for scale in scales {
        meanings[&scale.name] = serde_json::json!({ "Description": "Rating; those who were not rated have none" });
    }
    fs::write(out.join("participants.tsv"), participants(corpus))?;
    fs::write(out.join("participants.json"), format!("{meanings:#}\n"))?;
    if corpus.recipe.study.is_none() {
        return Ok(());
    }
    let (mut tissue, mut people) = ("participant_id\tvoi\tgm_share\n".to_owned(), truth_header(corpus));
    for index in 0..corpus.recipe.subjects {
        let subject = corpus.subject(index);
        let Some(person) = corpus.person(index) else { continue };
        for (voxel, gm) in corpus.recipe.voxel.iter().zip(&person.gm_ratio) {
            let _ = writeln!(tissue, "{}\t{}\t{gm:.4}", subject.id, voxel.name);
        }
        people += &truth_rows(corpus, index);
    }
    fs::write(out.join("tissue.tsv"), tissue)?;
    let truth = out.join("truth");
    fs::create_dir_all(&truth)?;
    fs::write(truth.join("people.tsv"), people)?;
    fs::write(truth.join("sites.tsv"), sites(corpus))?;
    let recipe = toml::to_string_pretty(&corpus.recipe).map_err(std::io::Error::other)?;
    fs::write(truth.join("recipe.toml"), recipe)
}

fn participants(corpus: &Corpus) -> String {
    let scales = corpus.recipe.study.as_ref().map(|study| study.scale.as_slice()).unwrap_or_default();
    let titles: String = scales.iter().map(|scale| format!("\t{}", scale.name)).collect();
    let mut text = format!("participant_id\tsite\tage\tsex\tgroup{titles}\n");
    for index in 0..corpus.recipe.subjects {
        let s = corpus.subject(index);
        let person = corpus.person(index);
        if person.as_ref().is_some_and(|person| !person.is_listed) {
            continue;
        }
        let (site, group) = (&corpus.sites[s.site].name, &corpus.recipe.group[s.group].name);
        let has_age = person.as_ref().is_none_or(|person| person.has_age);
        let age = if has_age { s.age.to_string() } else { "n/a".to_owned() };
        let _ = write!(text, "{}\t{site}\t{age}\t{}\t{group}", s.id, s.sex);
        for (score, has) in person.iter().flat_map(|person| person.scales.iter().zip(&person.has_scale)) {
            let _ = write!(text, "\t{}", cell(score.filter(|_| *has)));
        }
        text.push('\n');
    }
    text
}

fn cell(score: Option<f64>) -> String {
    score.map_or("n/a".to_owned(), |score| format!("{score:.2}"))
}

fn truth_header(corpus: &Corpus) -> String {
    let scales = corpus.recipe.study.iter().flat_map(|study| &study.scale);
    let titles: String = scales.map(|scale| format!("\t{}", scale.name)).collect();
    format!("participant_id\tvoi\tspectrum_id\tsite\tvendor\tgroup\tage\tsex\tgm_ratio\tis_listed\tfate{titles}\n")
}

/// A row a voxel: everything that was drawn, missing or not.
fn truth_rows(corpus: &Corpus, index: usize) -> String {
    let (s, mut text) = (corpus.subject(index), String::new());
    let Some(person) = corpus.person(index) else { return text };
    let (site, group) = (&corpus.sites[s.site], &corpus.recipe.group[s.group].name);
    let scores: String = person.scales.iter().map(|score| format!("\t{}", cell(*score))).collect();
    for (at, voxel) in corpus.recipe.voxel.iter().enumerate() {
        let id = spectrum_id(&s.id, &voxel.name);
        let _ = writeln!(
            text,
            "{}\t{}\t{id}\t{}\t{}\t{group}\t{}\t{}\t{:.4}\t{}\t{}{scores}",
            s.id,
            voxel.name,
            site.name,
            site.vendor,
            s.age,
            s.sex,
            person.gm_ratio[at],
            person.is_listed,
            person.fates[at].name(),
        );
    }
    text
}

fn sites(corpus: &Corpus) -> String {
    let mut text = "site\tvendor\tmetabolite\tfactor\n".to_owned();
    for (site, factors) in corpus.sites.iter().zip(corpus.cohort.iter().flat_map(|cohort| &cohort.factors)) {
        for (metabolite, factor) in corpus.metabolites.iter().zip(factors) {
            let _ = writeln!(text, "{}\t{}\t{metabolite}\t{factor:.6}", site.name, site.vendor);
        }
    }
    text
}
