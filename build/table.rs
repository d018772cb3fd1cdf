//! The table of stages as Rust: what `src/engine/gpu/stage.rs` includes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::compose::Composed;
use super::reflect::{Binding, Reflected, Structure};

/// A stage: its family (the folder below `shaders/`), its name (the file's stem), and what the compiler made of it.
pub(crate) struct Stage {
    pub(crate) family: String,
    pub(crate) name: String,
    pub(crate) composed: Composed,
    pub(crate) reflected: Reflected,
}

/// What the stages of a family have in common.
#[derive(Default)]
struct Family {
    bindings: BTreeMap<(u32, u32), (String, Binding)>,
    structures: BTreeMap<String, Structure>,
    constants: BTreeMap<String, u32>,
}

/// The table of `stages`; `generated` and `sizes` are the constants that the host has already.
///
/// # Errors
/// Two stages of a family that do not agree on a binding, structure or constant.
pub(crate) fn table(stages: &[Stage], generated: &str, sizes: &str) -> Result<String, String> {
    let mut families: BTreeMap<&str, Family> = BTreeMap::new();
    for stage in stages {
        let family = families.entry(&stage.family).or_default();
        for (name, binding) in &stage.reflected.bindings {
            agree(&mut family.bindings, (binding.group, binding.index), (name.clone(), binding.clone()), stage)?;
        }
        for (name, structure) in &stage.reflected.structures {
            agree(&mut family.structures, name.clone(), structure.clone(), stage)?;
        }
        let own = stage
            .reflected
            .constants
            .iter()
            .filter(|(name, _)| !is_declared(name, generated) && !is_declared(name, sizes));
        for (name, value) in own {
            agree(&mut family.constants, name.clone(), *value, stage)?;
        }
    }
    let mut out = String::new();
    stage_enum(stages, &families, generated, &mut out);
    for (name, family) in &families {
        module(name, family, &mut out);
    }
    Ok(out)
}

fn is_declared(name: &str, text: &str) -> bool {
    text.contains(&format!("const {name}:"))
}

fn agree<K: Ord, V: PartialEq + std::fmt::Debug>(
    all: &mut BTreeMap<K, V>,
    key: K,
    value: V,
    stage: &Stage,
) -> Result<(), String> {
    match all.get(&key) {
        Some(other) if *other != value => Err(format!(
            "shaders/{}: {value:?}, where another stage of this folder has {other:?}",
            stage.composed.files[0]
        )),
        _ => {
            all.insert(key, value);
            Ok(())
        }
    }
}

