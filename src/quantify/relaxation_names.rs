//! Names of metabolites in constants of relaxation: spelled as everywhere, and of something that is fitted.

use crate::basis::names::{canonical, parts_of_sum};

/// Which entry is wrong, and why.
pub(super) type Fault = (String, String);

/// Why an entry called `name` does nothing where the components of a basis set have these names; `None` where it does.
pub(super) fn why_unused(name: &str, components: &[String]) -> Option<String> {
    if components.iter().any(|component| component == name) {
        return None;
    }
    let members = parts_of_sum(name).unwrap_or_default();
    let there: Vec<String> = members.into_iter().filter(|member| components.contains(member)).collect();
    if there.is_empty() {
        return Some("no component has that name".to_owned());
    }
    Some(format!("{name} is a sum here, of which each member has its own: give {}", there.join(" and ")))
}

/// Names of metabolites as everywhere else, so that `mI` is found as `Ins`.
pub(super) fn canonical_keys(mut own: toml::Table) -> Result<toml::Table, Fault> {
    let renamed = |table: &mut toml::Table, key: &str| -> Result<(), Fault> {
        for (name, value) in std::mem::take(table) {
            if table.insert(canonical(&name), value).is_some() {
                let fault = format!("`{name}` is there twice, under two of its names");
                return Err((key.to_owned(), fault));
            }
        }
        Ok(())
    };
    if let Some(toml::Value::Table(alpha)) = own.get_mut("alpha") {
        renamed(alpha, "alpha")?;
    }
    if let Some(toml::Value::Table(fields)) = own.get_mut("metabolites") {
        for (class, set) in fields.iter_mut() {
            if let toml::Value::Table(set) = set {
                renamed(set, &format!("metabolites.\"{class}\""))?;
            }
        }
    }
    Ok(own)
}
