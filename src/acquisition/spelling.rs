//! Vendors and sequences as everybody's files spell them: one spelling where it is the same, so that one protocol is one group.

/// Words by which a maker is known in headers, and its name here.
const VENDORS: [(&str, &str); 13] = [
    ("siemens", "Siemens"),
    ("philips", "Philips"),
    ("general electric", "GE"),
    ("gehc", "GE"),
    ("gems", "GE"),
    ("ge", "GE"),
    ("bruker", "Bruker"),
    ("varian", "Varian"),
    ("agilent", "Varian"),
    ("united imaging", "UIH"),
    ("uih", "UIH"),
    ("canon", "Canon"),
    ("toshiba", "Canon"),
];

/// Names of sequences that mean one and the same however they are written: letters and digits in lower case, and the
/// spelling of the tables. Siemens' own names are those of its twix headers, GE's those of its P-files.
const SEQUENCES: [(&str, &str); 22] = [
    ("svsse", "svs_se"),
    ("svsst", "svs_st"),
    ("svsedit", "svs_edit"),
    ("svsslaser", "svs_slaser"),
    ("probep", "PROBE-P"),
    ("probes", "PROBE-S"),
    ("press", "PRESS"),
    ("steam", "STEAM"),
    ("slaser", "sLASER"),
    ("semilaser", "sLASER"),
    ("laser", "LASER"),
    ("special", "SPECIAL"),
    ("spinecho", "spin-echo"),
    ("isis", "ISIS"),
    ("mega", "MEGA"),
    ("megapress", "MEGA-PRESS"),
    ("pressmega", "MEGA-PRESS"),
    ("megaslaser", "MEGA-sLASER"),
    ("megasemilaser", "MEGA-sLASER"),
    ("megaspecial", "MEGA-SPECIAL"),
    ("hermes", "HERMES"),
    ("hercules", "HERCULES"),
];

/// A maker's name as the tables have it: `GE MEDICAL SYSTEMS` is `GE`. One that is not known stays as it is.
pub(super) fn vendor(stated: &str) -> String {
    let plain: String =
        stated.replace('.', "").to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    let all = format!(" {} ", words.join(" "));
    let known = VENDORS.iter().find(|(word, _)| all.contains(&format!(" {word} ")));
    known.map_or_else(|| stated.trim().to_owned(), |(_, name)| (*name).to_owned())
}

/// A sequence's name as the tables have it: without the folder that it lies in on the scanner, without the star of Siemens'
/// DICOM files, and, where it is one of the known, in one spelling.
pub(super) fn sequence(stated: &str) -> String {
    let name = stated.trim();
    // A character that does not show is written `\u{1b}`: no folder.
    let folders = name.rmatch_indices('\\').map(|(at, _)| &name[at + 1..]);
    let name = folders.into_iter().find(|rest| !rest.starts_with("u{")).unwrap_or(name);
    // `%SiemensSeq%/svs_se`: only a name of a folder in percent signs is one.
    let name = if name.starts_with('%') { name.rsplit(['%', '/']).next().unwrap_or(name) } else { name };
    let name = name.trim_start_matches('*').trim();
    let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    // Siemens' product protocols carry the echo time in their names: `svs_se_30`, `svs_st_20_noref` is somebody's own.
    let without_te = ["svsse", "svsst"].into_iter().find(|own| {
        plain
            .strip_prefix(own)
            .is_some_and(|te| !te.is_empty() && te.len() <= 3 && te.bytes().all(|b| b.is_ascii_digit()))
    });
    let plain = without_te.unwrap_or(plain.as_str());
    let known = SEQUENCES.iter().find(|(key, _)| *key == plain);
    known.map_or_else(|| name.to_owned(), |(_, spelled)| (*spelled).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_maker_has_one_name() {
        for (name, stated) in [
            ("Siemens", vec!["SIEMENS", "Siemens", "siemens", "Siemens Healthineers", "SIEMENS "]),
            ("GE", vec!["GE", "GE MEDICAL SYSTEMS", "GE Healthcare", "General Electric", "G.E. Medical Systems", "ge"]),
            ("Philips", vec!["Philips", "Philips Medical Systems", "PHILIPS-0123", "Philips Healthcare"]),
            ("Varian", vec!["Varian", "Agilent", "Varian/Agilent"]),
            ("Bruker", vec!["Bruker BioSpin MRI GmbH"]),
            ("UIH", vec!["UIH", "United Imaging Healthcare"]),
            ("Canon", vec!["CANON_MEC", "TOSHIBA_MEC"]),
            // Not GE, only in its letters.
            ("Cambridge", vec!["Cambridge"]),
            ("MR Solutions", vec!["MR Solutions", " MR Solutions "]),
            ("", vec![""]),
        ] {
            for stated in stated {
                assert_eq!(vendor(stated), name, "{stated}");
            }
        }
    }

    #[test]
    fn one_sequence_has_one_name() {
        for (name, stated) in [
            ("svs_se", vec!["svs_se", "*svs_se", "%SiemensSeq%\\svs_se", "%SiemensSeq%/svs_se", "SVS_SE", "svs_se_30"]),
            ("svs_st", vec!["*svs_st", "svs_st_20"]),
            ("svs_edit", vec!["%CustomerSeq%\\svs_edit", "*svs_edit"]),
            ("PROBE-P", vec!["PROBE-P", "probe-p", "PROBE_P "]),
            ("PRESS", vec!["PRESS", "press", "Press"]),
            ("MEGA-PRESS", vec!["MEGA-PRESS", "MEGAPRESS", "mega_press"]),
            ("sLASER", vec!["sLASER", "semi-LASER", "SLASER"]),
            // Of others nothing is known: they stay, but for their folder.
            ("eja_svs_slaser", vec!["%CustomerSeq%\\eja_svs_slaser", "*eja_svs_slaser"]),
            ("svs_se_noref", vec!["svs_se_noref"]),
            ("PRESS_35", vec!["PRESS_35"]),
            ("a/b", vec!["a/b"]),
            ("a\\u{1b}[2J", vec!["%CustomerSeq%\\a\\u{1b}[2J"]),
            ("", vec!["", "*"]),
        ] {
            for stated in stated {
                assert_eq!(sequence(stated), name, "{stated}");
                assert_eq!(sequence(name), name, "{name} stays");
            }
        }
    }
}
