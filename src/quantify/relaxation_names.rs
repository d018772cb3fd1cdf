//! Names of metabolites in constants of relaxation: spelled as everywhere, known, and of something that is fitted.

use crate::basis::names::{canonical, is_known, parts_of_sum};
use crate::basis::simulate::Library;

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

/// Refuses names that neither the table of names, nor the spin systems, nor the built-in constants have: they would do nothing.
pub(super) fn check_names(own: &toml::Table, built_in: &toml::Table) -> Result<(), Fault> {
    let built_in: Vec<String> = entries(built_in).into_iter().map(|(_, name)| name).collect();
    let simulated = Library::built_in();
    let is_simulated = |name: &str| simulated.as_ref().is_ok_and(|all| all.names().contains(&name));
    let is_unknown = |name: &String| !is_known(name) && !built_in.contains(name) && !is_simulated(name);
    let unknown = entries(own).into_iter().find(|(_, name)| is_unknown(name));
    unknown.map_or(Ok(()), |(key, name)| {
        let fault =
            format!("no metabolite is known as `{name}`; write it as the tables have it, such as Glu, Ins or GPC");
        Err((key, fault))
    })
}

/// Keys of all entries of metabolites, with their names.
fn entries(of: &toml::Table) -> Vec<Fault> {
    let alpha = of.get("alpha").and_then(toml::Value::as_table);
    let alpha = alpha.into_iter().flat_map(|set| set.keys()).map(|name| (format!("alpha.{name}"), name.clone()));
    let fields = of.get("metabolites").and_then(toml::Value::as_table);
    let sets = fields.into_iter().flatten().filter_map(|(class, set)| Some((class, set.as_table()?)));
    let times = sets
        .flat_map(|(class, set)| set.keys().map(move |name| (format!("metabolites.\"{class}\".{name}"), name.clone())));
    alpha.chain(times).collect()
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
