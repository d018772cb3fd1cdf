//! Every format, damaged a great many times: no panic, no allocation beyond what the bytes justify, no case that hangs.
//!
//! `cargo bench --bench fuzz --profile dev -- [--cases N] [--minutes M] [NAME …]`: for each target whose name contains a NAME (all without
//! one) N cases (default 1000) or M minutes, whichever ends later. Each case is a seed file, or two of one target spliced,
//! changed at up to eight places by a generator whose state is printed with a finding, so that it comes back. Prints a
//! line for `benches/FUZZ.md` (the development profile counts: it checks overflows); exits with 1 on a finding, and leaves the bytes beside the build's files.
#![allow(
    unsafe_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "bench; an allocator that counts cannot be written otherwise"
)]

#[path = "../tests/common/dicom_objects.rs"]
mod dicom_objects;
#[path = "fuzz_targets/journal.rs"]
mod journal;
#[path = "fuzz_targets/overlap.rs"]
mod overlap;
#[path = "fuzz_targets/recipes.rs"]
mod recipes;
#[path = "../tests/common/results.rs"]
mod results;
#[path = "../tests/common/small_files.rs"]
mod small_files;
#[path = "fuzz_targets/tissue.rs"]
mod tissue;

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use requant::acquisition::{FileKind, Look};
use requant::basis::simulate::{Sequence, basis_set};
use requant::basis::{BasisSet, write_lcmodel};
use requant::compare::import;
use requant::formats::{
    self, bruker, dicom, ge_pfile, jmrui_binary, jmrui_text, lcmodel_control, lcmodel_raw, nifti_mrs, philips_list,
    philips_sdat, plain_text, siemens_rda, siemens_twix, varian,
};
use small_files::*;

/// Counts the bytes that are held, and the most that ever were.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        MOST.fetch_max(HELD.fetch_add(layout.size(), Relaxed) + layout.size(), Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        MOST.fetch_max(HELD.fetch_add(layout.size(), Relaxed) + layout.size(), Relaxed);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes that any decoder may hold at once, whatever it is given: tables of transforms, a parser's own.
const FLOOR_BYTES: usize = 1 << 20;
/// Bytes held for each byte of input. A number of two letters of text becomes a complex sample of 16 bytes, in a vector
/// that grew by doubling, and once more in an array.
const BYTES_PER_BYTE: usize = 64;
/// Deflate packs at most 1032 to 1, and what comes out is data.
const BYTES_PER_PACKED_BYTE: usize = 1032 * BYTES_PER_BYTE;
/// A decoder that takes longer over a small file is stuck.
const STUCK: Duration = Duration::from_secs(1);

/// Marsaglia's xorshift with a multiplier (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() >> 16) as usize % n.max(1)
    }

    fn pick<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

/// Numbers at which decoders err.
const WORDS: [u64; 14] = [
    0,
    1,
    7,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0x8000,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    u64::MAX,
];
const TOKENS: [&str; 18] = [
    "0",
    "-1",
    "1e300",
    "-1e-300",
    "NaN",
    "inf",
    "99999999999999999999",
    "4294967296",
    "1073741824",
    "",
    " ",
    "\n",
    "é",
    "\u{fffd}",
    "$END",
    "##$",
    "(((",
    ",,,",
];

fn changed(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(8) {
        let n = bytes.len();
        let at = random.below(n + 1);
        match random.below(9) {
            0 if n > 0 => bytes[at.min(n - 1)] ^= 1 << random.below(8),
            1 if n > 0 => bytes[at.min(n - 1)] = random.next() as u8,
            2 => {
                let word = WORDS[random.below(WORDS.len())];
                let width = [1, 2, 4, 8][random.below(4)];
                let word = if random.below(2) == 0 { word.to_le_bytes() } else { word.to_be_bytes() };
                let word = if random.below(2) == 0 { &word[..width] } else { &word[8 - width..] };
                let end = (at + width).min(n);
                bytes[at..end].copy_from_slice(&word[..end - at]);
            }
            3 => bytes.truncate(at),
            4 => drop(bytes.drain(at..(at + random.below(64)).min(n))),
            5 => {
                let end = (at + random.below(256)).min(n);
                let copy = bytes[at..end].to_vec();
                let to = random.below(n + 1);
                bytes.splice(to..to, copy);
            }
            6 => {
                let token = random.pick(&TOKENS).as_bytes().to_vec();
                bytes.splice(at..at, token);
            }
            7 => {
                // A number of text becomes another.
                let digit = |b: &u8| b.is_ascii_digit() || b"+-.eE".contains(b);
                let start = (at..n).find(|&i| bytes[i].is_ascii_digit()).unwrap_or(n);
                let end = (start..n).find(|&i| !digit(&bytes[i])).unwrap_or(n);
                let token = random.pick(&TOKENS).as_bytes().to_vec();
                bytes.splice(start..end, token);
            }
            _ => {
                let other = &seeds[random.below(seeds.len())];
                let from = random.below(other.len() + 1);
                bytes.truncate(at);
                bytes.extend(&other[from..]);
            }
        }
    }
    bytes
}

