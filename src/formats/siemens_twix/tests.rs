//! Layouts of loops in files that are made here: which readout ends where.

use super::*;
use crate::acquisition::Conditions;

#[path = "tests/missing.rs"]
mod missing;

const POINTS: u16 = 64;
/// Places of counters in a readout's header.
const AVE: usize = 1;
const ECO: usize = 4;
const PHS: usize = 5;
const REP: usize = 6;
const SET: usize = 7;
const IDA: usize = 9;
const IDE: usize = 13;

/// One readout: counters that are not zero, and its strength, by which it is known.
struct Shot {
    counters: Vec<(usize, u16)>,
    height: f32,
}

fn shot(counters: &[(usize, u16)], height: f32) -> Shot {
    Shot { counters: counters.to_vec(), height }
}

/// `n` readouts along a counter, of the heights 1, 2, ….
fn along(counter: usize, n: u16) -> Vec<Shot> {
    (0..n).map(|i| shot(&[(counter, i)], f32::from(i + 1))).collect()
}

/// A file of one coil.
fn file(software: &str, sequence: &str, protocol: &str, shots: &[Shot]) -> Vec<u8> {
    with_header(software, sequence, protocol, shots, |_| {})
}

fn with_header(software: &str, sequence: &str, protocol: &str, shots: &[Shot], change: impl Fn(&mut [u8])) -> Vec<u8> {
    let text = format!(
        "tSequenceFileName = \"%CustomerSeq%\\{sequence}\"\nsRXSPEC.alDwellTime[0] = 250000\nalTE[0] = 30000\n\
         sTXSPEC.asNucleusInfo[0].lFrequency = 123250000\n{protocol}"
    );
    let dicom = format!("\"syngo MR {software}\"");
    let mut parts = Vec::new();
    for (name, content) in [("Dicom", dicom.as_str()), ("MeasYaps", text.as_str())] {
        parts.extend(name.as_bytes());
        parts.push(0);
        parts.extend((content.len() as u32).to_le_bytes());
        parts.extend(content.as_bytes());
    }
    let is_vb = software.starts_with('B');
    let mut file = if is_vb { Vec::new() } else { vec![0; 10_240] };
    if !is_vb {
        file[4] = 1;
        file[16..24].copy_from_slice(&10_240_u64.to_le_bytes());
    }
    file.extend(((8 + parts.len()) as u32).to_le_bytes());
    file.extend(2_u32.to_le_bytes());
    file.extend(parts);
    let (size, mask, samples, counters) = if is_vb { (128, 20, 28, 32) } else { (192, 40, 48, 52) };
    for shot in shots {
        let mut header = vec![0_u8; size];
        header[samples..samples + 2].copy_from_slice(&POINTS.to_le_bytes());
        header[samples + 2..samples + 4].copy_from_slice(&1_u16.to_le_bytes());
        for (counter, value) in &shot.counters {
            header[counters + 2 * counter..counters + 2 * counter + 2].copy_from_slice(&value.to_le_bytes());
        }
        change(&mut header);
        file.extend(header);
        file.extend(vec![0; if is_vb { 0 } else { 32 }]);
        (0..POINTS).for_each(|i| {
            file.extend((shot.height * (1.0 + f32::from(i)).recip()).to_le_bytes());
            file.extend(0.0_f32.to_le_bytes());
        });
    }
    let mut end = vec![0_u8; size + 8 * usize::from(POINTS)];
    end[mask] = 1;
    file.extend(end);
    file
}

/// The heights of a condition's transients.
fn heights(samples: &Samples, condition: usize) -> Vec<f64> {
    (0..samples.shape()[2]).map(|t| samples.at([0, condition, t, 0, 0]).re).collect()
}

fn read(file: Vec<u8>) -> Acquisition {
    decode(file).unwrap()
}

fn water(data: &Acquisition) -> (Vec<f64>, &str) {
    data.water.as_ref().map_or((Vec::new(), ""), |w| (heights(&w.samples, 0), w.readouts.as_str()))
}

fn says(data: &Acquisition, part: &str) -> bool {
    data.remarks.iter().any(|remark| remark.contains(part))
}

