//! Accuracy on all sets with known truth, in one table, without files: fits on the processor, straight from the library.
//!
//! `cargo bench --profile dev --bench accuracy -- [--only SET,…] [--spectra N] [--method NAME|FILE] [--metabolites]
//! [--seed N] [--features FILE.csv]`, or `-- --calibrate`: writes the coefficients of the quality score
//! (`src/quality/coefficients.rs`) from sets other than those that are told.
//!
//! Sets: those of `requant benchmark` (`--only` takes their names), of `../shared/data` (or REQUANT_TEST_DATA) and
//! `../shared/cases`; other programs' results from `../shared/reference`. `--spectra N`: the first N of a set, N of each
//! condition of a simulated one. `--seed N`: simulated sets of the same kinds, other spectra. `--features`: what each fit knows
//! about itself, and what it is off by. What cannot be found is left out. Takes minutes: it is no part of the tests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    unreachable_pub,
    reason = "bench"
)]

#[path = "accuracy/calibrate.rs"]
mod calibrate;
#[path = "accuracy/features.rs"]
mod features;
#[path = "accuracy/fitted.rs"]
mod fitted;
#[path = "accuracy/groups.rs"]
mod groups;
#[path = "accuracy/load.rs"]
mod load;
#[path = "accuracy/strangers.rs"]
mod strangers;
#[path = "accuracy/table.rs"]
mod table;

use std::path::{Path, PathBuf};

use requant::benchmark::{BenchmarkOptions, Set, chosen};
use requant::fit::Method;
use requant::quantify::WaterScaling;

struct Arguments {
    only: Vec<String>,
    spectra: Option<usize>,
    method: Method,
    metabolites: bool,
    /// Added to the seeds of simulated sets: others of the same kind.
    seed: u64,
    /// Whether to write the coefficients of the quality score.
    calibrate: bool,
    /// Where to write what fits know about themselves.
    features: Option<PathBuf>,
}

fn arguments() -> Arguments {
    let mut found = Arguments {
        only: Vec::new(),
        spectra: None,
        method: Method::built_in("map").unwrap().unwrap(),
        metabolites: false,
        seed: 0,
        calibrate: false,
        features: None,
    };
    let mut given = std::env::args().skip(1);
    while let Some(key) = given.next() {
        let mut value = || given.next().unwrap_or_else(|| panic!("{key} needs a value"));
        match key.as_str() {
            // What cargo adds.
            "--bench" => {}
            "--metabolites" => found.metabolites = true,
            "--only" => found.only = value().split(',').map(str::to_owned).collect(),
            "--spectra" => found.spectra = Some(value().parse().expect("--spectra takes a number")),
            "--calibrate" => found.calibrate = true,
            "--seed" => found.seed = value().parse().expect("--seed takes a number"),
            "--features" => found.features = Some(PathBuf::from(value())),
            "--method" => {
                let name = value();
                found.method = match Method::built_in(&name) {
                    Some(method) => method.unwrap(),
                    None => Method::from_toml(&std::fs::read_to_string(&name).unwrap()).unwrap(),
                };
            }
            other => panic!("{other}? see the head of benches/accuracy.rs"),
        }
    }
    found
}

/// All sets that are there.
fn sets(only: &[String]) -> (Vec<Set>, Option<PathBuf>) {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let data = std::env::var_os("REQUANT_TEST_DATA").map_or_else(|| shared.join("data"), PathBuf::from);
    let peers = Some(shared.join("reference")).filter(|p| p.is_dir());
    let options = BenchmarkOptions {
        out: PathBuf::new(),
        overwrite: false,
        data: [data, shared.join("cases")].into_iter().filter(|d| d.is_dir()).collect(),
        peers: peers.clone(),
        methods: Vec::new(),
        learn: None,
        only: only.to_vec(),
        spectra: None,
        water_scaling: WaterScaling::lcmodel().unwrap(),
        gates: None,
        memory_bytes: 0,
    };
    (chosen(&options).unwrap(), peers)
}

fn main() {
    let given = arguments();
    let (sets, peers) = sets(&given.only);
    if given.calibrate {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/quality/coefficients.rs");
        return calibrate::calibrate(&sets, &given.method, &path);
    }
    let mut features = String::new();
    table::head(given.method.name());
    for set in sets {
        // Water-scaled values need the pairing of files that a run does.
        if set.name == "challenge2016" {
            continue;
        }
        let mut loaded = load::load(&set, given.spectra, given.seed);
        if set.name == "strangers" {
            load::add_lacking(&mut loaded, "clean");
        }
        let results = fitted::fit(&set, &loaded, &given.method);
        if given.features.is_some() {
            features::add(&mut features, &set, &loaded, &results);
        }
        match set.name.as_str() {
            "strangers" => strangers::told(&loaded, &results),
            "group-width" | "group-20" => groups::told(&set, &loaded, &results),
            _ => table::row(&set, &loaded, &results, peers.as_deref(), given.metabolites),
        }
    }
    if let Some(path) = given.features {
        std::fs::write(path, features).unwrap();
    }
}
