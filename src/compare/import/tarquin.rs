//! TARQUIN's results, as text (`--output_txt`: `Signal  Conc (au)  %SD  SD (au)`) and as CSV (`--output_csv`: a table
//! of amplitudes, one of Cramér–Rao bounds, both `Row,Col,Slice,NAME…`).

use super::results::{DecodeError, Estimate, Results};

/// First line of the CSV.
pub const CSV_HEAD: &str = "Signal amplitudes";
const CSV_BOUNDS: &str = "CRLBs (standard deviation)";

/// Decodes the text output; `mM` in its heading says that values were scaled to water.
///
/// # Errors
/// [`DecodeError`]: no line of results, or an unreadable one.
pub fn decode_text(text: &str) -> Result<Results, DecodeError> {
    let mut lines = text.lines().enumerate().skip_while(|(_, l)| l.trim().is_empty());
    let missing = DecodeError::Missing { what: "TARQUIN's table of results" };
    let (_, heading) = lines.next().ok_or(missing.clone())?;
    let mut estimates = Vec::new();
    for (index, line) in lines {
        if line.trim().is_empty() {
            break;
        }
        if line.trim_start().starts_with("---") {
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let [name, value, _, sd] = words.as_slice() else {
            return Err(DecodeError::line(index, "four columns are needed: name, value, %SD, SD"));
        };
        let value: f64 = finite(value).ok_or_else(|| DecodeError::line(index, "no number"))?;
        estimates.push(Estimate { name: (*name).to_owned(), value, sd: finite(sd) });
    }
    if estimates.is_empty() {
        return Err(missing);
    }
    Ok(Results { estimates, is_water_scaled: heading.contains("(mM)"), ..Results::default() })
}

/// Decodes the CSV output: one line a voxel. It does not say whether values were scaled to water.
///
/// # Errors
/// [`DecodeError`]: a table is missing, or an unreadable line.
pub fn decode_csv(text: &str) -> Result<Vec<Results>, DecodeError> {
    let lines: Vec<&str> = text.lines().collect();
    let (names, amplitudes) = table(&lines, CSV_HEAD)?;
    let (bound_names, bounds) = table(&lines, CSV_BOUNDS)?;
    let several = amplitudes.len() > 1;
    let voxels = amplitudes.into_iter().map(|(place, values)| {
        let bounds = bounds.iter().find(|(other, _)| *other == place).map(|(_, values)| values);
        let sd = |name: &str| {
            let at = bound_names.iter().position(|n| *n == name)?;
            bounds?.get(at).copied().filter(|sd| sd.is_finite())
        };
        let estimates = names.iter().zip(values).filter(|(_, value)| value.is_finite());
        Results {
            voxel: several.then(|| [place[1], place[0], place[2]].map(|n| (n - 1.0) as usize)),
            estimates: estimates.map(|(n, value)| Estimate { name: n.clone(), value, sd: sd(n) }).collect(),
            ..Results::default()
        }
    });
    Ok(voxels.collect())
}

/// Row, column and slice of a voxel, and its values.
type Voxel = ([f64; 3], Vec<f64>);

/// The table under a title: names of its columns, and its voxels.
fn table(lines: &[&str], title: &'static str) -> Result<(Vec<String>, Vec<Voxel>), DecodeError> {
    let missing = DecodeError::Missing { what: title };
    let at = lines.iter().position(|l| l.trim() == title).ok_or(missing.clone())?;
    let heading: Vec<&str> = lines.get(at + 1).ok_or(missing.clone())?.split(',').map(str::trim).collect();
    if heading.len() < 4 || !heading[0].eq_ignore_ascii_case("row") {
        return Err(missing);
    }
    let names: Vec<String> = heading[3..].iter().map(|n| (*n).to_owned()).collect();
    let mut voxels = Vec::new();
    for (index, line) in lines.iter().enumerate().skip(at + 2) {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        // The next table's title has no comma.
        if cells.len() < 4 {
            break;
        }
        if cells.len() < heading.len() {
            return Err(DecodeError::line(index, format!("{} cells of {}", cells.len(), heading.len())));
        }
        let place = [0, 1, 2].map(|k| finite(cells[k]).unwrap_or(1.0));
        // What was not found is `nan` or `inf`; it has no value.
        voxels.push((place, cells[3..heading.len()].iter().map(|c| finite(c).unwrap_or(f64::NAN)).collect()));
    }
    if voxels.is_empty() { Err(missing) } else { Ok((names, voxels)) }
}

fn finite(word: &str) -> Option<f64> {
    word.parse().ok().filter(|v: &f64| v.is_finite())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const CSV: &str = "Signal amplitudes\nRow,Col,Slice,NAA,Cr,TNAA\n1,1,1,2.5,1.5,2.75\nCRLBs (standard deviation)\n\
        Row,Col,Slice,NAA,Cr,TNAA\n1,1,1,0.25,inf,0.125\nFit diagnostics\nRow,Col,Slice,Q\n1,1,1,2\n";

    #[test]
    fn amplitudes_and_bounds_of_the_csv() {
        let results = decode_csv(CSV).unwrap().remove(0);
        assert_eq!(results.voxel, None);
        assert_eq!(results.estimates[0], Estimate { name: "NAA".into(), value: 2.5, sd: Some(0.25) });
        assert_eq!((results.estimates[1].sd, results.estimates[2].sd), (None, Some(0.125)));
        let cut = CSV.split("CRLBs").next().unwrap();
        assert!(decode_csv(cut).unwrap_err().to_string().contains("CRLBs"));
    }

    #[test]
    fn the_unit_of_the_text_tells_whether_it_was_scaled() {
        let text = "Signal     Conc (mM)       %SD   SD (mM)\n-----\nNAA   8.5   5.0  0.425\nGln   0.000   inf  0.3\n\nFit quality\n";
        let results = decode_text(text).unwrap();
        assert!(results.is_water_scaled);
        assert_eq!(results.estimates[1], Estimate { name: "Gln".into(), value: 0.0, sd: Some(0.3) });
        assert!(!decode_text(&text.replace("mM", "au")).unwrap().is_water_scaled);
        assert!(decode_text(&text.replace("8.5", "x")).unwrap_err().to_string().contains("line 3"));
    }
}