#[test]
fn repetitions_stand_along_set_or_average_by_software_and_sequence() {
    for (software, sequence, counter) in [
        ("B17", "svs_se", SET),
        ("B17", "svs_se", REP),
        ("B17", "my_own", SET),
        ("D13", "svs_st", SET),
        ("E11", "svs_se", AVE),
        ("XA30", "svs_se", REP),
        ("E11", "eja_svs_steam", SET),
        ("B17", "eja_svs_press", SET),
        ("XA60", "svs_slaser", AVE),
        ("E11", "my_own", AVE),
    ] {
        let data = read(file(software, sequence, "", &along(counter, 8)));
        assert_eq!((data.n_conditions(), data.n_transients()), (1, 8), "{software} {sequence}");
        assert_eq!(heights(&data.samples, 0), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], "{software} {sequence}");
        assert_eq!(says(&data, "not in the table of loops"), sequence == "my_own", "{software} {sequence}");
    }
}

#[test]
fn universal_editing_is_sorted_in_turn_with_its_pulses() {
    let pulses = "sWipMemBlock.adFree[8] = 4.56\nsWipMemBlock.adFree[9] = 1.9\nsWipMemBlock.adFree[10] = 3.67\n\
                  sWipMemBlock.adFree[11] = 7.5\n";
    // Three readouts beyond two circles: the scan was stopped.
    let shots = along(AVE, 11);
    let hermes = read(file("E11", "mgs_svs_ed", &format!("sWipMemBlock.alFree[7] = 1\n{pulses}"), &shots));
    assert_eq!((hermes.n_conditions(), hermes.n_transients()), (4, 2));
    assert_eq!(heights(&hermes.samples, 2), [3.0, 7.0]);
    let editing = hermes.editing.as_ref().unwrap();
    assert_eq!(editing.pulses_ppm, [vec![4.56], vec![7.5], vec![1.9], vec![4.56, 1.9]]);
    assert_eq!(editing.conditions, Conditions::Apart);
    assert!(says(&hermes, "3 readouts beyond the last whole circle"), "{:?}", hermes.remarks);
    // What is zero the protocol does not write: MEGA.
    let mega =
        read(file("XA30", "smm_svs_herc", "sWipMemBlock.adFree[8] = 1.9\nsWipMemBlock.adFree[11] = 7.5\n", &shots));
    assert_eq!((mega.condition_labels.clone(), mega.n_transients()), (vec!["on".into(), "off".into()], 5));
    assert_eq!(mega.editing.unwrap().pulses_ppm, [[1.9], [7.5]]);
    // One readout cannot be two conditions; a mode that nobody knows is not guessed.
    let mixed = |data: &Acquisition| data.editing.as_ref().map(|e| e.conditions);
    let one = read(file("E11", "mgs_svs_ed", pulses, &along(AVE, 1)));
    assert_eq!((one.n_conditions(), mixed(&one)), (1, Some(Conditions::Mixed(Some(2)))));
    let unknown = read(file("E11", "mgs_svs_ed", "sWipMemBlock.alFree[7] = 8\n", &shots));
    assert_eq!((unknown.n_transients(), mixed(&unknown)), (11, Some(Conditions::Mixed(None))));
}

#[test]
fn editing_along_a_counter_of_its_own() {
    for (software, sequence, counter, average) in [
        ("D13", "svs_edit_859g", IDE, AVE),
        ("B17", "svs_edit_859g", IDE, SET),
        ("B17", "svs_edit_529", ECO, SET),
        ("XA31", "svs_edit", ECO, AVE),
        ("B17", "jn_MEGA_GABA", IDA, SET),
        ("E11", "jn_MEGA_GABA", SET, AVE),
        ("E11", "eja_svs_mpress", ECO, SET),
    ] {
        let shots: Vec<Shot> = (0..11).map(|i| shot(&[(counter, i % 2), (average, i / 2)], f32::from(i + 1))).collect();
        let data = read(file(software, sequence, "", &shots));
        assert_eq!((data.n_conditions(), data.n_transients()), (2, 5), "{software} {sequence}");
        assert_eq!(heights(&data.samples, 1), [2.0, 4.0, 6.0, 8.0, 10.0], "{software} {sequence}");
        assert!(data.editing.is_some() && says(&data, "5 of each were taken"), "{software} {sequence}");
    }
    // Since 2018 in turn.
    let data = read(file("E11", "jn_mega_gaba", "", &along(AVE, 8)));
    assert_eq!(heights(&data.samples, 0), [1.0, 3.0, 5.0, 7.0]);
    // Nothing varies that could tell: the order is not known.
    for (software, sequence) in [("B17", "jn_mega_gaba"), ("XA31", "svs_edit"), ("B17", "my_mega_press")] {
        let shots: Vec<Shot> = (0..8).map(|i| shot(&[(SET, i % 2), (AVE, i / 2)], 1.0)).collect();
        let data = read(file(software, sequence, "", &shots));
        let conditions = data.editing.as_ref().map(|e| e.conditions);
        assert_eq!((data.n_transients(), conditions), (8, Some(Conditions::Mixed(Some(2)))), "{software} {sequence}");
    }
}

