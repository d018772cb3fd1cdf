//! The items of MRSinMRS (Lin et al. 2021, <https://doi.org/10.1002/nbm.4484>, table 1): who can say what of each.

/// One item of the checklist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// Its number in the checklist: `2d`.
    pub id: &'static str,
    /// Its key in the file of what people know.
    pub key: &'static str,
    /// What it asks for.
    pub title: &'static str,
    /// What no table holds of it; empty where the tables hold all of it.
    pub asks: &'static str,
}

const fn item(id: &'static str, key: &'static str, title: &'static str, asks: &'static str) -> Item {
    Item { id, key, title, asks }
}

/// The items in the order of the checklist.
pub const ITEMS: [Item; 22] = [
    item("1a", "field_strength", "Field strength", ""),
    item("1b", "manufacturer", "Manufacturer", ""),
    item("1c", "model", "Scanner model and software version", "model and software version"),
    item("1d", "coils", "RF coils", "type of the coils, transmit and receive"),
    item("1e", "additional_hardware", "Additional hardware", "devices beside scanner and coils, or \"none\""),
    item("2a", "pulse_sequence", "Pulse sequence", ""),
    item("2b", "voi_location", "Location of the volume of interest", "where it lies and how it was placed"),
    item("2c", "voi_size", "Nominal size of the volume of interest", ""),
    item("2d", "tr_te", "Repetition and echo time", ""),
    item("2e", "acquisitions", "Number of acquisitions", ""),
    item("2f", "sequence_parameters", "Further parameters of the sequence", ""),
    item("2g", "water_suppression", "Water suppression", "method"),
    item("2h", "shimming", "Shimming", "method, and the linewidth from which a shim was accepted"),
    item("2i", "motion", "Triggering and motion correction", "method and device, or \"none\""),
    item("3a", "software", "Software of the analysis", ""),
    item("3b", "processing", "Settings other than their defaults", ""),
    item("3c", "output", "Output measures", ""),
    item("3d", "assumptions", "References and assumptions of quantification and fit", ""),
    item("4a", "snr_linewidth", "SNR and linewidth", ""),
    item("4b", "exclusion", "Exclusion of data", ""),
    item("4c", "fit_quality", "Quality of the fit", ""),
    item("4d", "sample_spectrum", "Sample spectrum", ""),
];

impl Item {
    /// The item with that key.
    pub(super) fn of_key(key: &str) -> Option<&'static Self> {
        ITEMS.iter().find(|item| item.key == key)
    }

    /// Heading of the items around it.
    pub(super) fn heading(&self) -> &'static str {
        match self.id.as_bytes().first() {
            Some(b'1') => "Hardware",
            Some(b'2') => "Acquisition",
            Some(b'3') => "Analysis",
            _ => "Data quality",
        }
    }
}

/// What a protocol has for an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The item.
    pub item: Item,
    /// What is known; `None` where nothing is.
    pub text: Option<String>,
    /// Whether tables say some of it.
    pub by_tables: bool,
    /// Whether people say some of it.
    pub by_people: bool,
    /// What is still to be filled in.
    pub missing: Option<String>,
}

impl Entry {
    /// Of what the tables say and what people say. Both stand side by side: neither hides the other.
    pub(super) fn new(item: Item, tables: Option<String>, people: Option<String>) -> Self {
        let (by_tables, by_people) = (tables.is_some(), people.is_some());
        let missing = if by_people {
            None
        } else if !item.asks.is_empty() {
            Some(format!("{} (key `{}`)", item.asks, item.key))
        } else {
            (!by_tables).then(|| format!("not in the tables (key `{}`)", item.key))
        };
        let text = match (tables, people) {
            (Some(tables), Some(people)) => Some(format!("{tables}; stated: {people}")),
            (tables, people) => tables.or(people),
        };
        Self { item, text, by_tables, by_people, missing }
    }

    /// Where it is from, in a word or two.
    pub fn from(&self) -> &'static str {
        match (self.by_tables, self.by_people) {
            (true, true) => "tables, people",
            (true, false) => "tables",
            (false, true) => "people",
            (false, false) => "nobody",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_people_know_stays_asked_for_until_they_say_it() {
        let coils = *Item::of_key("coils").unwrap_or(&ITEMS[0]);
        assert_eq!(coils.id, "1d");
        let asked = Entry::new(coils, Some("32 channels".into()), None);
        assert!(asked.missing.as_deref().is_some_and(|m| m.contains("`coils`")));
        assert_eq!((asked.text.as_deref(), asked.from()), (Some("32 channels"), "tables"));
        let told = Entry::new(coils, Some("32 channels".into()), Some("head coil".into()));
        assert_eq!((told.missing.as_deref(), told.from()), (None, "tables, people"));
        assert_eq!(told.text.as_deref(), Some("32 channels; stated: head coil"));
        let nothing = Entry::new(ITEMS[0], None, None);
        assert_eq!((nothing.text.as_deref(), nothing.from()), (None, "nobody"));
        assert!(nothing.missing.is_some());
    }

    #[test]
    fn the_checklist_is_whole_and_in_order() {
        let ids: Vec<&str> = ITEMS.iter().map(|item| item.id).collect();
        assert!(ids.is_sorted());
        let of = |group: char| ids.iter().filter(|id| id.starts_with(group)).count();
        assert_eq!(['1', '2', '3', '4'].map(of), [5, 9, 4, 4]);
        let asked: Vec<&str> = ITEMS.iter().filter(|item| !item.asks.is_empty()).map(|item| item.id).collect();
        assert_eq!(asked, ["1c", "1d", "1e", "2b", "2g", "2h", "2i"]);
    }
}
