//! A study's people are as the recipe says.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::super::recipe::Recipe;
use super::super::{Corpus, Subject, write};
use super::{Fate, Person};
use crate::basis::simulate::Sequence;

/// Two metabolites, 40 sites, two voxels, short FIDs: only people and concentrations are looked at.
fn corpus(subjects: usize) -> Corpus {
    let mut site = String::new();
    for i in 0..40 {
        let vendor = ["Siemens", "Philips", "GE"][i % 3];
        site += &format!(
            "[[site]]\nname = \"s{i:02}\"\nvendor = \"{vendor}\"\nf0_mhz = 123.2\nsequence = {{ sequence = \"pulse-acquire\" }}\ntr_s = 2.0\n\
             bandwidth_hz = 2000.0\nn_points = 256\nsnr = [20.0, 50.0]\ngauss_hz = [3.0, 6.0]\n"
        );
    }
    let text = format!(
        "seed = 5\nsubjects = {subjects}\n\
         [[group]]\nname = \"control\"\nshare = 1451\n[[group]]\nname = \"patient\"\nshare = 1686\neffect = {{ Glu = 1.05 }}\n\
         [[voxel]]\nname = \"acc\"\n[[voxel]]\nname = \"wm\"\n{site}\
         [concentrations]\nGlu = [9.0, 0.1]\nIns = [6.0, 0.1]\n\
         [study]\nsite_sd = 0.08\nvendor_sd = 0.05\nsite_size_sd = 0.5\nshare_sd = 0.8\nconfounding = 0.6\nvoxel_correlation = 0.5\n\
         age = {{ Glu = -0.004 }}\nmale = {{ Ins = 0.06 }}\ngm = {{ Glu = 0.5 }}\ngm_ratio = {{ wm = [0.2, 0.04] }}\n\
         age_years = {{ patient = [30.0, 6.0] }}\nmale_share = {{ patient = 0.7 }}\nfailed = 0.02\n\
         missing = {{ spectrum = 0.03, participant = 0.01, age = 0.05, scale = 0.1 }}\n\
         [[study.scale]]\nname = \"panss\"\nmetabolite = \"Glu\"\ncorrelation = 0.4\ngroups = [\"patient\"]\nmean_sd = [75.0, 15.0]\n\
         {NUISANCES}"
    );
    Corpus::new(&Recipe::from_toml(&text).unwrap()).unwrap()
}

const NUISANCES: &str = "[nuisances]\nshift_hz = 0.0\nphi0_deg = 0.0\nphi1_deg_per_ppm = 0.0\nlorentz_hz = [1.0, 0.0]\nown_shift_ppm = 0.0\n\
own_width_hz = 0.0\nasymmetry = 0.0\nmacromolecules = 0.0\nmacromolecule_groups = 0.0\nmacromolecule_peaks = 0.0\nlipids = [0.0, 0.0]\n\
baseline = 0.0\nresidual_water = 0.0\ndrift_hz = [0.0, 0.0]\n";

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let (ma, mb) = (mean(a), mean(b));
    let product =
        |x: &[f64], mx: f64, y: &[f64], my: f64| x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum::<f64>();
    product(a, ma, b, mb) / (product(a, ma, a, ma) * product(b, mb, b, mb)).sqrt()
}

/// Everybody, with their levels.
fn everybody(corpus: &Corpus) -> Vec<(Subject, Person, Vec<f64>)> {
    let of = |index| (corpus.subject(index), corpus.person(index).unwrap(), corpus.levels(&mut corpus.stream(index)));
    (0..corpus.recipe.subjects).map(of).collect()
}

