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
    // The mean of so many scans are the samples.
    let averages = if kind == Kind::Fid { parameters.positive("PVM_NAverages").unwrap_or(1.0) } else { 1.0 };
    // Of the noise of one scan; what ParaVision processed tells nothing.
    let noise_of_one = noise(&data.samples) * averages.sqrt();
    let ratio = if kind == Kind::Processed { f64::NAN } else { factor * noise(&samples) / noise_of_one };
    if let Some(n) = parameters.positive("PVM_RefScanNA").filter(|n| *n > 1.0) {
        // Noise of the mean is smaller than that of one scan by √n, of the sum larger.
        let nearly = |what: f64| (ratio.ln() - what).abs() < 0.25 * n.ln();
        let is_sum = nearly(0.5 * n.ln());
        if is_sum {
            factor /= n;
        }
        let what = if is_sum { "sum" } else { "mean" };
        let is_clear = is_sum || nearly(-0.5 * n.ln());
        let how = if is_clear { "as its noise shows" } else { "which is not certain" };
        data.remarks.push(format!("the reference was taken as the {what} of {n} scans, {how}"));
    } else if averages > 1.0 && (ratio / averages).ln().abs() < 0.25 * averages.ln() {
        // Their noise was that of a mean before it was divided: so are the amplitudes.
        factor /= averages;
        data.remarks.push(format!("`fid` holds the mean of {averages} scans, not their sum, as its noise shows"));
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
