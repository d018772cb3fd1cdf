//! Numbers of the command line, held to what can be meant.

use crate::acquisition::Facts;

/// Most worker threads: above any machine's cores, below what a system refuses to start.
const MOST_THREADS: usize = 1024;
/// Least memory that can be asked for (bytes): less is a unit forgotten.
const LEAST_MEMORY_BYTES: u64 = 1_000_000;

/// A number of worker threads.
pub(super) fn threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n) if (1..=MOST_THREADS).contains(&n) => Ok(n),
        Ok(n) => Err(format!("{n} threads; give 1 to {MOST_THREADS}")),
        Err(_) => Err(format!("no whole number from 1 to {MOST_THREADS}")),
    }
}

/// How many, at least one.
pub(super) fn at_least_one(text: &str) -> Result<usize, String> {
    const MOST: usize = 1_000_000_000;
    match text.parse() {
        Ok(n) if (1..=MOST).contains(&n) => Ok(n),
        _ => Err(format!("no whole number from 1 to {MOST}")),
    }
}

/// `4GiB`, `500MB`, a number of bytes.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let size = text.parse::<bytesize::ByteSize>().map_err(|e| format!("{e}; give a size such as 4GiB"))?.as_u64();
    if size < LEAST_MEMORY_BYTES {
        return Err(format!("{size} bytes; the least is 1MB, with which files are read one by one"));
    }
    Ok(size)
}

/// Spectrometer frequency (MHz), within the bounds that manifests have.
pub(super) fn f0_mhz(text: &str) -> Result<f64, String> {
    checked("f0_mhz", text)
}

/// Dwell time (s), within the bounds that manifests have.
pub(super) fn dwell_s(text: &str) -> Result<f64, String> {
    checked("dwell_s", text)
}

/// Echo time (s), within the bounds that manifests have.
pub(super) fn te_s(text: &str) -> Result<f64, String> {
    checked("te_s", text)
}

/// Repetition time (s), within the bounds that manifests have.
pub(super) fn tr_s(text: &str) -> Result<f64, String> {
    checked("tr_s", text)
}

/// First echo time (s), within the bounds that manifests have.
pub(super) fn te1_s(text: &str) -> Result<f64, String> {
    checked("te1_s", text)
}

/// Mixing time (s), within the bounds that manifests have.
pub(super) fn tm_s(text: &str) -> Result<f64, String> {
    checked("tm_s", text)
}

fn checked(name: &str, text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "no number; write it as 0.03".to_owned())?;
    match Facts::NUMBERS.iter().find(|number| number.name == name) {
        Some(number) => number.checked(value),
        None => Ok(value),
    }
}

/// A number from 0 to `MOST`, and above 0 where `POSITIVE`.
pub(super) fn bounded<const MOST: u32, const POSITIVE: bool>(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "no number; write it as 0.03".to_owned())?;
    let is_low = if POSITIVE { value <= 0.0 } else { value < 0.0 };
    if value.is_nan() || is_low || value > f64::from(MOST) {
        let least = if POSITIVE { "above 0" } else { "0" };
        return Err(format!("{text} is out of range; give {least} to {MOST}"));
    }
    Ok(value)
}

/// A time of a sequence (ms): what is shorter than any is one in seconds.
pub(super) fn sequence_ms(text: &str) -> Result<f64, String> {
    const LEAST: f64 = 1.0;
    const MOST: u32 = 5000;
    let ms = bounded::<MOST, true>(text)?;
    if ms >= LEAST {
        return Ok(ms);
    }
    // To the microsecond: what follows is a computer's.
    let from_s = (1e6 * ms).round() / 1e3;
    let advice = if from_s >= LEAST { format!("; is it seconds ({from_s} ms)?") } else { String::new() };
    Err(format!("{text} ms cannot be right: sequences have {LEAST} to {MOST} ms{advice}"))
}

/// A chemical shift (ppm).
pub(super) fn ppm(text: &str) -> Result<f64, String> {
    const MOST: f64 = 100.0;
    match text.parse::<f64>() {
        Ok(value) if value.abs() <= MOST => Ok(value),
        _ => Err(format!("no chemical shift from -{MOST} to {MOST} ppm")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_meant_is_refused() {
        assert_eq!((threads("1"), threads("1024")), (Ok(1), Ok(1024)));
        for wrong in ["0", "1025", "100000", "-1", "1e3", "", "99999999999999999999"] {
            assert!(threads(wrong).is_err(), "{wrong}");
        }
        assert_eq!(bytes("1MB"), Ok(1_000_000));
        for wrong in ["0", "1", "4", "1KB", "-3GB", "", "much"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
        assert_eq!((dwell_s("0.0005"), te_s("0.03"), f0_mhz("123.2")), (Ok(0.0005), Ok(0.03), Ok(123.2)));
        for wrong in ["0", "-1", "nan", "inf", "1e300", "0,5", ""] {
            assert!(dwell_s(wrong).is_err() && te_s(wrong).is_err() && f0_mhz(wrong).is_err(), "{wrong}");
        }
        assert!(te_s("30").is_err_and(|e| e.contains("is it milliseconds (te_s = 0.03)?")));
        assert_eq!((bounded::<10, false>("0"), bounded::<10, true>("10")), (Ok(0.0), Ok(10.0)));
        for wrong in ["0", "-1", "10.1", "nan", "inf", "x"] {
            assert!(bounded::<10, true>(wrong).is_err(), "{wrong}");
        }
        assert_eq!((sequence_ms("35"), sequence_ms("1")), (Ok(35.0), Ok(1.0)));
        assert!(
            sequence_ms("0.035").is_err_and(|e| e.ends_with("sequences have 1 to 5000 ms; is it seconds (35 ms)?"))
        );
        assert!(sequence_ms("0.0001").is_err_and(|e| !e.contains("is it")) && sequence_ms("nan").is_err());
        assert!(ppm("4.65").is_ok() && ppm("nan").is_err() && ppm("1e9").is_err());
    }
}
