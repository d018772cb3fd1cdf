//! Curves in whole steps: some kilobytes a spectrum instead of a hundred, for whoever wants to look at fits.

use super::CurveRow;

/// Steps from zero to the highest point of data, fit and baseline: half of one is 4e-6 of it, which no picture on one page
/// shows.
const STEPS: f64 = 131_072.0;
/// Steps from zero to the highest point of a component. Low ones are drawn enlarged, so each has a step of its own.
const COMPONENT_STEPS: f64 = 16_384.0;
/// No component's step is finer than this part of the highest point: what is lower is at zero.
const FINEST: f64 = 1e-8;
/// Tables of version 0.2.0 have no steps of components: they were so many times those of the data.
const COARSER: f64 = 2.0;
/// Points lie on a grid: as near as this, in steps of it.
const OFF_GRID: f64 = 0.05;

/// Curves as a fit gives them, in double precision and of one length.
#[derive(Debug, Clone, Copy)]
pub struct WideCurves<'a> {
    /// Chemical shift of each point (ppm), rising or falling.
    pub ppm: &'a [f64],
    /// Data.
    pub data: &'a [f64],
    /// Model, baseline included.
    pub fit: &'a [f64],
    /// Baseline.
    pub baseline: &'a [f64],
    /// Components, without baseline.
    pub components: &'a [Vec<f64>],
}

impl CurveRow {
    /// The row with `curves` as steps; without them where they are no numbers, or their points on no grid.
    #[must_use]
    pub fn with_steps(self, curves: &WideCurves<'_>) -> Option<Self> {
        let (first, step, ppm_steps) = grid(curves.ppm)?;
        let plain = [curves.data, curves.fit, curves.baseline];
        let highest = plain.into_iter().flatten().fold(0.0_f64, |most, v| most.max(v.abs()));
        let unit = if highest > 0.0 { highest / STEPS } else { 1.0 };
        let steps = |curve: &[f64], unit: f64| -> Option<Vec<i32>> {
            (curve.len() == ppm_steps.len()).then(|| curve.iter().map(|v| whole(v / unit)).collect())?
        };
        let own = curves.components.iter().map(|curve| component_step(curve, unit, highest));
        let own: Vec<f64> = own.collect();
        let components = curves.components.iter().zip(&own).map(|(curve, step)| steps(curve, *step));
        Some(Self {
            data_steps: Some(steps(curves.data, unit)?),
            fit_steps: Some(steps(curves.fit, unit)?),
            baseline_steps: Some(steps(curves.baseline, unit)?),
            component_steps: components.collect::<Option<Vec<_>>>()?,
            component_step: Some(own),
            ppm_first: Some(first),
            ppm_step: Some(step),
            signal_step: Some(unit),
            ppm_steps: Some(ppm_steps),
            ..self
        })
    }

    /// The row with its curves as numbers, however it holds them.
    #[must_use]
    pub fn unpacked(mut self) -> Self {
        let (Some(first), Some(step), Some(unit)) = (self.ppm_first, self.ppm_step, self.signal_step) else {
            return self;
        };
        let wide = |steps: &[i32], unit: f64, from: f64| -> Vec<f32> {
            steps.iter().map(|v| if *v == i32::MIN { f32::NAN } else { (from + unit * f64::from(*v)) as f32 }).collect()
        };
        let of = |steps: Option<Vec<i32>>| steps.map(|steps| wide(&steps, unit, 0.0));
        self.ppm = self.ppm_steps.take().map(|steps| wide(&steps, step, first)).or(self.ppm);
        self.data = of(self.data_steps.take()).or(self.data);
        self.fit = of(self.fit_steps.take()).or(self.fit);
        self.baseline = of(self.baseline_steps.take()).or(self.baseline);
        let (components, own) = (std::mem::take(&mut self.component_steps), self.component_step.take());
        if !components.is_empty() {
            let step = |at: usize| own.as_ref().and_then(|own| own.get(at)).copied().unwrap_or(COARSER * unit);
            self.components = components.iter().enumerate().map(|(at, steps)| wide(steps, step(at), 0.0)).collect();
        }
        self
    }
}

/// Signal of one step of a component, where one of the data's is `unit`.
fn component_step(curve: &[f64], unit: f64, highest: f64) -> f64 {
    let own = curve.iter().fold(0.0_f64, |most, v| most.max(v.abs())) / COMPONENT_STEPS;
    if own > 0.0 { own.max(FINEST * highest).min(unit) } else { unit }
}

