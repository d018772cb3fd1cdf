//! How fast files are done, and how long the rest takes.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A rate is over so long: what lies further back says little of what is done now.
const WINDOW: Duration = Duration::from_secs(60);
/// Marks lie at least so far apart.
const BETWEEN: Duration = Duration::from_millis(500);
/// Before that nothing is said of the time that is left,
const FIRST: Duration = Duration::from_secs(3);
/// nor before this part is done or so long has passed: at the start basis sets are simulated, and the rate is a small part of
/// what it becomes.
const TELLING_PART: f64 = 0.01;
const TELLING_ANYWAY: Duration = Duration::from_secs(30);
/// What is told of the time left follows what the rate says within so many seconds: it does not jump.
const FOLLOWS_S: f64 = 15.0;

/// Files done, by time; parts of files count.
pub(super) struct Pace {
    total: f64,
    done: f64,
    started: Instant,
    /// When how many were done; the first lies at the window's start or before.
    marks: VecDeque<(Instant, f64)>,
    /// Whether the rate says how long the rest takes.
    is_known: bool,
    /// Time left (s) as it was told last, and when.
    told: Option<(Instant, f64)>,
}

impl Pace {
    pub(super) fn new(total: usize, now: Instant) -> Self {
        Self {
            total: total as f64,
            done: 0.0,
            started: now,
            marks: VecDeque::from([(now, 0.0)]),
            is_known: false,
            told: None,
        }
    }

    /// So many are done; what was done is never taken back.
    pub(super) fn reached(&mut self, done: f64, now: Instant) {
        self.done = self.done.max(done.min(self.total));
        if self.marks.back().is_none_or(|(at, _)| now.duration_since(*at) >= BETWEEN) {
            self.marks.push_back((now, self.done));
        }
        while self.marks.get(1).is_some_and(|(at, _)| now.duration_since(*at) > WINDOW) {
            self.marks.pop_front();
        }
        if self.is_known {
            self.follow(now);
        }
    }

    /// From now on the rate is that of the work itself, and the time left can be told: before, files were only read.
    pub(super) fn is_at_work(&mut self) {
        self.is_known = true;
    }

    /// What was done before: no pace of this process.
    pub(super) fn begin_at(&mut self, done: f64, now: Instant) {
        self.done = done;
        self.marks = VecDeque::from([(now, done)]);
    }

    /// Files in a second, over the last minute.
    pub(super) fn per_s(&self, now: Instant) -> f64 {
        let (from, before) = self.marks.front().copied().unwrap_or((now, self.done));
        (self.done - before) / now.duration_since(from).as_secs_f64().max(1e-9)
    }

    /// Part that is done.
    pub(super) fn part(&self) -> f64 {
        if self.total > 0.0 { self.done / self.total } else { 0.0 }
    }

    fn follow(&mut self, now: Instant) {
        let (rate, passed) = (self.per_s(now), now.duration_since(self.started));
        let is_telling = passed >= TELLING_ANYWAY || (passed >= FIRST && self.part() >= TELLING_PART);
        if !is_telling || rate <= 0.0 {
            return;
        }
        let left_s = (self.total - self.done).max(0.0) / rate;
        let left_s = self.told.map_or(left_s, |(at, told_s)| {
            let passed_s = now.duration_since(at).as_secs_f64();
            let expected_s = (told_s - passed_s).max(0.0);
            expected_s + (left_s - expected_s) * (1.0 - (-passed_s / FOLLOWS_S).exp())
        });
        self.told = Some((now, left_s));
    }

    /// Time that the rest takes (s), once there is something to tell.
    pub(super) fn left_s(&self, now: Instant) -> Option<f64> {
        self.told.map(|(at, left_s)| (left_s - now.duration_since(at).as_secs_f64()).max(0.0))
    }

    /// `21.2/s · about 22 s left`.
    pub(super) fn said(&self, now: Instant) -> String {
        let left = self.left_s(now).map_or_else(String::new, |s| format!(" · about {} left", duration(s)));
        format!("{:.1}/s{left}", self.per_s(now))
    }
}

/// `40 s`, `12 min`, `3 h 20 min`.
fn duration(s: f64) -> String {
    let minutes = (s / 60.0).round();
    match minutes {
        _ if s < 90.0 => format!("{s:.0} s"),
        minutes if minutes < 90.0 => format!("{minutes:.0} min"),
        _ => format!("{:.0} h {:.0} min", (minutes / 60.0).floor(), minutes % 60.0),
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
        pace.is_at_work();
        pace.reached(10.0, at(10));
        assert_eq!(pace.said(at(10)), "1.0/s · about 17 min left");
        // Ten a second from now on: after a minute nothing is left of the slow start.
        for s in 11..=100 {
            pace.reached(10.0 + 10.0 * (s - 10) as f64, at(s));
        }
        assert!((pace.per_s(at(100)) - 10.0).abs() < 0.2, "{}", pace.per_s(at(100)));
        assert!((pace.part() - 0.91).abs() < 1e-9 && pace.left_s(at(100)).is_some_and(|s| (8.0..16.0).contains(&s)));
        // Nothing is done for a while: the rate falls, and is never negative or infinite.
        assert!(pace.per_s(at(160)) < 6.0 && pace.per_s(start) >= 0.0);
    }

    #[test]
    fn a_slow_start_is_not_taken_for_the_pace_of_a_long_run() {
        let start = Instant::now();
        let at = |s: u64| start + Duration::from_secs(s);
        let mut pace = Pace::new(60_000, start);
        pace.is_at_work();
        // Four a second while basis sets are made, then ninety: some eleven minutes in all.
        let done = |s: u64| if s < 5 { 4 * s } else { 20 + 90 * (s - 5) };
        for s in 1..=20 {
            pace.reached(done(s) as f64, at(s));
            assert!(pace.left_s(at(s)).is_none_or(|left| left < 1200.0), "{:?} after {s} s", pace.left_s(at(s)));
        }
        assert!(pace.left_s(at(20)).is_some());
        // One that stays slow is told all the same.
        let mut slow = Pace::new(60_000, start);
        slow.is_at_work();
        (1..=31).for_each(|s| slow.reached(s as f64, at(s)));
        assert!(slow.left_s(at(31)).is_some_and(|left| left > 50_000.0));
    }

    #[test]
    fn the_time_left_does_not_jump_by_half() {
        let start = Instant::now();
        let mut pace = Pace::new(600, start);
        pace.is_at_work();
        let mut last: Option<f64> = None;
        // Files come in lumps of sixteen, every four seconds on the average, then twice as fast.
        for quarter in 0..2400_u64 {
            let now = start + Duration::from_millis(250 * quarter);
            let s = quarter as f64 / 4.0;
            let done = if s < 200.0 { s } else { 200.0 + 2.0 * (s - 200.0) };
            pace.reached((done / 16.0).floor() * 16.0, now);
            if let (Some(before), Some(left)) = (last, pace.left_s(now))
                && left > 10.0
            {
                assert!((left - before).abs() < 0.5 * before, "{before} to {left} after {s} s");
            }
            last = pace.left_s(now).or(last);
        }
        assert!(last.is_some_and(|left| left < 1.0), "{last:?}");
    }
}
