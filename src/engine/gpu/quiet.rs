//! Keeps back what drivers print on stderr on every machine without a desktop.
//!
//! Mesa's layer that chooses devices asks for the desktop whenever devices are listed, because wgpu asks for windows in
//! every case, and its client library prints that there is none. Neither has an option for it but an environment
//! variable, which a process cannot set safely for itself.

/// Parts of lines that say nothing to a user.
#[cfg(unix)]
const NOISE: [&str; 2] = ["XDG_RUNTIME_DIR", "not a conformant vulkan implementation"];

/// Does `work` and passes on what is printed on stderr meanwhile, but for lines that say nothing.
#[cfg(not(unix))]
pub(super) fn quietly<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// Does `work` and passes on what is printed on stderr meanwhile, but for lines that say nothing.
#[cfg(unix)]
pub(super) fn quietly<T>(work: impl FnOnce() -> T) -> T {
    use std::sync::{Mutex, PoisonError};
    // One at a time: each puts back the stderr that it found.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let _held = Held::new();
    work()
}

/// stderr while it leads into a pipe.
#[cfg(unix)]
struct Held {
    stderr: std::os::fd::OwnedFd,
    reader: Option<std::thread::JoinHandle<Vec<u8>>>,
}

#[cfg(unix)]
impl Held {
    /// Leads stderr into a pipe; `None` where the system does not let us.
    fn new() -> Option<Self> {
        let stderr = rustix::io::dup(std::io::stderr()).ok()?;
        let (mut reader, writer) = std::io::pipe().ok()?;
        rustix::stdio::dup2_stderr(&writer).ok()?;
        // A thread of its own, so that no amount of text fills the pipe.
        let reader = std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = std::io::Read::read_to_end(&mut reader, &mut text);
            text
        });
        Some(Self { stderr, reader: Some(reader) })
    }
}

#[cfg(unix)]
impl Drop for Held {
    fn drop(&mut self) {
        if rustix::stdio::dup2_stderr(&self.stderr).is_err() {
            // The pipe stays open: its reader would never come to an end.
            return;
        }
        let text = self.reader.take().and_then(|reader| reader.join().ok()).unwrap_or_default();
        let _ = std::io::Write::write_all(&mut std::io::stderr(), &without_noise(&text));
    }
}

#[cfg(unix)]
fn without_noise(text: &[u8]) -> Vec<u8> {
    let is_noise =
        |line: &[u8]| NOISE.iter().any(|noise| line.windows(noise.len()).any(|part| part == noise.as_bytes()));
    text.split_inclusive(|byte| *byte == b'\n').filter(|line| !is_noise(line)).collect::<Vec<_>>().concat()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn only_noise_is_kept_back() {
        let text =
            b"error: XDG_RUNTIME_DIR is invalid or not set in the environment.\nMESA: out of memory\nlast, without end";
        assert_eq!(without_noise(text), b"MESA: out of memory\nlast, without end");
    }
}
