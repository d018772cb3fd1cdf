//! What the tables say of scanner and acquisition: items 1 and 2.

use std::collections::BTreeMap;

use super::protocol::{Protocol, nominal_field};
use super::values::{joined, listed, number, numbers, plural, spread};
use crate::store::SpectrumRow;

/// What the tables say of an item of scanner or acquisition.
pub(super) fn say(protocol: &Protocol<'_>, id: &str) -> Option<String> {
    match id {
        "1a" => field(protocol),
        "1b" => listed(each(protocol, |row| row.vendor.clone())),
        "1d" => channels(protocol),
        "2a" => sequence(protocol),
        "2b" => regions(protocol),
        "2c" => numbers(each(protocol, |row| row.voxel_ml), 4, "ml").map(|size| format!("{size}, by the header")),
        "2d" => times(protocol),
        "2e" => acquisitions(protocol),
        "2f" => further(protocol),
        "2g" => water(protocol),
        _ => None,
    }
}

fn each<'a, T: 'a>(
    protocol: &'a Protocol<'_>,
    of: impl Fn(&SpectrumRow) -> Option<T> + 'a,
) -> impl Iterator<Item = Option<T>> + 'a {
    protocol.spectra.iter().map(move |row| of(row))
}

fn field(protocol: &Protocol<'_>) -> Option<String> {
    let nominal = listed(each(protocol, |row| row.field_t.map(|t| format!("{} T", nominal_field(t)))))?;
    let exact = numbers(each(protocol, |row| row.f0_mhz), 6, "MHz");
    Some(format!("{nominal}{}", exact.map(|f0| format!("; ¹H at {f0}")).unwrap_or_default()))
}

/// Receive channels in the files. One channel may have been one coil, or many that the scanner combined: files do not tell.
fn channels(protocol: &Protocol<'_>) -> Option<String> {
    let text = |row: &SpectrumRow| {
        row.n_coils.map(|n| match n {
            0 | 1 => "¹H, one channel in the file (a single coil, or combined on the scanner)".to_owned(),
            n => format!("¹H, {n} receive channels"),
        })
    };
    listed(each(protocol, text))
}

fn sequence(protocol: &Protocol<'_>) -> Option<String> {
    let name = listed(each(protocol, |row| row.sequence.clone()))?;
    let conditions = numbers(each(protocol, |row| row.n_conditions.map(f64::from)), 6, "edit conditions");
    let parts = conditions.and_then(|_| listed(each(protocol, |row| row.subspec.clone())));
    let conditions = numbers(each(protocol, |row| row.n_conditions.map(f64::from)), 6, "edit conditions");
    joined([Some(name), conditions, parts.map(|parts| format!("analysed: {parts}"))], "; ")
}

fn regions(protocol: &Protocol<'_>) -> Option<String> {
    listed(each(protocol, |row| row.voi.clone()))
}

/// A time in the scanner's unit.
pub(super) fn ms(time_s: Option<f64>) -> Option<f64> {
    time_s.map(|s| (s * 1e6).round() / 1e3)
}

fn times(protocol: &Protocol<'_>) -> Option<String> {
    let te = numbers(each(protocol, |row| ms(row.te_s)), 6, "ms").map(|te| format!("TE {te}"));
    let tr = numbers(each(protocol, |row| ms(row.tr_s)), 6, "ms").map(|tr| format!("TR {tr}"));
    let is_half = te.is_none() || tr.is_none();
    let text = joined([tr, te], ", ")?;
    Some(if is_half { format!("{text}; the other is not known") } else { text })
}

/// Stored transients. A file with one may hold the average of many that the scanner made: it does not tell how many.
fn acquisitions(protocol: &Protocol<'_>) -> Option<String> {
    let text = |row: &SpectrumRow| {
        row.n_transients.map(|n| match n {
            0 | 1 => "one stored spectrum (where the scanner averaged, of how many is not in the tables)".to_owned(),
            n => n.to_string(),
        })
    };
    let stored = listed(each(protocol, text))?;
    let pairs = || protocol.spectra.iter().filter_map(|row| Some((row.n_transients?, row.n_transients_kept?)));
    let (n, kept) = pairs().fold((0_u64, 0_u64), |(n, kept), (a, b)| (n + u64::from(a), kept + u64::from(b)));
    let several = pairs().any(|(n, _)| n > 1);
    let kept = several.then(|| format!("of all {n} stored, {kept} were averaged"));
    joined([Some(stored), kept, parts(protocol)], "; ")
}

