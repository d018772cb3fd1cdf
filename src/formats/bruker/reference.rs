//! The water reference of a scan: in a file of its own, in `method`, or among what ParaVision 360 processed.

use num_complex::Complex64;

use super::Kind;
use super::filter::Filter;
use super::parameters::Parameters;
use super::rows::Rows;
use crate::acquisition::{Acquisition, Reference, Samples};
use crate::formats::bytes::FileBytes;

/// The parameter that holds a reference: for each receiver real and imaginary part of each point in turn.
const IN_METHOD: &str = "PVM_RefScan";
/// Part of a free induction decay, counted from its end, in which there is noise alone.
const TAIL: usize = 4;

/// Files that may hold a reference.
pub(super) struct References {
    /// `fid.refscan`.
    pub(super) file: Option<FileBytes>,
    /// `fid_refscan.64`, whose coils are combined.
    pub(super) processed: Option<FileBytes>,
}

/// Takes the first of the scan's references that fits the samples.
pub(super) fn take(
    data: &mut Acquisition,
    kind: Kind,
    parameters: &Parameters,
    references: References,
    [points, coils]: [usize; 2],
) {
    let delay = parameters.delay();
    let stored = |kind: Kind, file: FileBytes, coils: usize| {
        let (rows, filter) = (Rows::new(kind, file, parameters, points, coils).ok()?, Filter::new(points, delay));
        let shape = [1, 1, rows.blocks, coils, filter.kept];
        Some(Samples::stored(shape, move |[_, _, transient, coil]| filter.apply(rows.row(transient, coil))))
    };
    let had_file = references.file.is_some();
    let of_file = |file: FileBytes| Some((stored(Kind::Raw, file, coils)?, "fid.refscan"));
    let of_method = || Some((in_method(parameters, points, coils, delay)?, "PVM_RefScan of method"));
    let has_processed = references.processed.is_some();
    let of_processed = |file: FileBytes| Some((stored(Kind::Processed, file, 1)?, "fid_refscan.64"));
    // Coils that are combined already tell nothing of how to combine others.
    let found = if kind == Kind::Processed {
        references.processed.and_then(of_processed)
    } else {
        let own = references.file.and_then(of_file).or_else(of_method);
        own.or_else(|| references.processed.filter(|_| coils == 1).and_then(of_processed))
    };
    let Some((samples, readouts)) = found else {
        let names = parameters.values(IN_METHOD);
        if had_file {
            data.remarks.push("the reference scan is not as long as one transient: it was not read".to_owned());
        } else if has_processed || !names.is_empty() {
            let why = "its coils and points are not those of the samples";
            data.remarks.push(format!("the scan has a water reference that was not read: {why}"));
        }
        return;
    };
    let samples = on_one_scale(samples, kind, data, parameters);
    data.water = Some(Reference::new(samples, readouts));
}

/// The reference that `method` holds.
fn in_method(parameters: &Parameters, points: usize, coils: usize, delay: f64) -> Option<Samples> {
    let values = parameters.values(IN_METHOD);
    if values.len() != points.checked_mul(coils)?.checked_mul(2)? {
        return None;
    }
    let numbers: Option<Vec<f64>> = values.iter().map(|v| v.parse().ok().filter(|x: &f64| x.is_finite())).collect();
    let (numbers, filter) = (numbers?, Filter::new(points, delay));
    Some(Samples::stored([1, 1, 1, coils, filter.kept], move |[_, _, _, coil]| {
        let parts = numbers.chunks_exact(2).skip(coil * points).take(points);
        filter.apply(parts.map(|z| Complex64::new(z[0], -z[1])).collect())
    }))
}

/// The reference as it would be with the receiver's gain of the samples, and as the mean of its scans.
fn on_one_scale(samples: Samples, kind: Kind, data: &mut Acquisition, parameters: &Parameters) -> Samples {
    let gains = parameters.positive("RG").zip(parameters.positive("PVM_RefScanRG")).filter(|(own, other)| own != other);
    let mut factor = gains.map_or(1.0, |(own, other)| own / other);
    if let Some((own, other)) = gains {
        data.remarks.push(format!(
            "the reference was measured with a receiver gain of {other}, the samples with {own}: scaled"
        ));
    }
    if let Some(n) = parameters.positive("PVM_RefScanNA").filter(|n| *n > 1.0) {
        // Noise of the mean is smaller than that of one scan by √n, of the sum larger; what is averaged itself tells nothing.
        let ratio = (kind == Kind::Raw).then(|| factor * noise(&samples) / noise(&data.samples)).unwrap_or(f64::NAN);
        let nearly = |what: f64| (ratio.ln() - what).abs() < 0.25 * n.ln();
        let is_sum = nearly(0.5 * n.ln());
        if is_sum {
            factor /= n;
        }
        let what = if is_sum { "sum" } else { "mean" };
        let is_clear = is_sum || nearly(-0.5 * n.ln());
        let how = if is_clear { "as its noise shows" } else { "which is not certain" };
        data.remarks.push(format!("the reference was taken as the {what} of {n} scans, {how}"));
    }
    if factor == 1.0 {
        return samples;
    }
    Samples::stored(samples.shape(), move |at| samples.fid(at).into_iter().map(|z| z * factor).collect())
}