/// Whether a decoder accepts the bytes.
type Decode = Box<dyn Fn(&[u8]) -> bool>;

struct Target {
    name: &'static str,
    seeds: Vec<Vec<u8>>,
    per_byte: usize,
    decode: Decode,
}

fn target(name: &'static str, seeds: Vec<Vec<u8>>, decode: impl Fn(&[u8]) -> bool + 'static) -> Target {
    Target { name, seeds, per_byte: BYTES_PER_BYTE, decode: Box::new(decode) }
}

fn targets() -> Vec<Target> {
    let packed = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&small_nifti()).unwrap();
        encoder.finish().unwrap()
    };
    let basis = basis_set(&["NAA", "Cr", "Ins"], &Sequence::PulseAcquire {}, 123.2, 1e-3, 32, 1.0).unwrap();
    let folder = tempfile::tempdir().unwrap();
    // A basis set's reader wants a path, and goes by its name.
    let basis_file = move |bytes: &[u8]| {
        let path = folder.path().join("a.basis");
        std::fs::write(&path, bytes).unwrap();
        BasisSet::read(&path).is_ok()
    };
    let mut all = readers();
    all.extend([
        target("lcmodel-raw", vec![small_raw().into_bytes()], |b| lcmodel_raw::decode(b).is_ok()),
        target("lcmodel-control", vec![CONTROL.into()], |b| lcmodel_control::parse(b).is_ok()),
        target("plain-text", vec![b"1.0 2.0\n3.0 -1.0\n0.5 0.25\n".to_vec()], |b| plain_text::decode(b).is_ok()),
        target("result-files", results::ALL.iter().map(|t| t.as_bytes().to_vec()).collect(), |b| {
            import::decode(b).is_some_and(|r| r.is_ok())
        }),
        target("basis-lcmodel", vec![write_lcmodel(&basis).into_bytes()], basis_file),
    ]);
    all.push(Target {
        per_byte: BYTES_PER_PACKED_BYTE,
        ..target("nifti-mrs-gz", vec![packed], |b| nifti_mrs::decode(b, None).is_ok())
    });
    all
}

