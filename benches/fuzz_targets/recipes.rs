//! Recipes of simulated sets: this program's TOML, FSL-MRS' and MRSCloud's JSON, and waveforms of pulses. What reads is also put in
//! its place in a sequence, as a run does before it fits anything.

use std::sync::Arc;

use requant::basis::check::Protocol;
use requant::basis::simulate::pulses::files::{WaveformFormat, parse};
use requant::basis::simulate::pulses::{PulseSpec, Waveform};
use requant::basis::simulate::{Recipe, Stated, Timing};

/// Name, seeds, and what is done to damaged ones.
type Parts = (&'static str, Vec<Vec<u8>>, Box<dyn Fn(&[u8]) -> bool>);

const TOML: &[&[u8]] = &[
    b"[sequence]\nname = \"press\"\nvendor = \"ge\"\nte_ms = 35.0\nte1_ms = 14.85\ncarrier_ppm = 3.0\n[[pulse]]\nrole = \"refocus\"\n\
      shape = \"cosine\"\ncoefficients = [2.1186, 2.3163]\nduration_ms = 5.15\nflip_deg = 180.0\n[grid]\npoints = 8\n\
      fov_over_voxel = 2.0\ninterval_ms = 0.3\n",
    b"[[pulse]]\nrole = \"refocus\"\nshape = \"goia-wurst\"\nb1_order = 16.0\ngradient_order = 4.0\ngradient_dip = 0.9\n\
      sweep_hz = 8000.0\nduration_ms = 4.5\n[[pulse]]\nrole = \"excite\"\nshape = \"samples\"\namplitude = [1.0, 2.0, 1.0]\n\
      phase_rad = [0.0, 0.1, 0.0]\ngradient = [1.0, 1.0, 1.0]\nduration_ms = 2.0\npeak_b1_hz = 800\nbandwidth_hz = 2000\n",
    b"[sequence]\nvendor = \"siemens\"\n[[pulse]]\nrole = \"refocus\"\nshape = \"file\"\nfile = \"w.txt\"\nduration_ms = 5.0\n",
];
const FSL: &[u8] = br#"{"sequenceName":"svs_se","B0":2.89,"centralShift":3.0,"Rx_Points":2048,"Rx_SW":4000,"Rx_LW":2,
    "x":[-20,20],"y":[-20,20],"z":[0,0],"resolution":[12,12,1],"CoherenceFilter":[-1,1,-1],"RFUnits":"Hz","GradUnits":"mT",
    "spaceUnits":"mm","delays":[0.005,0.012,0.009],"RF":[
    {"time":0.0001,"frequencyOffset":0,"phaseOffset":1.5708,"amp":[2500],"phase":[0],"grad":[0,0,0]},
    {"time":0.004,"frequencyOffset":-20.5,"phaseOffset":0,"amp":[0,400,0],"phase":[0,0,0],"grad":[1.2,0,0],"ampScale":1.0},
    {"time":0.004,"frequencyOffset":-20.5,"phaseOffset":0,"amp":[0,400,0],"phase":[0,3.14,0],"grad":[0,1.2,0]}]}"#;
const MRSCLOUD: &[u8] = br#"{"vendor":"GE","localization":"PRESS","TE":35,"taus":[7.35,17.5,10.15],"spatial_points":41,
    "pulses":{"exc":{"name":"x","duration":2,"bandwidth":4000},"ref":{"name":"GE_rfa_3.9ms.pta","duration":5.2,"bandwidth":1110}}}"#;
const PTA: &[u8] =
    b"PULSENAME: x\nCOMMENT: y\nREFGRAD: 1.0\n\n0.1 0.0 ; (0)\n1.0 0.0 ; (1)\n-0.2 3.1416 ; (2)\n1.0 0.0 ; (3)\n";
const VARIAN: &[u8] = b"# TYPE selective\n0.0 100.0 1.0 1.0\n0.0 1023.0 1.0 1.0\n180.0 100.0 1.0 1.0\n";
const BRUKER: &[u8] =
    b"##TITLE= /x\n##NPOINTS= 3\n##XYPOINTS= (XY..XY)\n1.0e+01, 0.0\n1.0e+02, 0.0\n1.0e+01, 1.8e+02\n##END=\n";
const TABLE: &[u8] = b"# amplitude phase step gradient\n0.1 0 1 1\n1.0 0 1 0.5\n0.1 180 1 1\n";

pub fn targets() -> Vec<Parts> {
    let file = |name: &'static str, target: &'static str, seeds: Vec<Vec<u8>>| -> Parts {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("w.txt"), TABLE).unwrap();
        let path = folder.path().join(name);
        let decode = move |bytes: &[u8]| {
            // The folder goes with the last who holds it.
            std::fs::write(folder.path().join(name), bytes).unwrap();
            Stated::read(&path).is_ok_and(placed)
        };
        (target, seeds, Box::new(decode))
    };
    let waveforms = [("pta", PTA), ("RF", VARIAN), ("exc", BRUKER), ("txt", TABLE)];
    vec![
        file("recipe.toml", "recipe-toml", TOML.iter().map(|seed| seed.to_vec()).collect()),
        file("recipe.json", "recipe-json", vec![FSL.into(), MRSCLOUD.into()]),
        (
            "waveform",
            waveforms.map(|(_, seed)| seed.to_vec()).into(),
            Box::new(move |bytes| waveforms.iter().any(|(end, _)| played(bytes, end))),
        ),
    ]
}

/// Whether a run could simulate with it.
fn placed(stated: Stated) -> bool {
    let protocol = Protocol {
        f0_mhz: Some(123.1),
        te_s: Some(stated.te_s.unwrap_or(0.035)),
        sequence: stated.sequence.clone().or_else(|| Some("PRESS".to_owned())),
        dwell_s: Some(5e-4),
        n_points: Some(1024),
    };
    Recipe::from_protocol(&protocol, &Timing::default().with_recipe(Some(Arc::new(stated)))).is_ok()
}

fn played(bytes: &[u8], end: &str) -> bool {
    let Ok(shape) = parse(&String::from_utf8_lossy(bytes), WaveformFormat::of(&format!("w.{end}"))) else {
        return false;
    };
    let spec = PulseSpec { shape, duration_s: 5e-3, flip_deg: Some(180.0), peak_b1_hz: None, bandwidth_hz: Some(1e3) };
    Waveform::new(&spec).is_ok()
}
