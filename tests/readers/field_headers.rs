//! What headers and sidecars of other sites state: edit conditions, signs of steps, units, spellings; and transients that hold
//! no numbers.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{Nuisance, spectrum};
use ndarray::{Array5, s};
use num_complex::Complex64;
use requant::acquisition::{Acquisition, Facts, hz_from_ppm};
use requant::corpus::find;
use requant::formats::{self, nifti_mrs};
use requant::prepare::{Preparation, PrepareError, Spectrum, prepare};
use requant::run::load::{Loaded, load};

const F0_MHZ: f64 = 123.25;
const DWELL_S: f64 = 5e-4;

/// A folder of `../shared/cases/field`. Panics where it is missing, as [`crate::common::data`] does.
fn case(name: &str) -> PathBuf {
    let path = crate::common::data().join("../cases/field").join(name);
    assert!(path.is_dir(), "no case at {}", path.display());
    path
}

fn prepared(data: &Acquisition) -> Vec<(String, Spectrum)> {
    let all = prepare(data, None, 0).into_iter();
    all.map(|(label, spectrum)| (label.unwrap_or_default(), spectrum.unwrap())).collect()
}

fn labels(spectra: &[(String, Spectrum)]) -> Vec<&str> {
    spectra.iter().map(|(label, _)| label.as_str()).collect()
}

/// The spectrum at one chemical shift, over the number of points.
fn at(fid: &[Complex64], dwell_s: f64, f0_mhz: f64, ppm: f64) -> Complex64 {
    let step = -2.0 * std::f64::consts::PI * hz_from_ppm(ppm, f0_mhz) * dwell_s;
    fid.iter().enumerate().map(|(n, z)| z * Complex64::from_polar(1.0, step * n as f64)).sum::<Complex64>()
}

/// The chemical shift of the tallest point between two.
fn tallest(fid: &[Complex64], dwell_s: f64, f0_mhz: f64, (low, high): (f64, f64)) -> (f64, Complex64) {
    let all = (0..=((high - low) / 0.002) as usize).map(|i| low + 0.002 * i as f64);
    let all = all.map(|ppm| (ppm, at(fid, dwell_s, f0_mhz, ppm)));
    all.max_by(|a, b| a.1.norm().total_cmp(&b.1.norm())).unwrap()
}

/// Everything that a run would load from an input.
fn loaded(input: &Path, gaps: &Facts) -> Vec<Loaded> {
    let listing = find(&[input.to_owned()], &formats::kind_of).unwrap();
    listing.found.iter().map(|found| load(found, gaps, &Preparation::default())).collect()
}

/// Code and message of the one failure of each file, `ok` where there is none.
fn codes(loaded: &[Loaded]) -> Vec<(String, String)> {
    let of = |file: &Loaded| match &file.spectra[0].1 {
        Ok(_) => ("ok".to_owned(), String::new()),
        Err(failure) => (failure.code.clone(), failure.message.clone()),
    };
    loaded.iter().map(of).collect()
}

#[test]
fn real_edit_conditions_of_a_sidecar_give_their_order() {
    let file = case("bids-sidecar-edit-order").join("sub-01/mrs/sub-01_acq-megagsh_svs.nii.gz");
    let data = formats::read(&file).unwrap();
    assert_eq!(data.condition_labels, ["OFF", "ON"]);
    assert_eq!(data.editing.as_ref().unwrap().pulses_ppm, [[10.0], [4.56]]);
    assert_eq!((data.facts.te_s, data.facts.tr_s, data.facts.water_suppressed), (Some(0.12), Some(2.0), Some(true)));
    assert_eq!((data.facts.sequence.as_deref(), data.facts.vendor.as_deref()), (Some("MEGA-PRESS"), Some("Philips")));
    assert!(data.remarks.iter().all(|r| !r.contains("Edit")), "{:?}", data.remarks);
    let spectra = prepared(&data);
    assert_eq!(labels(&spectra), ["off", "on", "diff", "sum"]);
    let fid = |i: usize| &spectra[i].1.fid;
    assert!(spectra.iter().all(|(_, s)| !s.record.flags.contains(&"edit_order_unknown")));
    // GSH stands upright: in phase with creatine of the conditions.
    let (dwell_s, f0) = (spectra[0].1.dwell_s, spectra[0].1.f0_mhz);
    let creatine = tallest(fid(0), dwell_s, f0, (2.99, 3.07)).1;
    let (ppm, gsh) = tallest(fid(2), dwell_s, f0, (2.85, 3.05));
    let upright = (gsh / creatine).re;
    println!("GSH at {ppm:.3} ppm, {upright:.3} of creatine");
    assert!((ppm - 2.95).abs() < 0.01 && upright > 0.5 * (gsh / creatine).norm(), "{ppm} {upright}");
    // Twice three, by the first sample of what is left at that place; the conditions' noise is 0.05.
    let difference: Vec<Complex64> = fid(1).iter().zip(fid(0)).map(|(on, off)| on - off).collect();
    let change = (at(fid(2), dwell_s, f0, ppm) - at(&difference, dwell_s, f0, ppm)).norm() / gsh.norm();
    assert!(change < 1e-9, "the difference is the second less the first: {change}");
}