/// Readers of scanners' files.
fn readers() -> Vec<Target> {
    let (data, list) = small_list();
    let list_of_data = list.clone();
    let mut dicom_seeds = vec![small_dicom(), small_csa_dicom(), implicit(&small_dicom())];
    dicom_seeds.extend(dicom_objects::every_kind());
    vec![
        target("nifti-mrs", vec![small_nifti(), edited_nifti(), isis_nifti()], |b| nifti_mrs::decode(b, None).is_ok()),
        target("bids-sidecar", vec![SIDECAR.into()], decode_with_sidecar),
        target("siemens-twix", twix_files(), |b| {
            let _ = siemens_twix::looks_like(b);
            siemens_twix::decode(b).is_ok_and(|data| {
                let parts = std::iter::once(&data).chain(data.further.iter().map(|(_, part)| part));
                let waters = parts.clone().filter_map(|part| part.water.as_ref()).map(|water| &water.samples);
                parts.map(|part| &part.samples).chain(waters).map(|samples| samples.iter().count()).sum::<usize>() > 0
            })
        }),
        target("siemens-rda", vec![small_rda()], |b| siemens_rda::decode(b).is_ok()),
        target("dicom", dicom_seeds, |b| {
            let _ = dicom::is_spectroscopy(b);
            // Samples are looked at when they are asked for.
            dicom::decode(b).is_ok_and(|data| data.samples.len() < 1 << 20 && data.samples.iter().count() > 0)
        }),
        target("ge-pfile", vec![small_pfile(), edited_pfile(), isthmus_pfile()], |b| ge_pfile::decode(b).is_ok()),
        target("philips-spar", vec![SPAR.into(), EDITED_SPAR.into()], |b| philips_sdat::decode(&[0; 4096], b).is_ok()),
        target("philips-sdat", vec![vec![0x41; 256]], |b| philips_sdat::decode(b, SPAR.as_bytes()).is_ok()),
        target("philips-list", vec![list.into_bytes()], move |b| philips_list::decode(&data, b, None).is_ok()),
        target("philips-data", vec![small_list().0], move |b| {
            philips_list::decode(b, list_of_data.as_bytes(), Some(SPAR.as_bytes())).is_ok()
        }),
        target("bruker-rawdata", vec![small_bruker()], |b| {
            bruker::decode(bruker::Kind::Raw, b, METHOD.as_bytes(), ACQP.as_bytes(), None).is_ok()
        }),
        target("bruker-processed", vec![vec![0x3f; 64 * 16]], |b| {
            bruker::decode(bruker::Kind::Processed, b, METHOD.as_bytes(), ACQP.as_bytes(), None).is_ok()
        }),
        target("bruker-method", vec![METHOD.into(), method_with_reference().into_bytes()], |b| {
            bruker::decode(bruker::Kind::Raw, small_bruker(), b, ACQP.as_bytes(), None).is_ok()
        }),
        target("varian-fid", vec![small_varian()], |b| varian::decode(b, PROCPAR.as_bytes()).is_ok()),
        target("varian-procpar", vec![PROCPAR.into()], |b| varian::decode(small_varian(), b).is_ok()),
        target("jmrui-binary", vec![small_mrui()], |b| jmrui_binary::decode(b).is_ok()),
        target("jmrui-text", vec![small_jmrui().into_bytes()], |b| jmrui_text::decode(b).is_ok()),
    ]
}

/// Of every software, and of sequences whose readouts are of several kinds.
fn twix_files() -> Vec<Vec<u8>> {
    let references = "sSpecPara.lAutoRefScanMode = 2\nsSpecPara.lAutoRefScanNo = 2\nlAverages = 8\n";
    let parts = "sWipMemBlock.alFree[3] = 3\nsWipMemBlock.alFree[4] = 3\nsWipMemBlock.alFree[5] = 6\nsWipMemBlock.alFree[6] = 35000\n";
    vec![
        small_twix(),
        small_vb_twix(),
        vd_twix("syngo MR XA30"),
        looped_twix("svs_slaser_dkd", references),
        looped_twix("svs_isthmus", parts),
        looped_twix("smm_svs_herc", "sWipMemBlock.alFree[7] = 3\nsWipMemBlock.adFree[8] = 4.58\n"),
        looped_twix("jn_svs_special", ""),
        looped_twix("md_dvox_special", ""),
        looped_twix("svs_edit", "sPrepPulses.ucWaterSat = 0x1\nsTXSPEC.aRFPULSE[3].tName = \"rf_ws\"\n"),
    ]
}

/// Files as a search meets them: packed or not, under any name, perhaps parts of series.
fn of_any_name() -> Target {
    let folder = tempfile::tempdir().unwrap();
    let gzipped = |bytes: &Vec<u8>| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let plain = [small_pfile(), small_twix(), small_vb_twix(), small_dicom(), small_csa_dicom(), small_rda()];
    let seeds = plain.iter().cloned().chain(plain.iter().map(gzipped)).collect();
    let found = move |bytes: &[u8]| {
        let path = folder.path().join("a.bak");
        std::fs::write(&path, bytes).unwrap();
        let kind = formats::kind_of(&path);
        let _ = (formats::extent(&path).is_ok(), formats::Search.member(&path), formats::Search.series_name(&path));
        formats::read(&path).is_ok() && kind == FileKind::Spectrum
    };
    Target { per_byte: BYTES_PER_PACKED_BYTE, ..target("any-name", seeds, found) }
}

