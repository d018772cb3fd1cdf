//! What rows say about a run as a whole: counts, reasons, flags, and a line for each site and protocol.

use std::collections::BTreeMap;

use crate::basis::check::Protocol;
use crate::signal::median::median;
use crate::store::provenance::Counts;
use crate::store::{SpectrumRow, Status};

/// Counts of the rows of a run.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Rows by status.
    pub counts: Counts,
    /// Rows that failed or were skipped, by code.
    pub reasons: BTreeMap<String, usize>,
    /// Flagged rows, by flag.
    pub flags: BTreeMap<String, usize>,
    /// Rows by site (empty where none is known) and protocol.
    pub groups: BTreeMap<(String, String), Group>,
}

/// The rows of one site and protocol.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// Fitted.
    pub ok: usize,
    /// Failed or skipped.
    pub not_fitted: usize,
    /// Fitted, with a flag.
    pub flagged: usize,
    snr: Vec<f64>,
    fwhm_hz: Vec<f64>,
}

impl Group {
    /// Median signal-to-noise ratio of the fitted spectra.
    pub fn median_snr(&self) -> Option<f64> {
        median(&self.snr)
    }

    /// Median linewidth of the fitted spectra (Hz).
    pub fn median_fwhm_hz(&self) -> Option<f64> {
        median(&self.fwhm_hz)
    }
}

impl Tally {
    /// Counts a row.
    pub fn add(&mut self, row: &SpectrumRow) {
        self.counts.spectra += 1;
        match row.status {
            Status::Ok => self.counts.ok += 1,
            Status::Failed => self.counts.failed += 1,
            Status::Skipped => self.counts.skipped += 1,
        }
        if let Some(code) = &row.error_code {
            *self.reasons.entry(code.clone()).or_insert(0) += 1;
        }
        // Flags are of results.
        for flag in row.qc_flags.iter().filter(|_| row.status == Status::Ok) {
            *self.flags.entry(flag.clone()).or_insert(0) += 1;
        }
        let group = self.groups.entry((row.site.clone().unwrap_or_default(), protocol_of(row))).or_default();
        if row.status == Status::Ok {
            group.ok += 1;
            group.flagged += usize::from(!row.qc_flags.is_empty());
            group.snr.extend(row.snr);
            group.fwhm_hz.extend(row.fwhm_hz);
        } else {
            group.not_fitted += 1;
        }
    }
}

/// Field, sequence and echo time of a row, as people name a protocol.
pub fn protocol_of(row: &SpectrumRow) -> String {
    if row.f0_mhz.is_none() && row.te_s.is_none() && row.sequence.is_none() {
        return "unknown protocol".to_owned();
    }
    let (f0_mhz, te_s, sequence) = (row.f0_mhz, row.te_s, row.sequence.clone());
    Protocol { f0_mhz, te_s, sequence, dwell_s: None, n_points: None }.label()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_once_by_site_and_protocol() {
        let row = |site: &str, snr: f64, flags: &[&str]| SpectrumRow {
            status: Status::Ok,
            site: Some(site.to_owned()),
            f0_mhz: Some(123.2),
            te_s: Some(0.035),
            sequence: Some("press".to_owned()),
            snr: Some(snr),
            qc_flags: flags.iter().map(|f| (*f).to_owned()).collect(),
            ..SpectrumRow::default()
        };
        let failed = SpectrumRow { status: Status::Failed, error_code: Some("nifti".into()), ..SpectrumRow::default() };
        let mut tally = Tally::default();
        for row in [row("a", 10.0, &["x", "y"]), row("a", 30.0, &[]), row("b", 5.0, &["x"]), failed] {
            tally.add(&row);
        }
        assert_eq!((tally.counts.spectra, tally.counts.ok, tally.counts.failed), (4, 3, 1));
        assert_eq!(tally.flags, BTreeMap::from([("x".to_owned(), 2), ("y".to_owned(), 1)]));
        let group = &tally.groups[&("a".to_owned(), "3 T PRESS 35 ms".to_owned())];
        assert_eq!((group.ok, group.flagged, group.median_snr()), (2, 1, Some(20.0)));
        assert_eq!(tally.groups[&(String::new(), "unknown protocol".to_owned())].not_fitted, 1);
    }
}
