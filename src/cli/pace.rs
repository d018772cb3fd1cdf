//! How fast files are done, and how long the rest takes.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A rate is over so long: what lies further back says little of what is done now.
const WINDOW: Duration = Duration::from_secs(60);

/// Files done, by time.
pub(super) struct Pace {
    total: usize,
    done: usize,
    /// When how many were done; the first lies at the window's start or before.
    marks: VecDeque<(Instant, usize)>,
}

impl Pace {
    pub(super) fn new(total: usize, now: Instant) -> Self {
        Self { total, done: 0, marks: VecDeque::from([(now, 0)]) }
    }

    /// `n_files` more are done.
    pub(super) fn advance(&mut self, n_files: usize, now: Instant) {
        self.done += n_files;
        self.marks.push_back((now, self.done));
        while self.marks.get(1).is_some_and(|(at, _)| now.duration_since(*at) > WINDOW) {
            self.marks.pop_front();
        }
    }

    /// Files in a second, over the last minute.
    pub(super) fn per_s(&self, now: Instant) -> f64 {
        let (from, before) = self.marks.front().copied().unwrap_or((now, self.done));
        (self.done - before) as f64 / now.duration_since(from).as_secs_f64().max(1e-9)
    }

    /// `128/600 files · 21.2/s · about 22 s left`.
    pub(super) fn said(&self, now: Instant) -> String {
        let rate = self.per_s(now);
        let left_s = self.total.saturating_sub(self.done) as f64 / rate.max(1e-9);
        format!("{}/{} files · {rate:.1}/s · about {left_s:.0} s left", self.done, self.total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_minute() {
        let start = Instant::now();
        let at = |s: u64| start + Duration::from_secs(s);
        let mut pace = Pace::new(1000, start);
        pace.advance(10, at(10));
        assert_eq!(pace.said(at(10)), "10/1000 files · 1.0/s · about 990 s left");
        // Ten a second from now on: after a minute nothing is left of the slow start.
        for s in 11..=100 {
            pace.advance(10, at(s));
        }
        assert!((pace.per_s(at(100)) - 10.0).abs() < 0.2, "{}", pace.per_s(at(100)));
        assert!(pace.said(at(100)).starts_with("910/1000 files"));
        // Nothing is done for a while: the rate falls, and is never negative or infinite.
        assert!(pace.per_s(at(160)) < 6.0 && pace.per_s(start) >= 0.0);
    }
}