/// Of a time course: how many parts a measurement has.
fn parts(protocol: &Protocol<'_>) -> Option<String> {
    let mut of_file: BTreeMap<(&str, Option<&str>), u32> = BTreeMap::new();
    for row in &protocol.spectra {
        if let Some(index) = row.dynamic_index {
            let most = of_file.entry((&row.source_path, row.subspec.as_deref())).or_default();
            *most = (*most).max(index + 1);
        }
    }
    numbers(of_file.values().map(|n| Some(f64::from(*n))), 6, "parts")
        .map(|n| format!("time course of {n} a measurement"))
}

fn further(protocol: &Protocol<'_>) -> Option<String> {
    let width = numbers(each(protocol, |row| row.dwell_s.map(|s| (1.0 / s * 100.0).round() / 100.0)), 6, "Hz");
    let points = numbers(each(protocol, |row| row.n_points.map(f64::from)), 8, "points");
    let flip = protocol
        .any(|row| row.flip_angle_deg.is_some())
        .then(|| numbers(each(protocol, |row| row.flip_angle_deg), 4, "°").map(|flip| format!("flip angle {flip}")));
    let mixing = protocol
        .any(|row| row.tm_s.is_some())
        .then(|| numbers(each(protocol, |row| ms(row.tm_s)), 6, "ms").map(|tm| format!("TM {tm}")));
    joined(
        [width.map(|w| format!("spectral width {w}")), points, flip.flatten(), mixing.flatten(), matrix(protocol)],
        "; ",
    )
}

/// Extents of grids of voxels: those that have rows. Voxels outside of the measured volume have none.
fn matrix(protocol: &Protocol<'_>) -> Option<String> {
    let mut of_file: BTreeMap<&str, ([u32; 3], usize)> = BTreeMap::new();
    for row in &protocol.spectra {
        if let (Some(i), Some(j), Some(k)) = (row.voxel_i, row.voxel_j, row.voxel_k) {
            let (most, n) = of_file.entry(&row.source_path).or_default();
            for (most, index) in most.iter_mut().zip([i, j, k]) {
                *most = (*most).max(index + 1);
            }
            *n += 1;
        }
    }
    let text = |([i, j, k], _): &([u32; 3], usize)| format!("{i} × {j} × {k}");
    let voxels: usize = of_file.values().map(|(_, n)| n).sum();
    let extents = listed(of_file.values().map(|one| Some(text(one))))?;
    Some(format!("voxels with rows reach to {extents} ({})", plural(voxels, "row", "rows")))
}

/// What tells of water suppression in the data: how much is left over, and which references there are.
fn water(protocol: &Protocol<'_>) -> Option<String> {
    let left = spread(each(protocol, |row| row.water_left.map(|left| left * 100.0)), 3, "%")
        .map(|left| format!("water left over, of the reference's height: {left}"));
    let n = protocol.spectra.iter().filter(|row| row.water_reference_path.is_some()).count();
    let reference = (n > 0).then(|| {
        let of = |of: fn(&SpectrumRow) -> Option<f64>| {
            numbers(
                protocol.spectra.iter().filter(|row| row.water_reference_path.is_some()).map(|row| ms(of(row))),
                6,
                "ms",
            )
        };
        let (tr, te) = (of(|row| row.water_tr_s), of(|row| row.water_te_s));
        let times = joined([tr.map(|tr| format!("TR {tr}")), te.map(|te| format!("TE {te}"))], ", ");
        let times = times.map(|times| format!(", {times}")).unwrap_or_default();
        let measured = protocol.spectra.iter().filter(|row| row.water_amplitude.is_some()).count();
        let of = plural(protocol.spectra.len(), "spectrum", "spectra");
        format!("water reference of {n} of {of}{times}; its amplitude is known of {measured}")
    });
    joined([left, reference], "; ")
}

/// Scanner and acquisition in one phrase, for a paragraph.
pub(super) fn phrase(protocol: &Protocol<'_>) -> String {
    let width = numbers(each(protocol, |row| row.dwell_s.map(|s| (1.0 / s * 100.0).round() / 100.0)), 6, "Hz");
    let volume = spread(each(protocol, |row| row.voxel_ml), 4, "ml").map(|ml| format!("voxel of {ml}"));
    let n = numbers(each(protocol, |row| row.n_transients.map(f64::from)), 6, "").filter(|n| n != "1");
    let parts = [
        Some(protocol.label.clone()),
        width.map(|w| format!("spectral width {w}")),
        numbers(each(protocol, |row| row.n_points.map(f64::from)), 8, "points"),
        n.map(|n| format!("stored transients: {n}")),
        volume,
    ];
    joined(parts, ", ").unwrap_or_default()
}

/// A share of many, in percent.
pub(super) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { "0 %".to_owned() } else { format!("{} %", number(100.0 * part as f64 / whole as f64, 3)) }
}
