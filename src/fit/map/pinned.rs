//! Parameters that a method keeps at their start value, and systems without them.

use super::model::Model;

/// Takes parameters that the method fixes out of a system. The kernel's weights stay in it, at their bound, too: whether one
/// rests there or a little above must not change what errors say.
pub(crate) fn pin(model: &Model, m: usize, h: &mut [f64], g: &mut [f64]) {
    for i in fixed_parameters(model) {
        take_out(i, m, h, g);
    }
}

/// Takes parameter `i` out of a system.
pub(crate) fn take_out(i: usize, m: usize, h: &mut [f64], g: &mut [f64]) {
    for j in 0..m {
        let (row, column) = if i >= j { (i, j) } else { (j, i) };
        h[column * m + row] = f64::from(u8::from(i == j));
    }
    g[i] = 0.0;
}

/// Parameters that the method keeps at their start value.
pub(crate) fn fixed_parameters(model: &Model) -> impl Iterator<Item = usize> {
    let priors = &model.settings.priors;
    let kernel = model.layout.kernel_range().filter(|_| priors.kernel_scale <= 0.0);
    [
        (priors.skew_sd <= 0.0, model.layout.skew()),
        (priors.flatness_sd <= 0.0, model.layout.flatness()),
        (priors.phi1_sd_deg_per_ppm <= 0.0, model.layout.phi1()),
    ]
    .into_iter()
    .filter_map(|(fixed, i)| fixed.then_some(i))
    .chain(kernel)
}
