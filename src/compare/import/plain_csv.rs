//! Tables that people make of results: long, with a line a spectrum and metabolite (`id,metab,conc,crlb_pct`, or a
//! standard deviation `crlb_abs`), or wide, with a line a metabolite and a column a spectrum (`metabolite,subject1,…`).

use std::collections::HashMap;

use super::results::{DecodeError, Estimate, Results};

/// Columns that name the metabolite, its value, a value scaled to water, its deviation in percent and its deviation.
const METABOLITE: [&str; 3] = ["metab", "metabolite", "name"];
const VALUE: [&str; 4] = ["conc", "amplitude", "amp", "value"];
const CONCENTRATION: [&str; 3] = ["conc_mm", "conc_mmol_per_kg", "conc_lcmodel_mmol_per_kg"];
const PERCENT: [&str; 4] = ["crlb_pct", "crlb_percent", "%sd", "sd_pct"];
const DEVIATION: [&str; 3] = ["crlb_abs", "sd", "sd_posterior"];

/// Decodes a long table. An absolute deviation counts before one in percent, which a value of zero has none of.
///
/// # Errors
/// [`DecodeError`]: a column that is needed is missing, or an unreadable line.
pub fn decode_long(text: &str) -> Result<Vec<Results>, DecodeError> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let headings: Vec<String> = reader.headers().map_err(|e| fault(&e))?.iter().map(str::to_ascii_lowercase).collect();
    let find = |names: &[&str]| headings.iter().position(|h| names.contains(&h.as_str()));
    let needed = |what| DecodeError::Missing { what };
    let id = find(&["id"]).ok_or(needed("the column `id`"))?;
    let metabolite = find(&METABOLITE).ok_or(needed("the column `metab`"))?;
    let scaled = find(&CONCENTRATION);
    let value = scaled.or(find(&VALUE)).ok_or(needed("the column `conc`"))?;
    let (percent, deviation) = (find(&PERCENT), find(&DEVIATION));
    let mut spectra: Vec<Results> = Vec::new();
    let mut place: HashMap<String, usize> = HashMap::new();
    for (index, record) in reader.records().enumerate() {
        let record = record.map_err(|e| fault(&e))?;
        let cell = |k: usize| record.get(k).unwrap_or_default();
        let number = |k: Option<usize>| k.and_then(|k| cell(k).parse::<f64>().ok());
        let stated = number(Some(value)).filter(|v| v.is_finite());
        let stated = stated.ok_or_else(|| DecodeError::line(index + 1, "the value is no number"))?;
        let mut estimate = Estimate::with_percent(cell(metabolite), stated, number(percent));
        estimate.sd = number(deviation).filter(|sd| sd.is_finite()).or(estimate.sd);
        let at = *place.entry(cell(id).to_owned()).or_insert_with(|| {
            spectra.push(Results {
                id: Some(cell(id).to_owned()),
                is_water_scaled: scaled.is_some(),
                ..Results::default()
            });
            spectra.len() - 1
        });
        spectra[at].estimates.push(estimate);
    }
    Ok(spectra)
}

/// Decodes a wide table; empty cells are metabolites that a spectrum lacks.
///
/// # Errors
/// [`DecodeError`]: an unreadable line.
pub fn decode_wide(text: &str) -> Result<Vec<Results>, DecodeError> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let headings = reader.headers().map_err(|e| fault(&e))?.clone();
    let mut spectra: Vec<Results> =
        headings.iter().skip(1).map(|id| Results { id: Some(id.to_owned()), ..Results::default() }).collect();
    for (index, record) in reader.records().enumerate() {
        let record = record.map_err(|e| fault(&e))?;
        let name = record.get(0).unwrap_or_default();
        for (spectrum, cell) in spectra.iter_mut().zip(record.iter().skip(1)) {
            if cell.is_empty() || name.is_empty() {
                continue;
            }
            let value = cell.parse().ok().filter(|v: &f64| v.is_finite());
            let value = value.ok_or_else(|| DecodeError::line(index + 1, format!("a value of {name} is no number")))?;
            spectrum.estimates.push(Estimate { name: name.to_owned(), value, sd: None });
        }
    }
    spectra.retain(|s| !s.estimates.is_empty());
    if spectra.is_empty() { Err(DecodeError::Missing { what: "a column with a spectrum" }) } else { Ok(spectra) }
}

fn fault(error: &csv::Error) -> DecodeError {
    let line = error.position().map_or(0, |p| p.line().saturating_sub(1) as usize);
    DecodeError::line(line, "no CSV")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn long_tables() {
        let text = "id,metab,conc,crlb_pct,crlb_abs\na,NAA,10,5,\na,Cr,0,999,0.3\nb,NAA,12,10,\n";
        let spectra = decode_long(text).unwrap();
        assert_eq!((spectra.len(), spectra[1].id.as_deref()), (2, Some("b")));
        let sds: Vec<Option<f64>> = spectra.iter().flat_map(|s| s.estimates.iter().map(|e| e.sd)).collect();
        assert_eq!(sds, [Some(0.5), Some(0.3), Some(1.2)]);
        assert!(!spectra[0].is_water_scaled);
        assert!(decode_long(&text.replace("conc", "conc_mM")).unwrap()[0].is_water_scaled);
        assert!(decode_long(&text.replace(",10,5", ",ten,5")).unwrap_err().to_string().contains("line 2"));
        assert!(decode_long("id,conc\na,1\n").unwrap_err().to_string().contains("metab"));
    }

    #[test]
    fn wide_tables() {
        let spectra = decode_wide("metabolite,a,b\nNAA,1,2\nCr,,3\n").unwrap();
        assert_eq!((spectra[0].estimates.len(), spectra[1].estimates.len()), (1, 2));
        assert_eq!(spectra[1].estimates[1].value, 3.0);
    }
}
