#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;

const NAMES: [&str; 24] = [
    "NAA", "Cr", "PCr", "Ins", "Glu", "Gln", "GPC", "PCh", "NAAG", "GSH", "Tau", "Asp", "GABA", "Lac", "Scyllo", "Ala",
    "PE", "Asc", "Glc", "Gly", "MM09", "MM20", "Lip13", "-CrCH2",
];

/// Peaks (ppm, height) of a made-up metabolite.
fn peaks(index: usize) -> Vec<(f64, f64)> {
    match index {
        0 => vec![(2.01, 1.0), (2.5, -0.15), (2.65, 0.2)],
        1 => vec![(3.03, 0.45), (3.92, 0.3)],
        2 => vec![(3.03, 0.35), (3.93, 0.24)],
        3 => vec![(3.52, 0.22), (3.6, 0.25), (4.05, 0.1)],
        4 => vec![(2.1, 0.1), (2.35, 0.25), (3.75, 0.22)],
        6 => vec![(3.21, 0.4)],
        20 => vec![(0.9, 0.12)],
        21 => vec![(2.05, 0.1)],
        23 => vec![(3.91, -0.06)],
        i => {
            let x = i as f64;
            vec![(1.2 + 0.13 * x % 2.8, 0.02 + 0.05 * (x * 1.7).sin().abs()), (3.7, 0.004)]
        }
    }
}

/// A picture with `n` components, every fifth after the first ten at zero.
fn example(n: usize) -> FitPlot {
    let ppm: Vec<f64> = (0..1100).map(|i| 0.2 + 4.0 * f64::from(i) / 1099.0).collect();
    let peak = |p: f64, centre: f64, width: f64| (-((p - centre) / width).powi(2)).exp();
    let baseline: Vec<f64> = ppm.iter().map(|p| 0.08 + 0.05 * (p * 1.3).cos()).collect();
    let mut fit = baseline.clone();
    let mut components = Vec::new();
    for index in 0..n {
        let width = if (20..23).contains(&index) { 0.12 } else { 0.022 };
        let scale = if index >= 10 && index.is_multiple_of(5) && index != 20 { 0.0 } else { 1.0 };
        let curve: Vec<f64> = ppm
            .iter()
            .map(|p| scale * peaks(index).iter().map(|(c, h)| h * peak(*p, *c, width)).sum::<f64>())
            .collect();
        fit.iter_mut().zip(&curve).for_each(|(f, c)| *f += c);
        let name = NAMES.get(index).map_or_else(|| format!("M{index}"), |n| (*n).to_owned());
        components.push((name, curve));
    }
    // Noise from a linear congruential generator: the same picture everywhere.
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state) / f64::from(u32::MAX) - 0.5
    };
    let data = fit.iter().map(|f| f + 0.02 * (noise() + noise() + noise() + noise())).collect();
    let table = components
        .iter()
        .enumerate()
        .map(|(i, (name, _))| TableLine {
            name: name.clone(),
            ratio_tcr: (i != 12).then_some((1.2 / (1.0 + i as f64), 0.02)),
            concentration: (i != 12).then_some((12.0 / (1.0 + i as f64), 0.3)),
        })
        .collect();
    FitPlot {
        title: "sub-01_ses-01_voi-acc_svs".to_owned(),
        lines: vec!["SNR 42.0 · FWHM 5.1 Hz · residual / noise 1.02".to_owned(), "no flags".to_owned()],
        ppm,
        data,
        fit,
        baseline,
        components,
        table,
        table_note: "mmol/kg: LCModel's formula".to_owned(),
        noise_sd: Some(0.0115),
        overlay: None,
    }
}

/// All texts of a picture.
fn texts(svg: &str) -> Vec<String> {
    svg.split("<text")
        .skip(1)
        .map(|part| {
            let text = part.split_once('>').unwrap().1.split_once("</text>").unwrap().0;
            text.trim().to_owned()
        })
        .collect()
}

/// Writes the pictures for a person to look at: `REQUANT_PICTURES=DIR cargo test pictures`.
#[test]
fn pictures() {
    for n in [0, 8, 24, 40] {
        // With 8, the first peak is missed by half: the residual must fit its panel.
        let mut plot = example(n);
        if n == 8 {
            plot.table.clear();
            let (_, missed) = &plot.components[0];
            plot.fit.iter_mut().zip(missed).for_each(|(f, m)| *f -= 0.5 * m);
        }
        let svg = plot.render_svg().unwrap();
        assert!(svg.starts_with("<svg width=\"") && svg.trim_end().ends_with("</svg>"));
        if let Some(dir) = std::env::var_os("REQUANT_PICTURES") {
            std::fs::write(std::path::Path::new(&dir).join(format!("fit{n}.svg")), svg).unwrap();
        }
    }
}

