//! Reads a spectrum, prepares and fits it, and prints what it found.
//!
//! `cargo run --release --example fit_file -- scan.SDAT press35.basis [water.SDAT]`
#![allow(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;

use requant::fit::Method;
use requant::quantify::WaterScaling;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [scan, basis, more @ ..] = &arguments[..] else {
        return Err("usage: fit_file SCAN BASIS [WATER]".into());
    };
    let acquisition = requant::read(scan)?;
    let water = more.first().map(requant::read).transpose()?;
    let basis = requant::read_basis(basis)?;
    let method = Method::built_in("map").ok_or("no method of that name")??;
    let constants = WaterScaling::lcmodel()?;

    for (label, prepared) in requant::prepare(&acquisition, water.as_ref(), 0) {
        let spectrum = prepared?;
        let fit = requant::fit(&spectrum, &basis, &method)?;
        println!("{} {} · SNR {:.0}", label.unwrap_or_default(), fit.result.state.as_str(), fit.result.snr);
        for quantity in requant::quantify(&fit, &spectrum, &basis, &constants) {
            let ratio = quantity.ratio_tcr.map_or("–".to_owned(), |r| format!("{:.3}", r.value));
            let concentration =
                quantity.concentration.lcmodel.map_or("–".to_owned(), |c| format!("{:.2} mmol/kg", c.value));
            println!("{:12} {ratio:>8} of tCr   {concentration}", quantity.name);
        }
    }
    Ok(())
}
