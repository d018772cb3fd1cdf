//! Notes at the end of a command: those of many protocols are told once.

/// Texts that differ in their numbers alone, as those of many protocols do: the first of each kind, and how many follow.
pub(super) fn told_once(notes: &[String]) -> Vec<String> {
    let kind = |note: &str| note.split(|c: char| c.is_ascii_digit() || c == '.').collect::<String>();
    let mut told: Vec<(&str, usize)> = Vec::new();
    for note in notes {
        match told.iter_mut().find(|(first, _)| kind(first) == kind(note)) {
            Some((_, n_alike)) => *n_alike += 1,
            None => told.push((note, 0)),
        }
    }
    let in_words = |(first, n_alike): (&str, usize)| match n_alike {
        0 => first.to_owned(),
        n => format!("{first} (and {n} like it: `run.json` has all)"),
    };
    told.into_iter().map(in_words).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_that_differ_in_numbers_alone_are_told_once() {
        let notes = ["TE 35.0 ms: te1_s", "no Ins", "TE 30 ms: te1_s", "TE 144.25 ms: te1_s", "no Ins in b"];
        let told = told_once(&notes.map(str::to_owned));
        assert_eq!(told, ["TE 35.0 ms: te1_s (and 2 like it: `run.json` has all)", "no Ins", "no Ins in b"]);
    }
}
