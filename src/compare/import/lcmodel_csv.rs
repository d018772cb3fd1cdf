//! LCModel's spreadsheet (`.csv`): `Row, Col`, then three columns a metabolite: value, `%SD`, ratio (LCModel manual,
//! section 6.4). One line a voxel. Names of sums are cut off after 13 letters.

use super::results::{DecodeError, Estimate, Results};

/// Decodes the text. Voxels of a grid get ids of their own only where there are several.
///
/// # Errors
/// [`DecodeError`]: a line with too few or unreadable cells.
pub fn decode(text: &str) -> Result<Vec<Results>, DecodeError> {
    let mut lines = text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty());
    let missing = DecodeError::Missing { what: "the heading of LCModel's spreadsheet" };
    let (_, heading) = lines.next().ok_or(missing.clone())?;
    let heading: Vec<&str> = heading.split(',').map(str::trim).collect();
    let metabolites: Vec<(usize, &str)> = heading
        .iter()
        .enumerate()
        .filter_map(|(k, cell)| Some((k.checked_sub(1)?, cell.strip_suffix("%SD")?.trim())))
        .filter(|(k, name)| heading[*k] == *name)
        .collect();
    if metabolites.is_empty() {
        return Err(missing);
    }
    let mut voxels = Vec::new();
    for (index, line) in lines {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        let number = |k: usize| -> Result<f64, DecodeError> {
            let cell = cells.get(k).ok_or_else(|| DecodeError::line(index, format!("cell {} is missing", k + 1)))?;
            let value = cell.parse().ok().filter(|v: &f64| v.is_finite());
            value.ok_or_else(|| DecodeError::line(index, format!("cell {} is no number", k + 1)))
        };
        let mut estimates = Vec::new();
        for (k, name) in &metabolites {
            estimates.push(Estimate::with_percent(name, number(*k)?, Some(number(k + 1)?)));
        }
        voxels.push(([number(0)?, number(1)?], estimates));
    }
    let several = voxels.len() > 1;
    let results = voxels.into_iter().map(|([row, column], estimates)| Results {
        // Counted from 1 there, from 0 here.
        voxel: several.then_some([(column - 1.0) as usize, (row - 1.0) as usize, 0]),
        estimates,
        ..Results::default()
    });
    Ok(results.collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn voxels_and_metabolites() {
        let text = "Row, Col, NAA, NAA %SD, NAA/Cr+PCr, Glu+Gln, Glu+Gln %SD, Glu+Gln/Cr+PCr\n\
            1, 1, 2.0, 5, 1.0, 3.0, 999, 1.5\n 2, 1, 4.0, 5, 1.0, 3.0, 10, 1.5\n";
        let voxels = decode(text).unwrap();
        assert_eq!((voxels.len(), voxels[1].voxel), (2, Some([0, 1, 0])));
        assert_eq!(voxels[0].estimates[0], Estimate { name: "NAA".into(), value: 2.0, sd: Some(0.1) });
        assert_eq!((voxels[0].estimates[1].sd, voxels[1].estimates[1].sd.unwrap()), (None, 0.3));
        assert!(decode(&text.replace("4.0", "four")).unwrap_err().to_string().contains("line 3"));
    }
}