#[test]
fn groups_have_their_people_to_the_person_and_sites_have_shares_of_their_own() {
    let corpus = corpus(3137);
    let people = everybody(&corpus);
    assert_eq!(people.iter().filter(|(s, ..)| s.group == 1).count(), 1686);
    assert_eq!(people.iter().filter(|(s, ..)| s.group == 0).count(), 1451);
    let of_site =
        |site: usize, group: usize| people.iter().filter(|(s, ..)| s.site == site && s.group == group).count() as f64;
    let shares: Vec<f64> = (0..40).map(|site| of_site(site, 1) / (of_site(site, 0) + of_site(site, 1))).collect();
    let (least, most) = (shares.iter().copied().fold(1.0, f64::min), shares.iter().copied().fold(0.0, f64::max));
    assert!(least < 0.3 && most > 0.75, "{least} to {most}");
    // Sites with more patients have higher values: the correlation that was asked for, as far as 40 sites know it.
    let factors: Vec<f64> = corpus.cohort.as_ref().unwrap().factors.iter().map(|f| f[1].ln()).collect();
    let logits: Vec<f64> = shares.iter().map(|share| (share / (1.0 - share)).ln()).collect();
    let found = correlation(&factors, &logits);
    assert!((0.2..0.85).contains(&found), "{found}");
}

#[test]
fn people_are_as_their_group() {
    let corpus = corpus(3137);
    let people = everybody(&corpus);
    let patients: Vec<_> = people.iter().filter(|(s, ..)| s.group == 1).collect();
    let ages: Vec<f64> = patients.iter().map(|(s, ..)| s.age).collect();
    assert!((mean(&ages) - 30.0).abs() < 0.6, "{}", mean(&ages));
    let men = patients.iter().filter(|(s, ..)| s.sex == 'M').count() as f64 / patients.len() as f64;
    assert!((men - 0.7).abs() < 0.04, "{men}");
    let scores: Vec<f64> = patients.iter().map(|(_, p, _)| p.scales[0].unwrap()).collect();
    let levels: Vec<f64> = patients.iter().map(|(.., levels)| levels[0]).collect();
    let found = correlation(&scores, &levels);
    assert!((found - 0.4).abs() < 0.06 && (mean(&scores) - 75.0).abs() < 1.2, "{found}");
    assert!(people.iter().filter(|(s, ..)| s.group == 0).all(|(_, p, _)| p.scales[0].is_none()));
    let share = |of: fn(&Person) -> bool| people.iter().filter(|(_, p, _)| of(p)).count() as f64 / people.len() as f64;
    for (found, asked) in [
        (share(|p| p.fates[0] == Fate::NotAcquired), 0.03),
        (share(|p| p.fates[1] == Fate::Empty), 0.02),
        (share(|p| !p.is_listed), 0.01),
        (share(|p| !p.has_age), 0.05),
        (share(|p| !p.has_scale[0]), 0.1),
    ] {
        assert!((found - asked).abs() < 0.015, "{found}, not {asked}");
    }
}

/// Concentrations are the product of what the recipe says, and the voxels of a person are as alike as it says.
#[test]
fn concentrations_are_what_was_asked_for() {
    let corpus = corpus(1500);
    let factors = &corpus.cohort.as_ref().unwrap().factors;
    let (mut acc, mut wm) = (Vec::new(), Vec::new());
    for (subject, person, levels) in everybody(&corpus) {
        let of = |voxel: usize| corpus.concentrations(&subject, Some(&person), voxel, &levels);
        let glu = [of(0)[0], of(1)[0]];
        let effect = if subject.group == 1 { 1.05 } else { 1.0 };
        let known = |voxel: usize| {
            let gm = 1.0 + 0.5 * (person.gm_ratio[voxel] - 0.6);
            9.0 * effect * factors[subject.site][0] * (1.0 - 0.004 * (subject.age - 40.0)) * gm
        };
        acc.push(glu[0] / known(0) - 1.0);
        wm.push(glu[1] / known(1) - 1.0);
        let male = if subject.sex == 'M' { 1.06 } else { 1.0 };
        let level = 0.5_f64.sqrt() * (levels[1] + person.of_voxel[0][1]);
        let ins = 6.0 * (1.0 + 0.1 * level).max(0.05) * factors[subject.site][1] * male;
        assert!((of(0)[1] / ins - 1.0).abs() < 1e-12);
    }
    let sd = (acc.iter().map(|x| x * x).sum::<f64>() / acc.len() as f64).sqrt();
    assert!((sd - 0.1).abs() < 0.006 && mean(&acc).abs() < 0.01, "{sd}");
    let alike = correlation(&acc, &wm);
    assert!((alike - 0.5).abs() < 0.07, "{alike}");
}