#[test]
fn real_isis_steps_are_added_with_their_signs() {
    let file = case("nifti-isis").join("sub-01_svs.nii.gz");
    let data = formats::read(&file).unwrap();
    assert_eq!((data.n_transients(), data.n_conditions(), data.n_coils()), (1, 1, 1));
    assert!(data.remarks.iter().any(|r| r.contains("+ - - + - + + -")), "{:?}", data.remarks);
    // The same bytes with the steps as transients.
    let bytes = fs::read(&file).unwrap();
    let mut plain = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut plain).unwrap();
    let renamed = replaced(&plain, b"\"DIM_ISIS\"", b"\"DIM_DYN\" ");
    let steps = nifti_mrs::decode(&renamed, None).unwrap();
    assert_eq!(steps.n_transients(), 8);
    let signs = [1.0, -1.0, -1.0, 1.0, -1.0, 1.0, 1.0, -1.0];
    let mut expected = vec![Complex64::default(); steps.n_points()];
    for (step, sign) in signs.iter().enumerate() {
        expected.iter_mut().zip(steps.samples.fid([0, 0, step, 0])).for_each(|(e, z)| *e += z * sign / 8.0);
    }
    let fid = data.samples.fid([0, 0, 0, 0]);
    assert!(fid.iter().zip(&expected).all(|(a, b)| (a - b).norm() < 1e-9));
    let naa = tallest(&fid, DWELL_S, F0_MHZ, (1.5, 2.5));
    println!("NAA at {:.3} ppm", naa.0);
    assert!((naa.0 - 2.01).abs() < 0.02, "{naa:?}");
    // Signs of another order that the header states are taken; what it says otherwise is refused.
    let header = |text: &[u8]| {
        let mut to = b"\"DIM_ISIS\",".to_vec();
        to.extend(text);
        with_json(&plain, b"\"DIM_ISIS\",", &to)
    };
    let stated = nifti_mrs::decode(&header(b"\"dim_5_header\":{\"Signs\":[1,1,1,1,-1,-1,-1,-1]},"), None).unwrap();
    let halves: Complex64 =
        (0..8).map(|t| steps.samples.at([0, 0, t, 0, 9]) * if t < 4 { 0.125 } else { -0.125 }).sum();
    assert!(
        (stated.samples.at([0, 0, 0, 0, 9]) - halves).norm() < 1e-9
            && stated.remarks.iter().all(|r| !r.contains("ISIS"))
    );
    let unknown = nifti_mrs::decode(&header(b"\"dim_5_header\":{\"Order\":\"ABCDEFGH\"},"), None).unwrap_err();
    assert_eq!(unknown.code(), "signs_unknown");
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|w| w == from).unwrap();
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}

/// A NIfTI-2 file whose header extension grows by what takes another's place.
fn with_json(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut file = replaced(bytes, from, to);
    let grown = (to.len() - from.len()).next_multiple_of(16);
    let size = |file: &[u8]| i32::from_le_bytes(file[544..548].try_into().unwrap());
    let end = 544 + size(bytes) as usize + (to.len() - from.len());
    file.splice(end..end, vec![0; grown - (to.len() - from.len())]);
    let longer = size(bytes) + grown as i32;
    file[544..548].copy_from_slice(&longer.to_le_bytes());
    // NIfTI-2: `vox_offset` stands at 168.
    let at = i64::from_le_bytes(file[168..176].try_into().unwrap()) + grown as i64;
    file[168..176].copy_from_slice(&at.to_le_bytes());
    file
}

