//! How steps go on near the minimum: two of them tell where they lead.

use super::constants::{MOST_BACK, MOST_FORWARD};
use super::model::Model;
use super::workspace::{Hold, Workspace};

/// Where the step leads that takes `back` of the last one back; what goes to its bound goes there.
pub(super) fn set_trial(model: &Model, x: &[f64], back: f64, ws: &mut Workspace) {
    for i in 0..x.len() {
        let mut step = ws.step[i];
        if back != 0.0 && ws.held[i] == Hold::Free {
            step -= back * (ws.taken[i] + ws.step[i] - ws.last_step[i]);
        }
        ws.trial[i] = (x[i] + step).max(model.layout.lower_bound(i));
    }
}

/// Which part of the last step, and of how the step of the normal equations has changed since, the next one takes back:
/// Anderson's extrapolation (1965) from two steps, least squares in the metric of the normal equations.
///
/// Where Q bends κ times as much along some direction as the normal equations say, steps go to and fro (κ > 1) or creep, each
/// 1 − κ of the one before; this takes such a direction to its end at once and leaves the others alone.
pub(super) fn part_back(ws: &Workspace) -> f64 {
    let (mut along, mut square) = (0.0, 0.0);
    for i in 0..ws.step.len() {
        let change = ws.step[i] - ws.last_step[i];
        along += change * ws.gradient[i];
        square += change * (ws.gradient[i] - ws.last_gradient[i]);
    }
    if square > 0.0 { (along / square).clamp(-MOST_FORWARD, MOST_BACK) } else { 0.0 }
}
