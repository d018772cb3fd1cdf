// From the baseline's modes to the coefficients of its splines.

fn set_splines(modes: u32, splines: u32, thread: u32) {
    let nb = shape.n_splines;
    for (var i = thread; i < nb; i += THREADS) {
        var value = 0.0;
        for (var j = 0u; j < nb; j++) { value += tables[shape.spline_modes + i * nb + j] * vectors[modes + j]; }
        vectors[splines + i] = value;
    }
}