#[test]
fn texts_are_texts() {
    let texts = texts(&example(24).render_svg().unwrap());
    for wanted in ["residual", "data", "fit", "baseline", "NAA", "Lip13", "chemical shift (ppm)"] {
        assert!(texts.iter().any(|text| text == wanted), "{wanted} is missing");
    }
    assert!(texts.iter().any(|text| text == "at zero: Tau, Ala"), "{texts:?}");
    // What is at zero has a line in the table, but none in the stack.
    assert_eq!(texts.iter().filter(|text| *text == "Tau").count(), 1);
    assert_eq!(texts.iter().filter(|text| *text == "NAA").count(), 2);
    assert!(texts.iter().any(|text| text == "–"));
}

#[test]
fn the_axis_descends() {
    let svg = example(3).render_svg().unwrap();
    let x_of = |label: &str| -> f64 {
        let part = svg.split("<text").find(|part| part.contains(&format!(">\n{label}\n"))).unwrap();
        part.split_once(" x=\"").unwrap().1.split_once('"').unwrap().0.parse().unwrap()
    };
    assert!(x_of("4.0") < x_of("3.0") && x_of("3.0") < x_of("0.5"));
}

#[test]
fn names_do_not_overlap_with_many_components() {
    let plot = example(40);
    let stack = plot.stack(MAIN_PX / 1.5, 700.0);
    assert_eq!(stack.rows.len() + stack.at_zero.len(), 40);
    assert!(stack.rows.iter().all(|row| row.above_px + row.below_px >= ROW_PX - 1e-9));
    // A smaller scale where the page has no room for the plain one.
    assert!(stack.scale < plot.stack(MAIN_PX / 1.5, 1e4).scale);
}

#[test]
fn macromolecules_stand_below_all_metabolites() {
    let plot = example(24);
    let stack = plot.stack(MAIN_PX, 1e4);
    let names: Vec<&str> = stack.rows.iter().map(|row| row.name).collect();
    let first = stack.rows.iter().position(|row| !row.is_metabolite).unwrap();
    assert!(names[first..].contains(&"MM09") && names[first..].contains(&"Lip13"), "{names:?}");
    assert!(stack.rows[first..].iter().all(|row| !row.is_metabolite) && names[..first].contains(&"NAA"));
    assert!(texts(&plot.render_svg().unwrap()).iter().any(|text| text == "macromolecules and lipids"));
}

#[test]
fn the_page_is_an_a4_and_says_what_it_shows() {
    for n in [1, 40] {
        let svg = example(n).render_svg().unwrap();
        assert!(svg.starts_with("<svg width=\"210mm\" height=\"297mm\""), "{}", &svg[..200]);
        assert!(svg.contains("<title>Fit of sub-01_ses-01_voi-acc_svs</title>"));
        assert!(svg.contains(&format!("{n} components below one another. SNR 42.0")), "{}", &svg[..400]);
    }
}

#[test]
fn equal_plots_make_equal_pictures() {
    assert_eq!(example(24).render_svg(), example(24).render_svg());
}

#[test]
fn markup_in_names_is_escaped() {
    let mut plot = example(1);
    plot.title = "<script>&".to_owned();
    let svg = plot.render_svg().unwrap();
    assert!(!svg.contains("<script>") && svg.contains("&lt;script&gt;&amp;"));
}

#[test]
fn what_cannot_be_drawn_is_an_error() {
    let mut short = example(2);
    short.components[1].1.pop();
    let error = short.render_svg().unwrap_err();
    assert_eq!(error, PlotError::Length { curve: "Cr".to_owned(), length: 1099, expected: 1100 });
    assert_eq!(FitPlot::default().render_svg(), Err(PlotError::Axis));
    let mut axis = example(1);
    axis.ppm[3] = f64::NAN;
    assert_eq!(axis.render_svg(), Err(PlotError::Axis));
    let mut empty = example(0);
    for curve in [&mut empty.data, &mut empty.fit, &mut empty.baseline] {
        curve.fill(f64::NAN);
    }
    assert_eq!(empty.render_svg(), Err(PlotError::NoData));
}

#[test]
fn flat_and_broken_curves_are_drawn() {
    let mut plot = example(2);
    plot.data[10..20].fill(f64::NAN);
    let whole = example(2).render_svg().unwrap();
    let broken = plot.render_svg().unwrap();
    // The gap makes two lines of the data's and two of the residual's, and no point of it is drawn.
    let lines = |svg: &str| svg.matches("<path").count();
    assert_eq!(lines(&broken), lines(&whole) + 2);
    assert!(!broken.contains("NaN"));
    plot.fit.fill(0.0);
    plot.baseline.fill(0.0);
    plot.data.fill(0.0);
    let flat = plot.render_svg().unwrap();
    assert!(lines(&flat) >= 3 && !flat.contains("NaN"), "{}", lines(&flat));
}
