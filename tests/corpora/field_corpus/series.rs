//! Files of one series, each with a transient.

use super::*;

#[test]
fn real_transients_in_files_of_one_series_are_one_spectrum() {
    let folder = case("dicom-xa-one-file-per-average");
    let listing = search(&folder);
    expect(&listing, &[("00001.dcm", "ready")]);
    let parts = left_out(&listing);
    for name in ["00002.dcm", "00003.dcm", "00004.dcm"] {
        assert_eq!(parts[name], LeftOutKind::PartOfSeries);
    }
    let found = &listing.found[0];
    let all = formats::read_series(&found.path, &found.parts).unwrap();
    assert_eq!((all.n_transients(), all.n_coils(), all.n_points()), (4, 1, 2048));
    for (transient, name) in ["00001.dcm", "00002.dcm", "00003.dcm", "00004.dcm"].iter().enumerate() {
        let one = formats::read(&folder.join(name)).unwrap();
        assert_eq!(all.samples.fid([0, 0, transient, 0]), one.samples.fid([0; 4]));
    }
    assert!(
        all.flags.is_empty() && all.remarks.iter().any(|r| r.contains("4 files of one series")),
        "{:?}",
        all.remarks
    );
    // A manifest's line is a measurement, too, and each line where it names them all.
    let work = tempfile::tempdir().unwrap();
    let named = folder.join("00001.dcm").display().to_string();
    write(work.path(), "m.csv", format!("path\n{named}\n").as_bytes());
    let listing = find(&[work.path().join("m.csv")], &Search).unwrap();
    assert_eq!(listing.found[0].parts, found.parts);
    let all: String = (1..=4).map(|n| format!("{}\n", folder.join(format!("0000{n}.dcm")).display())).collect();
    write(work.path(), "m.csv", format!("path\n{all}").as_bytes());
    let listing = find(&[work.path().join("m.csv")], &Search).unwrap();
    assert!(listing.found.len() == 4 && listing.found.iter().all(|found| found.parts.is_empty()));
}

/// Files that are numbered alike, of which only some are one measurement.
fn numbered_files(folder: &Path) {
    let put = |name: &str, instance: Instance| write(folder, name, &transient(instance));
    let of = |number: u32| Instance { number, ..ONE };
    // In the order of their numbers, not of their names.
    for (name, number) in [("a/IM1.dcm", 3), ("a/IM2.dcm", 1), ("a/IM3.dcm", 2)] {
        put(name, of(number));
    }
    put("b/1", of(1));
    put("b/2", Instance { te_ms: 68.0, ..of(2) });
    put("c/1.dcm", of(1));
    put("c/2.dcm", Instance { series: "1.2.3.5", ..of(2) });
    for number in [1, 2] {
        put(&format!("edited/{number}.dcm"), Instance { protocol: "MEGA_press_68", ..of(number) });
        put(&format!("named_{}.dcm", ["on", "off"][number as usize - 1]), of(number));
    }
    put("copies/1.dcm", of(1));
    put("copies/2.dcm", of(1));
    for (name, number) in [("twice/1.dcm", 1), ("twice/2.dcm", 2), ("twice/3.dcm", 2)] {
        put(name, of(number));
    }
    for number in [1, 2, 3] {
        put(&format!("ref/{number}.dcm"), Instance { height: if number == 1 { 300.0 } else { 1.0 }, ..of(number) });
    }
    for number in [1, 2, 5] {
        put(&format!("gap/{number}.dcm"), of(number));
    }
    for number in [1, 3] {
        put(&format!("broken/{number}.dcm"), of(number));
    }
    let broken = transient(of(2));
    write(folder, "broken/2.dcm", &broken[..broken.len() - 100]);
}