#[test]
fn phase_zero_is_water_however_weak_and_only_beside_others() {
    let with = |phases: &[u16]| -> Vec<Shot> {
        let shots = phases.iter().enumerate();
        shots.map(|(i, phase)| shot(&[(PHS, *phase), (AVE, i as u16)], 1.0 + i as f32)).collect()
    };
    for software in ["XA30", "E11"] {
        let data = read(file(software, "svs_se", "", &with(&[0, 0, 1, 1, 1])));
        assert_eq!(water(&data), (vec![1.0, 2.0], "phase 0: readouts 1 to 2"), "{software}");
        assert_eq!((heights(&data.samples, 0), data.n_conditions()), (vec![3.0, 4.0, 5.0], 1));
    }
    let alone = read(file("XA30", "svs_se", "", &with(&[0, 0, 0])));
    assert_eq!((alone.n_transients(), alone.water.is_none()), (3, true));
    // The header says that there are none.
    let off = read(file("E11", "svs_se", "sSpecPara.lAutoRefScanMode = 1\n", &with(&[0, 1, 1])));
    assert!(off.water.is_none() && off.n_conditions() == 2 && says(&off, "no rule says what the counter `phase`"));
}

#[test]
fn references_on_either_side_are_counted() {
    let shots = |n: u16| -> Vec<Shot> { (0..n).map(|i| shot(&[(SET, i)], f32::from(i + 1))).collect() };
    let protocol = |mode: u32, n: u32, averages: &str| {
        format!(
            "alTE[0] = 9000\nalTE[1] = 11000\nalTE[2] = 8000\nsSpecPara.lAutoRefScanMode = {mode}\n\
             sSpecPara.lAutoRefScanNo = {n}\n{averages}"
        )
    };
    let of = |protocol: &str, n: u16| read(file("E11", "svs_slaserVOI_dkd2", protocol, &shots(n)));
    let two = protocol(2, 2, "lAverages = 8\n");
    for (n, references, transients, remark) in [
        (12, vec![1.0, 2.0, 11.0, 12.0], 8, ""),
        (10, vec![1.0, 2.0], 8, "those after the transients are missing"),
        (7, vec![1.0, 2.0], 5, "ended early"),
        (11, vec![1.0, 2.0, 11.0], 8, "ended early"),
        (8, vec![], 8, "none was taken"),
    ] {
        let data = of(&two, n);
        assert_eq!((water(&data).0, data.n_transients()), (references, transients), "{n}: {:?}", data.remarks);
        assert!(remark.is_empty() || says(&data, remark), "{n}: {:?}", data.remarks);
        assert!(data.water.is_none() || data.facts.water_suppressed == Some(true));
    }
    assert_eq!(water(&of(&protocol(2, 3, "lAverages = 4\n"), 10)).1, "readouts 1 to 3, 8 to 10");
    assert_eq!(water(&of(&protocol(2, 1, ""), 6)).0, [1.0, 6.0]);
    // Two kinds: those without any saturation.
    assert_eq!(water(&of(&protocol(8, 2, "lAverages = 4\n"), 12)).0, [3.0, 4.0, 11.0, 12.0]);
    // None were asked for.
    assert_eq!(of(&protocol(1, 2, "lAverages = 8\n"), 8).n_transients(), 8);
    // The header's first line of TE stands: the file has it twice.
    let te = read(file("E11", "dkd_svs_slaser", "alTE[1] = 11000\nalTE[2] = 8000\n", &shots(4))).facts.te_s;
    assert_eq!(te, Some(0.049));
    // The vendor's own and E. J. Auerbach's state it in one.
    assert_eq!(read(file("B17", "eja_svs_slaser", "alTE[1] = 135000\n", &shots(4))).facts.te_s, Some(0.03));
}

