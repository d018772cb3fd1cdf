//! References of a scan, brought to its scale.

use super::{Kind, decode};

const POINTS: usize = 256;

/// Numbers between −1 and 1 that are the same on every machine.
fn noise(seed: &mut u64) -> f64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

fn read(more: &str, reference_noise: f64) -> crate::acquisition::Acquisition {
    read_of(Kind::Raw, 1.0, 1.0, more, reference_noise)
}

/// Samples with `times` the signal and `noises` the noise of one scan.
fn read_of(kind: Kind, times: f64, noises: f64, more: &str, reference_noise: f64) -> crate::acquisition::Acquisition {
    let mut seed = 7;
    let mut row = |height: f64, sd: f64| -> Vec<i32> {
        let parts = (0..2 * POINTS).map(|i| {
            let signal = if i % 2 == 0 { height * (-(i as f64) / 40.0).exp() } else { 0.0 };
            (signal + 100.0 * sd * noise(&mut seed)).round() as i32
        });
        parts.collect()
    };
    let samples: Vec<u8> = (0..8).flat_map(|_| row(1e4 * times, noises)).flat_map(i32::to_le_bytes).collect();
    let water: Vec<String> = (0..2).flat_map(|_| row(1e6, reference_noise)).map(|x| x.to_string()).collect();
    let method = format!(
        "##$Method=<Bruker:PRESS>\n##$PVM_DigNp={POINTS}\n##$PVM_DigSw=4000\n##$PVM_EncNReceivers=2\n##$PVM_EncUseMultiRec=Yes\n\
         ##$PVM_NAverages=4\n{more}##$PVM_RefScan=( 2, {} )\n{}\n##END=\n",
        2 * POINTS,
        water.join(" ")
    );
    decode(kind, samples, method.as_bytes(), b"##$RG=50\n##END=\n", None).unwrap_or_else(|e| panic!("{e}"))
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

#[test]
fn sums_over_averages_are_divided_as_references_are() {
    // Four averages, summed: four times the signal, twice the noise. The reference is one scan, a sum or a mean.
    for (more, noise, factor, says) in [
        ("##$PVM_RefScanNA=1\n", 1.0, 1.0, ""),
        ("##$PVM_RefScanNA=9\n", 3.0, 1.0 / 9.0, "sum of 9 scans, as its noise shows"),
        ("##$PVM_RefScanNA=9\n", 1.0 / 3.0, 1.0, "mean of 9 scans, as its noise shows"),
    ] {
        let data = read_of(Kind::Fid, 4.0, 2.0, more, noise);
        assert!((data.samples.at([0, 0, 0, 0, 0]).re / 1e4 - 1.0).abs() < 0.05, "{more}");
        assert!((height(&data) / (1e6 * factor) - 1.0).abs() < 3e-3, "{more}: {}", height(&data));
        let said = |what: &str| data.remarks.iter().any(|r| r.contains(what));
        assert!(said(says) && !said("not certain") && !said("not their sum"), "{more}: {:?}", data.remarks);
    }
    // A mean already: half the noise. Samples and reference stay on one scale.
    let data = read_of(Kind::Fid, 1.0, 0.5, "##$PVM_RefScanNA=1\n", 1.0);
    let (signal, water) = (data.samples.at([0, 0, 0, 0, 0]).re, height(&data));
    assert!((water / signal / 100.0 - 1.0).abs() < 0.05, "{signal} {water}");
    assert!(data.remarks.iter().any(|r| r.contains("mean of 4 scans, not their sum")), "{:?}", data.remarks);
}
