//! What simulated sets with scanners' pulses cost: time of one protocol on one core, from the cache, and of forty protocols on two
//! cores, and memory.
//!
//! `cargo bench --profile dev --bench sets`; figures stand in benches/ACCURACY.md. Times are of the processor, from /proc (Linux), so
//! that a busy machine changes them little.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs, reason = "bench")]

use std::process::Command;
use std::time::Instant;

use rayon::prelude::*;
use requant::basis::check::Protocol;
use requant::basis::simulate::pulses::{Known, Vendor};
use requant::basis::simulate::{Recipe, Timing};

/// The members of a large set: the brain's usual ones and eight more; glucose, of seven coupled protons, among them.
const MEMBERS: [&str; 28] = [
    "Ala", "Asc", "Asp", "Cr", "PCr", "GABA", "Glc", "Gln", "Glu", "Gly", "GPC", "PCh", "GSH", "Ins", "Lac", "NAA",
    "NAAG", "PE", "Scyllo", "Tau", "Ace", "bHB", "bHG", "Cit", "Cho", "EA", "Glyc", "Ser",
];
const CACHED_TIMES: u32 = 50;

fn recipe(vendor: Option<Vendor>, te_s: f64, f0_mhz: f64, sequence: &str) -> Recipe {
    let protocol = Protocol {
        f0_mhz: Some(f0_mhz),
        te_s: Some(te_s),
        sequence: Some(sequence.to_owned()),
        dwell_s: Some(5e-4),
        n_points: Some(2048),
    };
    let timing = Timing { known: Known { vendor, ..Known::default() }, ..Timing::default() };
    let mut recipe = Recipe::from_protocol(&protocol, &timing).unwrap();
    recipe.metabolites = MEMBERS.map(str::to_owned).to_vec();
    recipe
}

/// Three vendors and an unknown one at ten echo times.
fn forty() -> Vec<Recipe> {
    let vendors =
        [(Some(Vendor::Siemens), 123.2), (Some(Vendor::Philips), 127.73), (Some(Vendor::Ge), 127.76), (None, 123.2)];
    let echoes = [0.028, 0.030, 0.032, 0.035, 0.040, 0.068, 0.080, 0.097, 0.135, 0.144];
    vendors.iter().flat_map(|(v, f0)| echoes.iter().map(|te| recipe(*v, *te, *f0, "press"))).collect()
}

/// Time of the processor that this process has used (s).
fn processor_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after = stat.rsplit_once(')').unwrap().1;
    let ticks: Vec<f64> = after.split_whitespace().skip(11).take(2).map(|t| t.parse().unwrap()).collect();
    (ticks[0] + ticks[1]) / 100.0
}

fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

fn timed(what: &str, times: u32, work: impl Fn()) {
    let (processor, wall) = (processor_s(), Instant::now());
    (0..times).for_each(|_| work());
    let n = f64::from(times);
    println!(
        "| {what} | {:.4} | {:.4} | {:.0} |",
        (processor_s() - processor) / n,
        wall.elapsed().as_secs_f64() / n,
        peak_mb()
    );
}

fn part(name: &str) {
    let made = |recipe: &Recipe| assert_eq!(recipe.basis_set().unwrap().metabolites.len(), MEMBERS.len());
    let siemens = recipe(Some(Vendor::Siemens), 0.035, 123.2, "press");
    match name {
        "one" => timed("PRESS 35 ms, 28 members, one core", 1, || made(&siemens)),
        "cached" => {
            made(&siemens);
            timed("the same from the cache", CACHED_TIMES, || made(&siemens));
        }
        "slaser" => {
            let slaser = recipe(Some(Vendor::Ge), 0.035, 127.76, "slaser");
            timed("sLASER 35 ms, 28 members, one core", 1, || made(&slaser));
        }
        "forty" => timed("40 protocols, two cores", 1, || forty().par_iter().for_each(made)),
        other => panic!("{other}? one, cached, slaser, forty"),
    }
}

fn main() {
    let asked = std::env::args().skip(1).find(|a| a != "--bench");
    if let Some(name) = asked {
        return part(&name);
    }
    let cache = tempfile::tempdir().unwrap();
    println!("| | processor (s) | clock (s) | peak (MB) |\n|---|---|---|---|");
    for (name, threads, folder) in
        [("one", "1", None), ("cached", "1", Some(cache.path())), ("slaser", "1", None), ("forty", "2", None)]
    {
        // One process for each, so that each has its own peak of memory.
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(name).env("RAYON_NUM_THREADS", threads);
        command.env("REQUANT_CACHE_DIR", folder.map(|f| f.as_os_str().to_owned()).unwrap_or_default());
        assert!(command.status().unwrap().success(), "{name}");
    }
}
