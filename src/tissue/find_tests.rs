#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;

fn put(root: &Path, files: &[&str]) {
    for file in files {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
}

fn said(source: &Source) -> String {
    match source {
        Source::Files(s) => s.files.iter().map(|file| name_of(file)).collect::<Vec<_>>().join(" "),
        Source::Fault(error) => error.flag().to_owned(),
        Source::None => "none".to_owned(),
        Source::Stated { .. } => "stated".to_owned(),
    }
}

fn maps(subject: &str, more: &str) -> Vec<String> {
    let folder = if more.is_empty() { "anat".to_owned() } else { format!("{more}/anat") };
    ["GM", "WM", "CSF"]
        .iter()
        .map(|l| format!("derivatives/x/sub-{subject}/{folder}/sub-{subject}_label-{l}_probseg.nii.gz"))
        .collect()
}

#[test]
fn derivatives_of_the_dataset_are_found_by_subject_and_session() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    put(
        root,
        &[
            "dataset_description.json",
            "sub-1/ses-a/mrs/sub-1_svs.nii.gz",
            "sub-2/mrs/sub-2_svs.nii.gz",
            "sub-3/mrs/sub-3_svs.nii.gz",
        ],
    );
    for (subject, more) in [("1", "ses-a"), ("1", "ses-b"), ("2", "")] {
        put(root, &maps(subject, more).iter().map(String::as_str).collect::<Vec<_>>());
    }
    put(
        root,
        &[
            "derivatives/x/sub-2/anat/sub-2_space-MNI_label-GM_probseg.nii.gz",
            "derivatives/x/sub-2/anat/sub-2_dseg.nii.gz",
        ],
    );
    let path = |file: &str| root.join(file);
    let (one, two, three) = (
        path("sub-1/ses-a/mrs/sub-1_svs.nii.gz"),
        path("sub-2/mrs/sub-2_svs.nii.gz"),
        path("sub-3/mrs/sub-3_svs.nii.gz"),
    );
    let wanted = [
        Wanted { path: &one, subject: Some("1"), session: Some("a"), stated: None },
        Wanted { path: &one, subject: Some("1"), session: Some("c"), stated: None },
        Wanted { path: &two, subject: Some("2"), session: None, stated: None },
        Wanted { path: &three, subject: Some("3"), session: None, stated: None },
    ];
    let found = find(&wanted, &Search::Auto);
    let maps = |s: &str| ["GM", "WM", "CSF"].map(|l| format!("sub-{s}_label-{l}_probseg.nii.gz")).join(" ");
    assert_eq!(
        found.iter().map(said).collect::<Vec<_>>(),
        [maps("1"), "none".to_owned(), maps("2"), "none".to_owned()]
    );
    let Source::Files(first) = &found[0] else { unreachable!() };
    assert_eq!(first.shown_as, "derivatives/x/sub-1/ses-a/anat/sub-1_label-GM_probseg.nii.gz");
    assert!(first.files[0].to_string_lossy().contains("ses-a"));
    assert_eq!(find(&wanted, &Search::None), vec![Source::None; 4]);
    // In a folder that somebody names, not finding any is an error.
    let found = find(&wanted, &Search::At(root.join("derivatives")));
    assert_eq!(said(&found[0]), maps("1"));
    assert_eq!(said(&found[3]), "no_segmentation");
}

#[test]
fn maps_of_an_atlas_alone_and_too_few_or_too_many_maps_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let of = |files: &[&str]| {
        let folder = tempfile::tempdir_in(dir.path()).unwrap();
        put(folder.path(), files);
        let wanted = [Wanted { path: Path::new("x"), subject: None, session: None, stated: None }];
        said(&find(&wanted, &Search::At(folder.path().to_owned()))[0])
    };
    assert_eq!(
        of(&[
            "x_space-MNI_label-GM_probseg.nii",
            "x_space-MNI_label-WM_probseg.nii",
            "x_space-MNI_label-CSF_probseg.nii"
        ]),
        "segmentation_not_in_scanner_space"
    );
    assert_eq!(of(&["T1_pve_0.nii", "T1_pve_1.nii"]), "segmentation_incomplete");
    assert_eq!(of(&["T1_pve_0.nii", "T1_pve_1.nii", "T1_pve_2.nii", "T1_pve_3.nii"]), "segmentation_incomplete");
    assert_eq!(of(&["c1a.nii", "c2a.nii", "c3a.nii", "c3a.nii.gz"]), "ambiguous_segmentation");
    assert_eq!(of(&["c1a.nii", "c2a.nii", "c3a.nii", "c1b.nii", "c2b.nii", "c3b.nii"]), "ambiguous_segmentation");
    assert_eq!(of(&["c1a.nii", "c2a.nii", "c3a.nii", "c1ontrol.nii", "a_seg.nii"]), "c1a.nii c2a.nii c3a.nii");
    assert_eq!(
        of(&["T1_pve_0.nii", "T1_pve_1.nii", "T1_pve_2.nii", "T1_pveseg.nii", "T1_seg.nii", "T1_seg_0.nii"]),
        "T1_pve_1.nii T1_pve_2.nii T1_pve_0.nii"
    );
    assert_eq!(of(&["mri/aseg.mgz", "mri/aparc+aseg.mgz"]), "aparc+aseg.mgz");
    assert_eq!(of(&["T1.nii"]), "no_segmentation");
}

#[test]
fn a_file_that_is_named_is_taken_with_those_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), &["c1a.nii", "c2a.nii", "c3a.nii", "c1b.nii", "c2b.nii", "c3b.nii", "x.nii", "own.json"]);
    let of = |name: &str| {
        let stated = dir.path().join(name);
        let wanted = |subject| Wanted { path: Path::new("x"), subject, session: None, stated: Some(&stated) };
        said(&find(&[wanted(Some("1")), wanted(Some("2"))], &Search::Auto)[0])
    };
    assert_eq!(of("c2b.nii"), "c1b.nii c2b.nii c3b.nii");
    assert_eq!(of("own.json"), "own.json");
    put(dir.path(), &["c2b.nii.gz", "aseg.mgz", "aseg.nii"]);
    assert_eq!(of("c2b.nii.gz"), "c1b.nii c2b.nii.gz c3b.nii");
    assert_eq!(of("aseg.nii"), "aseg.nii");
    assert_eq!(of("x.nii"), "segmentation_unreadable");
    assert_eq!(of("c1none.nii"), "segmentation_incomplete");
    assert_eq!(of("none.nii"), "segmentation_unreadable");
}