#[test]
fn special_is_subtracted_along_every_counter() {
    for (software, sequence, counter) in [
        ("XA30", "jn_svs_special", AVE),
        ("E11", "rm_special", REP),
        ("B17", "rm_special", SET),
        ("D13", "vq_special", SET),
        ("E11", "md_Adiab_Special", AVE),
    ] {
        // Odd ones are stronger: without inversion. One is left over.
        let heights_of = [10.0, 4.0, 12.0, 4.0, 9.0];
        let shots: Vec<Shot> = (0..5).map(|i| shot(&[(counter, i)], heights_of[usize::from(i)])).collect();
        let data = read(file(software, sequence, "", &shots));
        assert_eq!((heights(&data.samples, 0), data.n_conditions()), (vec![3.0, 4.0], 1), "{software} {sequence}");
        assert!(says(&data, "1 readouts beyond") && says(&data, "signs + −"), "{:?}", data.remarks);
        // The other way round the data tell.
        let turned: Vec<Shot> = shots.into_iter().skip(1).collect();
        let data = read(file(software, sequence, "", &turned));
        assert_eq!(heights(&data.samples, 0), [4.0, 2.5], "{software} {sequence}");
    }
    let shots: Vec<Shot> =
        (0..6).map(|i| shot(&[(IDA, i % 2), (SET, i / 2)], [8.0, 2.0][usize::from(i % 2)])).collect();
    assert_eq!(heights(&read(file("B17", "jn_svs_special", "", &shots)).samples, 0), [3.0; 3]);
}

#[test]
fn special_of_two_voxels_gives_both() {
    let steps = [10.0, 4.0, 6.0, 0.0];
    let shots: Vec<Shot> = (0..8).map(|i| shot(&[(AVE, i)], steps[usize::from(i % 4)])).collect();
    let data = read(file("E11", "md_dvox_special", "", &shots));
    assert_eq!(heights(&data.samples, 0), [3.0, 3.0]);
    let (name, second) = &data.further[0];
    assert_eq!((name.as_str(), heights(&second.samples, 0)), ("voxel2", vec![2.0, 2.0]));
    assert!(data.affine_mm.is_none());
}

#[test]
fn isthmus_is_split_and_may_end_early() {
    let protocol = "sWipMemBlock.alFree[3] = 4\nsWipMemBlock.alFree[4] = 4\nsWipMemBlock.alFree[5] = 12\n\
                    sWipMemBlock.alFree[6] = 35000\nalTE[0] = 80000\nsWipMemBlock.adFree[8] = 4.58\n\
                    sWipMemBlock.adFree[9] = 1.9\nsWipMemBlock.adFree[11] = 4.18\n";
    let of = |n: u16| {
        let text = file("E11", "svs_isthmus", protocol, &along(AVE, n));
        // The builder's own echo time stands first.
        let at = text.windows(5).position(|w| w == b"30000").unwrap();
        let mut text = text;
        text[at..at + 5].copy_from_slice(b"80000");
        read(text)
    };
    let whole = of(20);
    assert_eq!((heights(&whole.samples, 0), whole.facts.te_s), (vec![2.0, 3.0, 4.0, 5.0], Some(0.035)));
    assert_eq!((water(&whole).0, whole.facts.sequence.as_deref()), (vec![6.0, 16.0], Some("PRESS")));
    let (name, hercules) = &whole.further[0];
    assert_eq!((name.as_str(), hercules.facts.te_s, hercules.n_conditions()), ("hercules80", Some(0.08), 4));
    assert_eq!(heights(&hercules.samples, 1), [8.0, 13.0, 18.0]);
    assert_eq!(water(hercules).0, [1.0, 11.0]);
    assert_eq!(hercules.editing.as_ref().unwrap().pulses_ppm[1], [4.18, 1.9]);
    // In the second part: whole circles of it.
    let early = of(13);
    assert_eq!((heights(&early.further[0].1.samples, 0), early.n_transients()), (vec![7.0], 4));
    assert!(says(&early, "beyond the last whole circle"));
    // In the first: its water is not there yet.
    let press = of(4);
    assert_eq!((heights(&press.samples, 0), press.further.len()), (vec![2.0, 3.0, 4.0], 0));
    assert_eq!(press.water.as_ref().unwrap().te_s, Some(0.08));
    assert!(says(&press, "ends before its second part") && says(&press, "its own water was not measured"));
}