#[test]
fn real_times_in_another_unit_are_refused_and_a_manifest_mends_them() {
    let us = case("nifti-te-in-us").join("sub-01_svs.nii.gz");
    let [(code, message)] = codes(&loaded(&us, &Facts::default())).try_into().unwrap();
    assert_eq!(code, "implausible_field");
    assert!(
        message.contains("te_s = 35000 s cannot be right") && message.contains("microseconds (te_s = 0.035)"),
        "{message}"
    );
    let all = codes(&loaded(&case("te-unit").join("data"), &Facts::default()));
    let refused = |unit: &str| all.iter().filter(|(c, m)| c == "implausible_field" && m.contains(unit)).count();
    assert_eq!((all.len(), refused("milliseconds (te_s = 0.035)"), refused("microseconds (te_s = 0.035)")), (5, 2, 2));
    assert_eq!(all.iter().filter(|(code, _)| code == "ok").count(), 1);
    // Both times stated: the file is good. One of them alone leaves the other to be refused.
    let folder = tempfile::tempdir().unwrap();
    fs::copy(&us, folder.path().join("a.nii.gz")).unwrap();
    let manifest = folder.path().join("m.csv");
    fs::write(&manifest, "path,te_s,tr_s\na.nii.gz,0.035,1.5\n").unwrap();
    let mended = loaded(&manifest, &Facts::default());
    assert_eq!(codes(&mended)[0].0, "ok");
    assert_eq!((mended[0].header.facts.te_s, mended[0].header.facts.tr_s), (Some(0.035), Some(1.5)));
    fs::write(&manifest, "path,te_s\na.nii.gz,0.035\n").unwrap();
    let half = codes(&loaded(&manifest, &Facts::default()));
    assert!(half[0].0 == "implausible_field" && half[0].1.contains("tr_s = 1.5"), "{half:?}");
    // The command line stands for what cannot be right, and says so.
    let gaps = Facts { te_s: Some(0.035), tr_s: Some(1.5), ..Facts::default() };
    let by_flag = loaded(&us, &gaps);
    assert_eq!((codes(&by_flag)[0].0.as_str(), by_flag[0].header.facts.te_s), ("ok", Some(0.035)));
    assert_eq!(by_flag[0].header.remarks.iter().filter(|r| r.contains("cannot be right")).count(), 2);
    // Nothing that somebody states goes unchecked.
    let wrong = Facts { te_s: Some(35.0), tr_s: Some(1.5), ..Facts::default() };
    assert_eq!(codes(&loaded(&us, &wrong))[0].0, "implausible_field");
}

fn nifti(path: &Path, change: impl FnOnce(&mut Acquisition)) {
    let fid = spectrum(Nuisance::default());
    let samples = Array5::from_shape_fn((1, 1, 4, 1, fid.len()), |(_, _, t, _, p)| fid[p] * (1.0 + 0.01 * t as f64));
    let facts = Facts { dwell_s: Some(2.5e-4), f0_mhz: Some(123.2), nucleus: Some("1H".into()), ..Facts::default() };
    let mut data = Acquisition { facts, ..Acquisition::from_samples(nifti_mrs::NAME, samples) };
    change(&mut data);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, nifti_mrs::encode(&data)).unwrap();
}