fn stage_enum(stages: &[Stage], families: &BTreeMap<&str, Family>, generated: &str, out: &mut String) {
    let derives = "#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]";
    let _ =
        writeln!(out, "/// A stage: one file of `shaders/fit/` or `shaders/requests/`.\n{derives}\npub enum Stage {{");
    for stage in stages {
        let about = stage.composed.text.lines().next().unwrap_or_default().trim_start_matches("// ");
        let _ = writeln!(out, "    /// `{}`: {about}\n    {},", stage.composed.files[0], pascal(&stage.name));
    }
    let _ = writeln!(
        out,
        "}}\n\n/// Stages that see the same buffers: a folder of `shaders/`.\n{derives}\npub enum Family {{"
    );
    for name in families.keys() {
        let _ = writeln!(out, "    /// `shaders/{name}/`.\n    {},", pascal(name));
    }
    let _ = writeln!(out, "}}\n\nimpl Stage {{");
    let all: Vec<String> = stages.iter().map(|s| format!("Self::{}", pascal(&s.name))).collect();
    let _ = writeln!(out, "    /// All stages.\n    pub const ALL: &'static [Self] = &[{}];", all.join(", "));
    let mut method = |doc: &str, signature: &str, value: &dyn Fn(&Stage) -> String| {
        let _ = writeln!(out, "\n    /// {doc}\n    pub const fn {signature} {{\n        match self {{");
        for stage in stages {
            let _ = writeln!(out, "            Self::{} => {},", pascal(&stage.name), value(stage));
        }
        let _ = writeln!(out, "        }}\n    }}");
    };
    method("Its name: the file's stem.", "name(self) -> &'static str", &|s| format!("{:?}", s.name));
    method("Its family.", "family(self) -> Family", &|s| format!("Family::{}", pascal(&s.family)));
    method("Invocations of a workgroup.", "threads(self) -> Threads", &|s| {
        let (first, same) = (s.reflected.threads[0], s.reflected.threads.windows(2).all(|w| w[0] == w[1]));
        if same { format!("Threads::Fixed({first})") } else { "Threads::OfTransform".to_owned() }
    });
    method("Groups of bindings that it sees.", "groups(self) -> &'static [u32]", &|s| {
        let groups: BTreeSet<u32> = s.reflected.bindings.values().map(|b| b.group).collect();
        format!("&{groups:?}").replace('{', "[").replace('}', "]")
    });
    method("The source behind the sizes of a transform.", "body(self) -> &'static str", &|s| {
        format!("{:?}", format!("{generated}{}", s.composed.text))
    });
    let _ = writeln!(out, "}}\n\nimpl Family {{\n    /// All buffers, by group and index.");
    let _ = writeln!(out, "    pub const fn bindings(self) -> &'static [Binding] {{\n        match self {{");
    for (name, family) in families {
        let all: Vec<String> = family.bindings.values().map(|(name, b)| binding(name, b)).collect();
        let _ = writeln!(out, "            Self::{} => &[{}],", pascal(name), all.join(", "));
    }
    let _ = writeln!(out, "        }}\n    }}\n}}");
}

fn binding(name: &str, b: &Binding) -> String {
    format!(
        "Binding {{ name: {name:?}, group: {}, index: {}, access: Access::{}, stride: {} }}",
        b.group, b.index, b.access, b.stride
    )
}

fn module(name: &str, family: &Family, out: &mut String) {
    let _ = writeln!(out, "\n/// What the host shares with the stages of `shaders/{name}/`.\npub mod {name} {{");
    let _ = writeln!(out, "    use bytemuck::{{Pod, Zeroable}};\n");
    let _ = writeln!(out, "    /// A buffer of these stages, by the name that it has in the shaders.");
    let _ = writeln!(out, "    #[derive(Debug, Clone, Copy, PartialEq, Eq)]\n    pub enum Buffer {{");
    let buffers: Vec<String> = family.bindings.values().map(|(name, _)| pascal(name)).collect();
    for (buffer, (name, _)) in buffers.iter().zip(family.bindings.values()) {
        let _ = writeln!(out, "        /// `{name}`.\n        {buffer},");
    }
    let all: Vec<String> = buffers.iter().map(|b| format!("Self::{b}")).collect();
    let family_name = pascal(name);
    let _ = writeln!(
        out,
        "    }}\n\n    impl super::NamedBuffer for Buffer {{\n        const ALL: &'static [Self] = &[{}];\n        const FAMILY: \
         super::Family = super::Family::{family_name};\n\n        fn place(self) -> usize {{\n            self as usize\n        \
         }}\n    }}",
        all.join(", ")
    );
    for (name, structure) in &family.structures {
        let _ = writeln!(out, "\n    /// `{name}` of the shaders, which say what each member is.\n    #[repr(C)]");
        let _ = writeln!(out, "    #[derive(Debug, Clone, Copy, Default, PartialEq, Pod, Zeroable)]");
        let _ = writeln!(out, "    #[allow(missing_docs, reason = \"documented in the shader, in one place\")]");
        let _ = writeln!(out, "    pub struct {name} {{");
        for (member, kind) in structure {
            let _ = writeln!(out, "        pub {member}: {kind},");
        }
        let _ = writeln!(out, "    }}");
    }
    for (name, value) in &family.constants {
        let _ = writeln!(out, "\n    /// `{name}` of the shaders.\n    pub const {name}: u32 = {value};");
    }
    let _ = writeln!(out, "}}");
}

/// `band_fids` → `BandFids`.
fn pascal(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
    };
    name.split('_').map(word).collect()
}
