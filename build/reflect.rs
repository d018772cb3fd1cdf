//! What a stage asks of the host: its bindings, workgroup, structures and constants, as the compiler of wgpu reads them.

use std::collections::BTreeMap;
use std::error::Error;

use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{AddressSpace, Expression, Literal, Module, ScalarKind, StorageAccess, TypeInner};

use super::compose::Composed;
use super::sizes;

/// A buffer that a stage sees.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Binding {
    pub(crate) group: u32,
    pub(crate) index: u32,
    /// `Uniform`, `Read` or `ReadWrite`.
    pub(crate) access: &'static str,
    /// Bytes of an element, or of a uniform.
    pub(crate) stride: u32,
}

/// A structure of 32-bit numbers without gaps: names and Rust types of its members.
pub(crate) type Structure = Vec<(String, &'static str)>;

/// A stage as the compiler reads it.
pub(crate) struct Reflected {
    pub(crate) bindings: BTreeMap<String, Binding>,
    /// Invocations of a workgroup at each of [`sizes::FFT_LENGTHS`].
    pub(crate) threads: Vec<u32>,
    pub(crate) structures: BTreeMap<String, Structure>,
    pub(crate) constants: BTreeMap<String, u32>,
}

/// Validates a stage at every length of the transform and reads what it asks for.
///
/// # Errors
/// A message that names the file and line of the fault.
pub(crate) fn reflect(stage: &Composed, constants: &str) -> Result<Reflected, String> {
    let mut out = Reflected {
        bindings: BTreeMap::new(),
        threads: Vec::new(),
        structures: BTreeMap::new(),
        constants: BTreeMap::new(),
    };
    for fft_n in sizes::FFT_LENGTHS {
        let head = sizes::head(fft_n) + constants;
        let text = format!("{head}{}", stage.text);
        let first = head.lines().count();
        let at = |location: Option<naga::SourceLocation>| match location {
            Some(place) => match (place.line_number as usize).checked_sub(first + 1).and_then(|i| stage.lines.get(i)) {
                Some((file, line)) => format!("shaders/{file}:{line}"),
                None => format!("line {} of the generated constants of shaders/{}", place.line_number, stage.files[0]),
            },
            None => format!("shaders/{}", stage.files[0]),
        };
        let module =
            naga::front::wgsl::parse_str(&text).map_err(|e| format!("{}: {}", at(e.location(&text)), e.message()))?;
        Validator::new(ValidationFlags::all(), Capabilities::empty())
            .validate(&module)
            .map_err(|e| format!("{}: {} (transforms of {fft_n})", at(e.location(&text)), chain(e.as_inner())))?;
        let bytes = workgroup_bytes(&module);
        if bytes > sizes::WORKGROUP_BYTES {
            let file = &stage.files[0];
            let most = sizes::WORKGROUP_BYTES;
            return Err(format!(
                "shaders/{file}: {bytes} bytes of workgroup memory at transforms of {fft_n}, {most} at most"
            ));
        }
        let [entry] = &module.entry_points[..] else {
            return Err(format!(
                "shaders/{}: one entry point is wanted, not {}",
                stage.files[0],
                module.entry_points.len()
            ));
        };
        if entry.name != sizes::ENTRY || entry.workgroup_size[1..] != [1, 1] {
            return Err(format!(
                "shaders/{}: the entry point is a row of invocations named {}",
                stage.files[0],
                sizes::ENTRY
            ));
        }
        out.threads.push(entry.workgroup_size[0]);
        read(&module, &stage.files[0], &mut out)?;
    }
    Ok(out)
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

fn workgroup_bytes(module: &Module) -> u32 {
    let own = module.global_variables.iter().filter(|(_, v)| v.space == AddressSpace::WorkGroup);
    own.map(|(_, v)| module.types[v.ty].inner.size(module.to_ctx())).sum()
}

fn read(module: &Module, file: &str, out: &mut Reflected) -> Result<(), String> {
    for (_, variable) in module.global_variables.iter() {
        let (Some(at), Some(name)) = (&variable.binding, &variable.name) else { continue };
        let access = match variable.space {
            AddressSpace::Uniform => "Uniform",
            AddressSpace::Storage { access } if access.contains(StorageAccess::STORE) => "ReadWrite",
            AddressSpace::Storage { .. } => "Read",
            other => return Err(format!("shaders/{file}: {name} is bound in {other:?}")),
        };
        let stride = match &module.types[variable.ty].inner {
            TypeInner::Array { stride, .. } => *stride,
            other => other.size(module.to_ctx()),
        };
        out.bindings.insert(name.clone(), Binding { group: at.group, index: at.binding, access, stride });
    }
    for (_, kind) in module.types.iter() {
        let (TypeInner::Struct { members, span }, Some(name)) = (&kind.inner, &kind.name) else { continue };
        let mut structure = Structure::new();
        for (i, member) in members.iter().enumerate() {
            let scalar = match module.types[member.ty].inner {
                TypeInner::Scalar(scalar) if scalar.width == 4 && member.offset == 4 * i as u32 => scalar.kind,
                _ => return Err(format!("shaders/{file}: {name} is no structure of 32-bit numbers without gaps")),
            };
            let rust = if scalar == ScalarKind::Float { "f32" } else { "u32" };
            structure.push((member.name.clone().unwrap_or_default(), rust));
        }
        if *span != 4 * members.len() as u32 {
            return Err(format!("shaders/{file}: {name} ends with a gap"));
        }
        out.structures.insert(name.clone(), structure);
    }
    for (_, constant) in module.constants.iter() {
        if let (Some(name), Expression::Literal(Literal::U32(value))) =
            (&constant.name, &module.global_expressions[constant.init])
        {
            out.constants.insert(name.clone(), *value);
        }
    }
    Ok(())
}