#[test]
fn sidecars_higher_up_apply_and_belong_to_the_inputs() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let file = root.join("sub-1/mrs/sub-1_acq-a_svs.nii");
    nifti(&file, |_| {});
    fs::write(root.join("dataset_description.json"), "{}").unwrap();
    fs::write(root.join("svs.json"), r#"{"EchoTime": 0.144, "RepetitionTime": 2, "PulseSequenceType": "PRESS", "Manufacturer": "GE MEDICAL SYSTEMS"}"#).unwrap();
    fs::write(root.join("acq-a_svs.json"), r#"{"EchoTime": 0.03}"#).unwrap();
    fs::write(root.join("acq-b_svs.json"), r#"{"EchoTime": 0.5}"#).unwrap();
    let facts = formats::read(&file).unwrap().facts;
    assert_eq!((facts.te_s, facts.tr_s), (Some(0.03), Some(2.0)));
    assert_eq!((facts.sequence.as_deref(), facts.vendor.as_deref()), (Some("PRESS"), Some("GE")));
    assert_eq!(formats::companions(&file), [root.join("svs.json"), root.join("acq-a_svs.json")]);
    // A number in milliseconds is refused wherever it stands.
    fs::write(root.join("acq-a_svs.json"), r#"{"EchoTime": 30}"#).unwrap();
    let refused = codes(&loaded(root, &Facts::default()));
    assert!(refused[0].0 == "implausible_field" && refused[0].1.contains("milliseconds (te_s = 0.03)"), "{refused:?}");
}

#[test]
fn water_references_are_held_to_the_same_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    nifti(&root.join("sub-1/mrs/sub-1_svs.nii"), |data| data.facts.te_s = Some(0.03));
    nifti(&root.join("sub-1/mrs/sub-1_mrsref.nii"), |data| data.facts.te_s = Some(30.0));
    let found = codes(&loaded(root, &Facts::default()));
    assert_eq!(found.len(), 1);
    assert!(found[0].0 == "water_implausible_field" && found[0].1.contains("milliseconds"), "{found:?}");
    // What a manifest states for the measurement stands for it.
    let manifest = root.join("m.csv");
    fs::write(&manifest, "path,water_path,te_s\nsub-1/mrs/sub-1_svs.nii,sub-1/mrs/sub-1_mrsref.nii,0.03\n").unwrap();
    assert_eq!(codes(&loaded(&manifest, &Facts::default()))[0].0, "ok");
}

#[test]
fn other_nuclei_are_refused_as_such_whatever_their_times() {
    let folder = tempfile::tempdir().unwrap();
    nifti(&folder.path().join("a.nii"), |data| {
        data.facts.nucleus = Some("31P".into());
        data.facts.te_s = Some(35.0);
    });
    assert_eq!(codes(&loaded(folder.path(), &Facts::default()))[0].0, "nucleus");
}

#[test]
fn makers_and_sequences_have_one_spelling() {
    let folder = tempfile::tempdir().unwrap();
    for (i, (vendor, sequence)) in
        [("SIEMENS", "*svs_se"), ("Siemens Healthineers", "%SiemensSeq%\\svs_se"), ("siemens", "svs_se_30")]
            .iter()
            .enumerate()
    {
        nifti(&folder.path().join(format!("{i}.nii")), |data| {
            data.facts.vendor = Some((*vendor).to_owned());
            data.facts.sequence = Some((*sequence).to_owned());
        });
    }
    for file in loaded(folder.path(), &Facts::default()) {
        assert_eq!(file.header.facts.vendor.as_deref(), Some("Siemens"));
        assert_eq!(file.header.protocol.label(), "3 T SVS_SE");
    }
}

/// Eight transients of `coils` coils (of different gains), a little noise.
fn transients(coils: usize) -> Array5<Complex64> {
    let fids: Vec<Vec<Complex64>> =
        (0..8 * coils as u64).map(|seed| spectrum(Nuisance { seed: seed + 1, ..Nuisance::default() })).collect();
    Array5::from_shape_fn((1, 1, 8, coils, fids[0].len()), |(_, _, t, k, p)| {
        fids[t * coils + k][p] * Complex64::from_polar(1.0 + k as f64, k as f64)
    })
}

/// Eight transients of a water reference.
fn water_transients(coils: usize) -> Array5<Complex64> {
    let of_data = transients(coils);
    let tallest = of_data.iter().map(|z| z.norm()).fold(0.0, f64::max);
    Array5::from_shape_fn(of_data.dim(), |(_, _, _, k, p)| {
        Complex64::from_polar(50.0 * tallest * (-25.0 * p as f64 * 2.5e-4).exp() * (1.0 + k as f64), k as f64)
    })
}

fn acquired(samples: Array5<Complex64>) -> Acquisition {
    let facts = Facts { dwell_s: Some(2.5e-4), f0_mhz: Some(123.2), ..Facts::default() };
    Acquisition { facts, ..Acquisition::from_samples("test", samples) }
}

fn only(data: &Acquisition) -> Result<Spectrum, PrepareError> {
    prepare(data, None, 0).remove(0).1
}

#[test]
fn a_transient_without_numbers_is_left_out_and_not_the_file() {
    for coils in [1, 3] {
        for (value, flag) in [(f64::NAN, true), (f64::INFINITY, true), (0.0, true), (1.0, false)] {
            let mut samples = transients(coils);
            samples.slice_mut(s![0, 0, 5, .., ..]).mapv_inplace(|z| z * value);
            let without: Vec<usize> = (0..8).filter(|t| !flag || *t != 5).collect();
            let expected = only(&acquired(samples.select(ndarray::Axis(2), &without))).unwrap();
            let spectrum = only(&acquired(samples)).unwrap();
            assert_eq!(spectrum.fid, expected.fid, "{coils} coils, {value}");
            assert_eq!((spectrum.record.n_transients, spectrum.record.n_kept), (8, if flag { 7 } else { 8 }));
            assert_eq!(spectrum.record.kept.iter().position(|kept| !kept), flag.then_some(5));
            assert_eq!(spectrum.record.flags.contains(&"broken_transients"), flag);
            assert!(!spectrum.record.flags.contains(&"many_transients_rejected"));
        }
    }
    let nothing = transients(1).mapv(|z| z * f64::NAN);
    assert_eq!(only(&acquired(nothing)).unwrap_err().code(), "not_finite");
    let zeros = transients(1).mapv(|z| z * 0.0);
    assert_eq!(only(&acquired(zeros)).unwrap_err().code(), "no_signal");
}

#[test]
fn many_transients_without_numbers_are_told() {
    let mut samples = transients(1);
    samples.slice_mut(s![0, 0, 3.., .., 100]).mapv_inplace(|_| Complex64::new(f64::NAN, 0.0));
    let spectrum = only(&acquired(samples)).unwrap();
    assert_eq!(spectrum.record.n_kept, 3);
    assert!(["broken_transients", "many_transients_rejected"].iter().all(|f| spectrum.record.flags.contains(f)));
}

#[test]
fn a_coil_without_numbers_is_left_out_of_data_and_water() {
    let mut samples = transients(3);
    let water = acquired(water_transients(3));
    samples.slice_mut(s![0, 0, .., 1, ..]).mapv_inplace(|z| z * f64::NAN);
    let pick = |data: &Acquisition| acquired(data.samples.to_array().select(ndarray::Axis(3), &[0, 2]));
    let data = acquired(samples);
    let expected = prepare(&pick(&data), Some(&pick(&water)), 0).remove(0).1.unwrap();
    let spectrum = prepare(&data, Some(&water), 0).remove(0).1.unwrap();
    assert_eq!(spectrum.fid, expected.fid);
    assert_eq!((spectrum.record.n_coils, spectrum.record.n_kept), (3, 8));
    assert_eq!(spectrum.record.water_amplitude, expected.record.water_amplitude);
    assert!(spectrum.record.flags.contains(&"broken_coils") && !spectrum.record.flags.contains(&"broken_transients"));
}

#[test]
fn one_broken_transient_of_water_leaves_the_others() {
    let mut water = water_transients(1);
    let expected = acquired(water.select(ndarray::Axis(2), &[0, 1, 2, 3, 4, 5, 6]));
    water.slice_mut(s![0, 0, 7, .., 3]).mapv_inplace(|_| Complex64::new(f64::NAN, 0.0));
    let data = acquired(transients(1));
    let of = |water: &Acquisition| prepare(&data, Some(water), 0).remove(0).1.unwrap().record;
    let (with, without) = (of(&acquired(water)), of(&expected));
    assert_eq!(with.water_amplitude, without.water_amplitude);
    assert!(with.water_amplitude.is_some() && with.flags.contains(&"broken_transients"));
}

#[test]
fn edited_data_lose_a_broken_transient_in_all_conditions() {
    let one = transients(1);
    let mut samples = ndarray::concatenate(ndarray::Axis(1), &[one.view(), one.view()]).unwrap();
    samples.slice_mut(s![0, 1, 2, 0, 7]).mapv_inplace(|_| Complex64::new(0.0, f64::NAN));
    let mut data = acquired(samples);
    data.condition_labels = vec!["ON".into(), "OFF".into()];
    let spectra = prepared(&data);
    assert_eq!(labels(&spectra), ["on", "off", "diff", "sum"]);
    let kept: Vec<usize> = spectra.iter().map(|(_, s)| s.record.n_kept).collect();
    assert_eq!(kept, [7, 7, 14, 14]);
    assert!(spectra[2..].iter().all(|(_, s)| s.record.flags.contains(&"broken_transients")));
}
