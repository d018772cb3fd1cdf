//! ParaVision's parameter files (JCAMP-DX).

use std::collections::HashMap;

/// The values of both parameter files, by name.
pub(super) struct Parameters(HashMap<String, Vec<String>>);

impl Parameters {
    /// Of both files; where they contradict one another, `method` holds.
    pub(super) fn of(method: &[u8], acqp: &[u8]) -> Self {
        let mut all = parameters(&latin1(acqp));
        all.extend(parameters(&latin1(method)));
        Self(all)
    }

    /// All values of a parameter; none where it is not there.
    pub(super) fn values(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// The `N` values of a parameter that has just so many.
    pub(super) fn numbers<const N: usize>(&self, name: &str) -> Option<[f64; N]> {
        let values: Option<Vec<f64>> = self.values(name).iter().map(|v| v.parse().ok()).collect();
        values?.try_into().ok().filter(|v: &[f64; N]| v.iter().all(|x| x.is_finite()))
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        let value = self.0.get(name)?.first()?;
        (!value.is_empty()).then(|| value.chars().take(80).collect())
    }

    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.text(name)?.parse().ok().filter(|v: &f64| v.is_finite())
    }

    pub(super) fn positive(&self, name: &str) -> Option<f64> {
        self.number(name).filter(|v| *v > 0.0)
    }

    /// Group delay of the digital filter (points): as ParaVision 6 and later state it to a fraction, else in whole
    /// points, else as the receiver has it (`GRPDLY` is −1 where it is not known; 360 lists it first of the filter's).
    pub(super) fn delay(&self) -> f64 {
        ["PVM_DigShiftDbl", "PVM_DigShift", "GRPDLY", "ACQ_RxFilterInfo"]
            .iter()
            .find_map(|n| self.number(n).filter(|d| *d >= 0.0))
            .unwrap_or(0.0)
    }
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&b| char::from(b)).collect()
}

/// `##$NAME=value`, or `##$NAME=( extents )` with the values on the lines behind; text stands between angle brackets,
/// structures between round ones.
fn parameters(text: &str) -> HashMap<String, Vec<String>> {
    let mut parameters = HashMap::new();
    for entry in text.split("##").skip(1) {
        let Some((name, value)) = entry.strip_prefix('$').and_then(|e| e.split_once('=')) else { continue };
        let lines = value.lines().filter(|l| !l.starts_with("$$"));
        let mut value = lines.collect::<Vec<_>>().join(" ");
        if let Some((extents, rest)) = value.trim_start().strip_prefix('(').and_then(|v| v.split_once(')'))
            && extents.split(',').all(|n| n.trim().parse::<u32>().is_ok())
            && !rest.trim().is_empty()
        {
            value = rest.to_owned();
        }
        parameters.insert(name.trim().to_owned(), values(&value));
    }
    parameters
}

fn values(text: &str) -> Vec<String> {
    let mut values = Vec::new();
    let mut rest = text.trim_start_matches([' ', '(', ',', '\t']);
    while !rest.is_empty() {
        let (value, behind) = match rest.strip_prefix('<') {
            Some(quoted) => quoted.split_once('>').unwrap_or((quoted, "")),
            None => rest.split_at(rest.find([' ', ',', ')', '\t']).unwrap_or(rest.len())),
        };
        values.push(value.to_owned());
        rest = behind.trim_start_matches([' ', ',', '(', ')', '\t']);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_numbers_text_arrays_and_structures() {
        let text = "##TITLE=Parameter List\n##$Method=<Bruker:PRESS>\n##$PVM_EchoTime=16.5\n$$ @vis= x\n\
            ##$PVM_VoxArrSize=( 1, 3 )\n2 3 4\n##$PVM_FrqWork=( 2 )\n400.3 \n500.1\n\
            ##$PVM_Nucleus1Enum=( 1, 8 )\n<1H>\n##$ACQ_RxFilterInfo=( 2 )\n(71.5, 1, <x y>) (0, 2, <z>)\n##END=\n";
        let found = parameters(text);
        assert_eq!(found["Method"], ["Bruker:PRESS"]);
        assert_eq!(found["PVM_EchoTime"], ["16.5"]);
        assert_eq!(found["PVM_VoxArrSize"], ["2", "3", "4"]);
        assert_eq!(found["PVM_FrqWork"], ["400.3", "500.1"]);
        assert_eq!(found["PVM_Nucleus1Enum"], ["1H"]);
        assert_eq!(found["ACQ_RxFilterInfo"][..3], ["71.5", "1", "x y"]);
    }
}