#[test]
fn only_what_is_alike_is_put_together() {
    let keep = tempfile::tempdir().unwrap();
    numbered_files(keep.path());
    let listing = search(keep.path());
    let apart = ["b/1", "b/2", "broken/2.dcm", "c/1.dcm", "c/2.dcm", "copies/1.dcm", "copies/2.dcm", "edited/1.dcm"];
    let named = ["edited/2.dcm", "named_off.dcm", "named_on.dcm"];
    let first = ["a/IM2.dcm", "broken/1.dcm", "gap/1.dcm", "ref/1.dcm"];
    let mut expected: Vec<(&str, &str)> =
        [&apart[..], &named, &first].concat().into_iter().map(|path| (path, "ready")).collect();
    expected.push(("twice/1.dcm", "bad_series"));
    expect(&listing, &expected);
    assert_eq!(listing.found.len() + listing.left_out.len(), 3 + 2 + 2 + 2 + 2 + 2 + 3 + 3 + 3 + 3);
    let same = listing.warnings.iter().filter(|w| matches!(w, FindWarning::SameInstance { n: 1, .. })).count();
    assert_eq!(same, 1);
}

#[test]
fn series_are_read_in_order_and_say_what_is_wrong() {
    let keep = tempfile::tempdir().unwrap();
    numbered_files(keep.path());
    let listing = search(keep.path());
    let read = |path: &str| {
        let found = listing.found.iter().find(|found| found.source_path == path).unwrap();
        formats::read_series(&found.path, &found.parts)
    };
    let ordered = read("a/IM2.dcm").unwrap();
    let firsts: Vec<f64> = (0..3).map(|t| ordered.samples.fid([0, 0, t, 0])[0].re).collect();
    assert!(firsts.is_sorted() && firsts[0] < firsts[2], "{firsts:?}");
    assert!(ordered.flags.is_empty());
    let strong = read("ref/1.dcm").unwrap_err();
    assert!(strong.code() == "bad_series" && strong.to_string().contains("water reference"), "{strong}");
    for (path, missing) in [("gap/1.dcm", "3, 4"), ("broken/1.dcm", "2")] {
        let data = read(path).unwrap();
        assert_eq!(data.flags, ["incomplete_series"]);
        assert!(data.remarks.iter().any(|r| r.contains(missing)), "{:?}", data.remarks);
    }
    assert!(read("broken/2.dcm").is_err());
}

#[test]
fn rda_files_are_a_series_if_their_headers_say_so() {
    let keep = tempfile::tempdir().unwrap();
    let times = "StudyTime: 101010.0\r\nSeriesDate: 20200101\r\nSeriesTime: 101112.0\r\nSeriesNumber: 7\r\n";
    for number in [1, 2, 3] {
        let name = format!("x_{number}.rda");
        write(&keep.path().join("a"), &name, &rda(&scan(40.0), &format!("{times}InstanceNumber: {number}\r\n")));
        // As anonymised: a number may be anybody's.
        write(
            &keep.path().join("b"),
            &name,
            &rda(&scan(40.0), &format!("SeriesNumber: 7\r\nInstanceNumber: {number}\r\n")),
        );
    }
    let listing = search(keep.path());
    let all = ["a/x_1.rda", "b/x_1.rda", "b/x_2.rda", "b/x_3.rda"];
    expect(&listing, &all.map(|path| (path, "ready")));
    assert_eq!(listing.found[0].parts.len(), 2);
}

#[test]
fn every_file_of_a_series_is_among_the_inputs_of_its_row() {
    let keep = tempfile::tempdir().unwrap();
    let input = keep.path().join("in");
    let run = |out: &str| -> SpectrumRow {
        let out = keep.path().join(out);
        let ran = requant(&["run", input.to_str().unwrap(), "--out", out.to_str().unwrap(), "--engine", "cpu"]);
        assert!([0, 65].contains(&ran.status.code().unwrap()), "{ran:?}");
        let mut rows: Vec<SpectrumRow> = read_table(&out).unwrap();
        assert_eq!(rows.len(), 1);
        rows.remove(0)
    };
    for number in [1, 2, 3] {
        write(&input, &format!("{number}.dcm"), &transient(Instance { number, ..ONE }));
    }
    let before = run("before");
    assert_eq!((before.source_path.as_str(), before.n_transients), ("1.dcm", Some(3)));
    assert_eq!(before.inputs_sha256, run("again").inputs_sha256);
    write(&input, "3.dcm", &transient(Instance { number: 3, height: 1.5, ..ONE }));
    let after = run("after");
    assert_ne!(before.inputs_sha256, after.inputs_sha256);
    assert_eq!(before.source_sha256, after.source_sha256);
}