#[test]
fn a_study_that_makes_no_sense_is_named() {
    let good = toml::to_string(&corpus(10).recipe).unwrap();
    for (old, new, said) in [
        ("confounding = 0.6", "confounding = 1.5", "confounding -1 to 1"),
        ("metabolite = \"Glu\"", "metabolite = \"GABA\"", "no `GABA`; there are Glu, Ins"),
        ("name = \"panss\"", "name = \"Age\"", "a column of its own"),
        ("failed = 0.02", "failed = 2.0", "shares, 0 to 1"),
        ("patient = 0.7", "pateint = 0.7", "no `pateint`"),
        ("site_sd = 0.08", "site_sd = nan", "site_sd"),
    ] {
        let text = good.replacen(old, new, 1);
        assert_ne!(text, good, "{old}");
        let error = Recipe::from_toml(&text).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

/// What is missing is missing from the files and stands in the truth.
#[test]
fn the_files_lack_what_is_missing_and_the_truth_has_it() {
    let mut recipe = corpus(60).recipe;
    let study = recipe.study.as_mut().unwrap();
    (study.missing.spectrum, study.missing.participant, study.missing.age, study.failed) = (0.2, 0.2, 0.2, 0.2);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("corpus");
    let written = write(&out, &recipe).unwrap();
    let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    let table = |text: &str| {
        text.lines().skip(1).map(|l| l.split('\t').map(str::to_owned).collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    let (truth, people) = (table(&read("truth/people.tsv")), table(&read("participants.tsv")));
    assert_eq!((truth.len(), table(&read("tissue.tsv")).len()), (120, 120));
    let of_fate = |fate: &str| truth.iter().filter(|row| row[10] == fate).count();
    assert!(of_fate("not_acquired") > 10 && of_fate("empty") > 10);
    assert_eq!(written.n_spectra, 120 - of_fate("not_acquired"));
    for row in &truth {
        let there = out.join(format!("{}.nii.gz", row[2])).exists();
        assert_eq!(there, row[10] != "not_acquired", "{row:?}");
        assert_eq!(people.iter().any(|person| person[0] == row[0]), row[9] == "true", "{row:?}");
    }
    let ages = people.iter().filter(|person| person[2] == "n/a").count();
    assert!((3..25).contains(&ages), "{ages}");
    // Controls were not rated, and each of the others is in the truth, rated or not.
    assert!(truth.iter().all(|row| (row[5] == "control") == (row[11] == "n/a")));
    let again: Recipe = toml::from_str(&read("truth/recipe.toml")).unwrap();
    assert_eq!(again, recipe);
}

#[test]
fn files_state_the_times_of_their_sequence() {
    let mut recipe = corpus(2).recipe;
    let stimulated = Sequence::Steam { te_s: 0.02, tm_s: 0.01 };
    for (sequence, te_s, tm_s) in [(stimulated, 0.02, Some(0.01)), (recipe.site[0].sequence, 0.0, None)] {
        recipe.site.iter_mut().for_each(|site| site.sequence = sequence);
        for (_, simulated) in Corpus::new(&recipe).unwrap().spectra(0) {
            let facts = simulated.data.facts;
            assert_eq!((facts.te_s, facts.tm_s, facts.tr_s), (Some(te_s), tm_s, Some(2.0)), "{sequence:?}");
        }
    }
}