#[test]
fn counters_without_a_rule_are_kept_apart_and_said() {
    let shots: Vec<Shot> = (0..6).map(|i| shot(&[(ECO, i % 3), (AVE, i / 3)], f32::from(i + 1))).collect();
    let data = read(file("E11", "my_own", "", &shots));
    assert_eq!((data.n_conditions(), heights(&data.samples, 2)), (3, vec![3.0, 6.0]));
    assert_eq!(data.condition_labels, ["echo0", "echo1", "echo2"]);
    assert!(says(&data, "no rule says what the counter `echo` counts"), "{:?}", data.remarks);
    // Two groups of which one is much stronger: by strength, and said.
    let strong: Vec<Shot> = (0..6).map(|i| shot(&[(ECO, i / 3)], if i < 3 { 90.0 } else { 1.0 })).collect();
    let data = read(file("E11", "my_own", "", &strong));
    assert_eq!((water(&data).0, data.n_transients()), (vec![90.0; 3], 3));
    assert!(water(&data).1.contains("by their strength") && says(&data, "times stronger"));
    // Many values of Set alone are transients, with stronger ones as water.
    let set: Vec<Shot> = (0..12).map(|i| shot(&[(SET, i)], if i < 2 { 90.0 } else { 1.0 })).collect();
    let data = read(file("E11", "my_own", "", &set));
    assert_eq!((water(&data).0, data.n_transients(), data.n_conditions()), (vec![90.0; 2], 10, 1));
    assert!(says(&data, "taken for transients"), "{:?}", data.remarks);
}

#[test]
fn signals_begin_at_the_echo() {
    let of = |sequence: &str, centre: u16, free: u16, protocol: &str| {
        let shots = along(SET, 2);
        read(with_header("B17", sequence, protocol, &shots, |header| {
            header[64..66].copy_from_slice(&centre.to_le_bytes());
            header[88..90].copy_from_slice(&free.to_le_bytes());
        }))
    };
    let first = |data: &Acquisition| data.samples.at([0, 0, 0, 0, 0]).re;
    let data = of("eja_svs_slaser", 4, 2, "sSpecPara.lVectorSize = 28\n");
    assert_eq!((data.n_points(), first(&data)), (56, f64::from(0.2_f32)));
    assert!(says(&data, "4 points before the echo (centre column) and 4 behind"));
    let data = of("my_own", 4, 0, "");
    assert_eq!((data.n_points(), first(&data)), (60, f64::from(0.2_f32)));
    // The middle of a k-space line is no echo of spectroscopy.
    let data = of("my_own", 32, 0, "");
    assert!(data.n_points() == 64 && says(&data, "no number of points before the echo"));
    // A free parameter alone counts for the vendor's sequences, where there is room.
    assert_eq!(of("svs_se", 0, 3, "sSpecPara.lVectorSize = 30\n").n_points(), 60);
    let data = of("svs_se", 0, 3, "sSpecPara.lVectorSize = 32\n");
    assert!(data.n_points() == 64 && says(&data, "all points were kept"));
}

#[test]
fn further_echo_times_that_no_rule_knows_are_told() {
    let of = |sequence: &str, more: &str| read(file("E11", sequence, more, &along(AVE, 4)));
    let two = of("svs_mylaser", "alTE[1] = 11000\nalTE[2] = 8000\n");
    assert!(
        two.facts.te_s == Some(0.03) && says(&two, "30, 11, 8 ms") && says(&two, "sum is 49 ms"),
        "{:?}",
        two.remarks
    );
    assert!(!says(&of("svs_mylaser", ""), "echo times"));
    // Whose echo time stands in the first is known.
    assert!(!says(&of("svs_slaser", "alTE[1] = 11000\n"), "echo times"));
}
