//! LCModel's concentration table, as `.table` and `.coord` have it: after a line that counts its lines,
//! `Conc. %SD /Cr+PCr Metabolite` (LCModel manual, section 6.3).

use super::results::{DecodeError, Estimate, Results};

const ANNOUNCED: &str = "in following concentration table";

/// Whether a text holds the table.
pub fn looks_like(text: &str) -> bool {
    text.lines().take(40).any(|l| l.contains(ANNOUNCED))
}

/// Decodes the table; values are scaled to water where the input changes behind it say `DOWS = T`.
///
/// # Errors
/// [`DecodeError`]: fewer lines than announced, or one that cannot be read.
pub fn decode(text: &str) -> Result<Results, DecodeError> {
    let lines: Vec<&str> = text.lines().collect();
    let missing = DecodeError::Missing { what: "LCModel's concentration table" };
    let at = lines.iter().position(|l| l.contains(ANNOUNCED)).ok_or(missing.clone())?;
    // The count includes the line of headings.
    let words = lines[at].trim_start_matches("$$CONC").split_whitespace();
    let count: usize = words.into_iter().find_map(|w| w.parse().ok()).ok_or(missing.clone())?;
    let body = lines.get(at + 2..).unwrap_or_default();
    let mut estimates = Vec::new();
    for (index, line) in body.iter().enumerate().take(count.saturating_sub(1)) {
        estimates.push(estimate(line).map_err(|reason| DecodeError::line(at + 2 + index, reason))?);
    }
    if estimates.is_empty() || estimates.len() + 1 < count {
        return Err(missing);
    }
    let is_water_scaled = lines.iter().any(|line| {
        let setting = line.split_once('=').map(|(name, value)| (name.trim(), value.trim()));
        setting.is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case("dows") && value.trim_start_matches('.').to_ascii_uppercase().starts_with('T')
        })
    });
    Ok(Results { estimates, is_water_scaled, ..Results::default() })
}

/// `0.115   2%   0.457 GPC`: the ratio's exponent may touch the name (`1.3E+00+MM09`), the name never holds a blank.
fn estimate(line: &str) -> Result<Estimate, String> {
    let (value, rest) = line.trim().split_once(char::is_whitespace).ok_or("a concentration is missing")?;
    let value: f64 = value.parse().map_err(|_| "the concentration is no number")?;
    let (percent, rest) = rest.split_once('%').ok_or("a standard deviation is missing")?;
    let percent: f64 = percent.trim().parse().map_err(|_| "the standard deviation is no number")?;
    let mut words = rest.split_whitespace();
    let (ratio, name) = (words.next().ok_or("a ratio is missing")?, words.next());
    let name = match name {
        Some(name) => name,
        // Glued: the name begins behind the number.
        None => {
            let end = (1..=ratio.len()).rev().filter(|&n| ratio.is_char_boundary(n));
            let number = end.into_iter().find(|&n| ratio[..n].parse::<f64>().is_ok()).ok_or("a name is missing")?;
            ratio[number..].trim_start_matches('+')
        }
    };
    if name.is_empty() || !value.is_finite() {
        return Err("a name or number is missing".to_owned());
    }
    Ok(Estimate::with_percent(name, value, Some(percent)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const TABLE: &str = " LCModel (Version 6.3-1R)\n\n$$CONC  4 lines in following concentration table = NCONC+1\n    \
        Conc.  %SD /Cr+PCr  Metabolite\n 2.88E-02  88%   0.115 2HG\n    1.500   3% 1.3E+00+MM09\n    0.000 999%   0.000 Cr\n\n\
        $$INPU 1 lines\n dows = T\n";

    #[test]
    fn values_standard_deviations_and_scaling() {
        let results = decode(TABLE).unwrap();
        let names: Vec<&str> = results.estimates.iter().map(|e| e.name.as_str()).collect();
        assert_eq!(names, ["2HG", "MM09", "Cr"]);
        assert!((results.estimates[0].sd.unwrap() - 0.88 * 0.0288).abs() < 1e-12);
        assert_eq!((results.estimates[2].value, results.estimates[2].sd), (0.0, None));
        assert!(results.is_water_scaled);
        assert!(!decode(&TABLE.replace("dows = T", "dows = F")).unwrap().is_water_scaled);
    }

    #[test]
    fn a_cut_table_says_so() {
        let cut = TABLE.split("    0.000 999%").next().unwrap();
        assert!(decode(cut).unwrap_err().to_string().contains("cut off"));
        let broken = TABLE.replace("88%", "x8%");
        assert!(decode(&broken).unwrap_err().to_string().contains("line 5"));
    }
}