/// The same without stated representations.
fn implicit(explicit: &[u8]) -> Vec<u8> {
    let at = explicit.windows(4).position(|w| w == [8, 0, 0x16, 0]).unwrap();
    let mut file = explicit[..at].to_vec();
    let syntax = file.windows(19).position(|w| w == b"1.2.840.10008.1.2.1").unwrap();
    file[syntax + 17..syntax + 19].copy_from_slice(&[0, 0]);
    let mut rest = &explicit[at..];
    while rest.len() >= 8 {
        let (length, value) = if &rest[4..6] == b"OF" {
            (u32::from_le_bytes(rest[8..12].try_into().unwrap()), 12)
        } else {
            (u32::from(u16::from_le_bytes(rest[6..8].try_into().unwrap())), 8)
        };
        let end = value + length as usize;
        file.extend(&rest[..4]);
        file.extend(length.to_le_bytes());
        file.extend(&rest[value..end]);
        rest = &rest[end..];
    }
    file
}

const CONTROL: &str =
    " $LCMODL\n nunfil=1024\n deltat=5.e-4\n hzpppm=127.786142\n filbas='x.basis'\n filraw='data.raw'\n $END\n";

/// What one case came to: nothing, or what was wrong.
fn case(target: &Target, bytes: &[u8]) -> Option<String> {
    let before = HELD.load(Relaxed);
    MOST.store(before, Relaxed);
    let started = Instant::now();
    if catch_unwind(AssertUnwindSafe(|| (target.decode)(bytes))).is_err() {
        return Some("panic".to_owned());
    }
    let (held, took) = (MOST.load(Relaxed).saturating_sub(before), started.elapsed());
    let allowed = FLOOR_BYTES + target.per_byte * bytes.len();
    if held > allowed {
        return Some(format!("{held} bytes held for {} of input", bytes.len()));
    }
    (took > STUCK).then(|| format!("took {took:?}"))
}

fn main() {
    let mut cases = 1000_usize;
    let mut minutes = 0.0_f64;
    let mut names = Vec::new();
    let mut words = std::env::args().skip(1).filter(|a| a != "--bench");
    while let Some(word) = words.next() {
        match word.as_str() {
            "--cases" => cases = words.next().unwrap().parse().unwrap(),
            "--minutes" => minutes = words.next().unwrap().parse().unwrap(),
            _ => names.push(word),
        }
    }
    let mut is_clean = true;
    println!("| target | cases | minutes | findings |\n|---|---|---|---|");
    let of_runs = journal::targets()
        .into_iter()
        .chain(tissue::targets())
        .chain(overlap::targets())
        .chain(recipes::targets())
        .map(|(name, seeds, decode)| Target { name, seeds, per_byte: BYTES_PER_PACKED_BYTE, decode });
    let all: Vec<Target> = targets().into_iter().chain([of_any_name()]).chain(of_runs).collect();
    for target in all.iter().filter(|t| names.is_empty() || names.iter().any(|n| t.name.contains(n.as_str()))) {
        for seed in &target.seeds {
            // Or the cases would test nothing; and what is made once (threads, tables) is made.
            assert!((target.decode)(seed), "{}: refuses its own seed", target.name);
        }
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let started = Instant::now();
        let mut done = 0;
        let mut findings: Vec<String> = Vec::new();
        std::panic::set_hook(Box::new(|_| {}));
        while done < cases || started.elapsed().as_secs_f64() < 60.0 * minutes {
            let state = random.0;
            let bytes = changed(&target.seeds, &mut random);
            if let Some(what) = case(target, &bytes) {
                let path = std::env::temp_dir().join(format!("requant-fuzz-{}-{state:016x}", target.name));
                std::fs::write(&path, &bytes).unwrap();
                findings.push(format!("{what} (state {state:#x}, {})", path.display()));
            }
            done += 1;
            if findings.len() >= 5 {
                break;
            }
        }
        drop(std::panic::take_hook());
        is_clean &= findings.is_empty();
        let told = if findings.is_empty() { "none".to_owned() } else { findings.join("; ") };
        println!("| {} | {done} | {:.1} | {told} |", target.name, started.elapsed().as_secs_f64() / 60.0);
    }
    if !is_clean {
        std::process::exit(1);
    }
}