/// Noise of the first transient, from second differences at its end, which what is left of a signal hardly enters.
fn noise(samples: &Samples) -> f64 {
    let coils = samples.shape()[3];
    let differences = (0..coils).flat_map(|coil| {
        let fid = samples.fid([0, 0, 0, coil]);
        let tail = fid.get(fid.len() - fid.len() / TAIL..).unwrap_or_default().to_vec();
        tail.windows(3).map(|z| (z[0] - 2.0 * z[1] + z[2]).norm_sqr()).collect::<Vec<_>>()
    });
    let (sum, n) = differences.fold((0.0, 0_usize), |(sum, n), d| (sum + d, n + 1));
    (sum / n.max(1) as f64).sqrt()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::super::{Kind, decode};

    const POINTS: usize = 256;

    /// Numbers between −1 and 1 that are the same on every machine.
    fn noise(seed: &mut u64) -> f64 {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    fn read(more: &str, reference_noise: f64) -> crate::acquisition::Acquisition {
        let mut seed = 7;
        let mut row = |height: f64, sd: f64| -> Vec<i32> {
            let parts = (0..2 * POINTS).map(|i| {
                let signal = if i % 2 == 0 { height * (-(i as f64) / 40.0).exp() } else { 0.0 };
                (signal + 100.0 * sd * noise(&mut seed)).round() as i32
            });
            parts.collect()
        };
        let samples: Vec<u8> = (0..8).flat_map(|_| row(1e4, 1.0)).flat_map(i32::to_le_bytes).collect();
        let water: Vec<String> = (0..2).flat_map(|_| row(1e6, reference_noise)).map(|x| x.to_string()).collect();
        let method = format!(
            "##$Method=<Bruker:PRESS>\n##$PVM_DigNp={POINTS}\n##$PVM_DigSw=4000\n##$PVM_EncNReceivers=2\n\
             ##$PVM_NAverages=4\n{more}##$PVM_RefScan=( 2, {} )\n{}\n##END=\n",
            2 * POINTS,
            water.join(" ")
        );
        decode(Kind::Raw, samples, method.as_bytes(), b"##$RG=50\n##END=\n", None).unwrap_or_else(|e| panic!("{e}"))
    }

    fn height(data: &crate::acquisition::Acquisition) -> f64 {
        data.water.as_ref().map_or(0.0, |water| water.samples.at([0, 0, 0, 1, 0]).re)
    }

    #[test]
    fn references_in_the_method_are_of_all_coils() {
        let data = read("##$PVM_RefScanNA=1\n", 1.0);
        let water = data.water.as_ref().unwrap();
        assert_eq!((water.samples.shape(), water.readouts.as_str()), ([1, 1, 1, 2, POINTS], "PVM_RefScan of method"));
        assert!((height(&data) - 1e6).abs() < 200.0 && data.remarks.is_empty(), "{:?}", data.remarks);
    }

    #[test]
    fn references_are_brought_to_the_samples_scale() {
        for (more, noise, factor, says) in [
            ("##$PVM_RefScanNA=1\n##$PVM_RefScanRG=25\n", 1.0, 2.0, "receiver gain of 25"),
            ("##$PVM_RefScanNA=4\n", 2.0, 0.25, "sum of 4 scans, as its noise shows"),
            ("##$PVM_RefScanNA=4\n", 0.5, 1.0, "mean of 4 scans, as its noise shows"),
            ("##$PVM_RefScanNA=4\n", 20.0, 1.0, "mean of 4 scans, which is not certain"),
        ] {
            let data = read(more, noise);
            assert!((height(&data) / (1e6 * factor) - 1.0).abs() < 3e-3, "{more}: {}", height(&data));
            assert!(data.remarks.iter().any(|r| r.contains(says)), "{more}: {:?}", data.remarks);
        }
    }
}