/// First point, step and number of steps to each point of a grid that may have gaps.
fn grid(ppm: &[f64]) -> Option<(f64, f64, Vec<i32>)> {
    let (first, last) = (*ppm.first()?, *ppm.last()?);
    let nearest = ppm.windows(2).map(|two| (two[1] - two[0]).abs()).fold(f64::INFINITY, f64::min);
    if !(nearest.is_finite() && nearest > 0.0) {
        return None;
    }
    // The whole length tells the step better than two points.
    let n = ((last - first) / nearest).round();
    let step = (last - first) / n;
    let steps: Vec<i32> = ppm.iter().map(|p| whole((p - first) / step)).collect::<Option<_>>()?;
    let is_near = |(p, k): (&f64, &i32)| ((p - first) / step - f64::from(*k)).abs() < OFF_GRID;
    ppm.iter().zip(&steps).all(is_near).then_some((first, step, steps))
}

/// The nearest whole number; `None` where there is none in range.
fn whole(value: f64) -> Option<i32> {
    let nearest = value.round();
    (nearest.abs() < f64::from(i32::MAX)).then_some(nearest as i32)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn packed(ppm: &[f64], data: &[f64]) -> Option<CurveRow> {
        let zero = vec![0.0; ppm.len()];
        let part = |part: f64| data.iter().map(|v| part * v).collect();
        let components = [part(0.3), zero.clone(), part(1e-3)];
        CurveRow::default().with_steps(&WideCurves { ppm, data, fit: data, baseline: &zero, components: &components })
    }

    #[test]
    fn numbers_come_back_to_a_step() {
        // A falling grid with a gap.
        let ppm: Vec<f64> =
            (0..900).filter(|i| !(300..350).contains(i)).map(|i| 4.2 - 0.003_921 * f64::from(i)).collect();
        let data: Vec<f64> = ppm.iter().map(|p| 3e7 * (7.0 * p).sin()).collect();
        let row = packed(&ppm, &data).unwrap();
        assert!(row.ppm.is_none() && row.data.is_none());
        let back = row.unpacked();
        for (a, b) in ppm.iter().zip(back.ppm.as_ref().unwrap()) {
            assert!((a - f64::from(*b)).abs() < 1e-6, "{a} {b}");
        }
        for (i, a) in data.iter().enumerate() {
            assert!((a - f64::from(back.data.as_ref().unwrap()[i])).abs() < 4e-6 * 3e7);
            assert!((0.3 * a - f64::from(back.components[0][i])).abs() < 4e-6 * 3e7);
            // A low one is as near in parts of its own height.
            assert!((1e-3 * a - f64::from(back.components[2][i])).abs() < 3.2e-5 * 1e-3 * 3e7);
        }
        assert_eq!((back.components[1][5], back.baseline.unwrap()[7]), (0.0, 0.0));
    }

    #[test]
    fn what_has_no_steps_is_told() {
        assert!(packed(&[1.0, 2.0, 3.3], &[0.0; 3]).is_none());
        assert!(packed(&[1.0, 2.0, 3.0], &[0.0, f64::NAN, 1.0]).is_none());
        assert!(packed(&[1.0], &[0.0]).is_none() && packed(&[], &[]).is_none());
        assert!(packed(&[1.0, 1.0], &[0.0; 2]).is_none());
        // All zero is a spectrum.
        assert_eq!(packed(&[3.0, 2.0], &[0.0; 2]).unwrap().unpacked().data, Some(vec![0.0; 2]));
    }

    #[test]
    fn tables_without_steps_of_components_are_read() {
        let old = CurveRow {
            ppm_first: Some(4.0),
            ppm_step: Some(-1.0),
            signal_step: Some(3.0),
            ppm_steps: Some(vec![0, 1]),
            component_steps: vec![vec![5, -1]],
            ..CurveRow::default()
        };
        assert_eq!(old.unpacked().components, [[30.0, -6.0]]);
    }

    #[test]
    fn rows_in_full_stay_as_they_are() {
        let row = CurveRow { ppm: Some(vec![1.0, 2.0]), data: Some(vec![5.0, 6.0]), ..CurveRow::default() };
        assert_eq!(row.clone().unpacked(), row);
    }
}
