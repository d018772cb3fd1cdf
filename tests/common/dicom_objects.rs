//! DICOM objects of every kind that is read, made small, in the forms in which files store them.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used, reason = "test support")]

/// How a file stores its attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Explicit,
    /// Private attributes as values of unknown type, as archives store what they do not know.
    Unknown,
    /// The same, their sequences of no stated length.
    UnknownOpen,
    Implicit,
    /// Sequences and items of no stated length.
    ImplicitOpen,
}

pub const FORMS: [Form; 5] = [Form::Explicit, Form::Unknown, Form::UnknownOpen, Form::Implicit, Form::ImplicitOpen];

#[derive(Debug, Clone)]
pub enum Value {
    Plain(&'static [u8; 2], Vec<u8>),
    Items(Vec<Object>),
}

pub type Object = Vec<((u16, u16), Value)>;

pub const SPECTROSCOPY: &str = "1.2.840.10008.5.1.4.1.1.4.2";
pub const CLASSIC: &str = "1.3.46.670589.11.0.0.12.1";
pub const SIEMENS: &str = "1.3.12.2.1107.5.9.1";

pub fn text(vr: &'static [u8; 2], text: &str) -> Value {
    Value::Plain(vr, text.into())
}

pub fn double(value: f64) -> Value {
    Value::Plain(b"FD", value.to_le_bytes().into())
}

pub fn float(value: f32) -> Value {
    Value::Plain(b"FL", value.to_le_bytes().into())
}

pub fn short(value: i16) -> Value {
    Value::Plain(b"SS", value.to_le_bytes().into())
}

pub fn long(value: u32) -> Value {
    Value::Plain(b"UL", value.to_le_bytes().into())
}

pub fn one(object: Object) -> Value {
    Value::Items(vec![object])
}

/// Puts values into an object, in the place of those of the same attribute.
pub fn with(mut object: Object, values: Object) -> Object {
    for (tag, value) in values {
        object.retain(|(other, _)| *other != tag);
        object.push((tag, value));
    }
    object.sort_by_key(|(tag, _)| *tag);
    object
}

pub fn without(mut object: Object, tag: (u16, u16)) -> Object {
    object.retain(|(other, _)| *other != tag);
    object
}

/// The whole file.
pub fn file(class: &str, object: &Object, form: Form) -> Vec<u8> {
    let is_implicit = matches!(form, Form::Implicit | Form::ImplicitOpen);
    let syntax = if is_implicit { "1.2.840.10008.1.2" } else { "1.2.840.10008.1.2.1" };
    with_syntax(class, object, form, syntax)
}

pub fn with_syntax(class: &str, object: &Object, form: Form, syntax: &str) -> Vec<u8> {
    let uid = |text: &str| Value::Plain(b"UI", text.into());
    let meta: Object =
        vec![((2, 2), uid(class)), ((2, 3), uid("1.2.3")), ((2, 0x10), uid(syntax)), ((2, 0x12), uid("1.2.4"))];
    let meta = encoded(&meta, Form::Explicit);
    let mut file = vec![0; 128];
    file.extend(b"DICM");
    file.extend(encoded(&vec![((2, 0), long(meta.len() as u32))], Form::Explicit));
    file.extend(meta);
    file.extend(encoded(&with(object.clone(), vec![((8, 0x16), uid(class))]), form));
    file
}

fn encoded(object: &Object, form: Form) -> Vec<u8> {
    let mut all = Vec::new();
    for ((group, element), value) in object {
        let is_unknown = matches!(form, Form::Unknown | Form::UnknownOpen) && group % 2 == 1;
        // Items of a sequence of unknown type are in implicit form.
        let (vr, mut bytes) = match value {
            Value::Plain(vr, bytes) => (*vr, bytes.clone()),
            Value::Items(objects) => {
                let inner = match (is_unknown, form) {
                    (true, Form::UnknownOpen) => Form::ImplicitOpen,
                    (true, _) => Form::Implicit,
                    _ => form,
                };
                (b"SQ", objects.iter().flat_map(|object| item(&encoded(object, inner), inner)).collect())
            }
        };
        if bytes.len() % 2 == 1 {
            bytes.push(if vr == b"UI" { 0 } else { b' ' });
        }
        let is_open = (form == Form::ImplicitOpen || form == Form::UnknownOpen && is_unknown) && vr == b"SQ";
        let length = if is_open { u32::MAX } else { bytes.len() as u32 };
        all.extend(group.to_le_bytes());
        all.extend(element.to_le_bytes());
        let vr = if is_unknown { b"UN" } else { vr };
        match form {
            Form::Explicit | Form::Unknown | Form::UnknownOpen if [b"OF", b"OB", b"OW", b"SQ", b"UN"].contains(&vr) => {
                all.extend(vr);
                all.extend([0, 0]);
                all.extend(length.to_le_bytes());
            }
            Form::Explicit | Form::Unknown | Form::UnknownOpen => {
                all.extend(vr);
                all.extend((length as u16).to_le_bytes());
            }
            Form::Implicit | Form::ImplicitOpen => all.extend(length.to_le_bytes()),
        }
        all.extend(bytes);
        if is_open {
            all.extend([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]);
        }
    }
    all
}

fn item(content: &[u8], form: Form) -> Vec<u8> {
    let is_open = form == Form::ImplicitOpen;
    let mut item = vec![0xfe, 0xff, 0x00, 0xe0];
    item.extend(if is_open { u32::MAX } else { content.len() as u32 }.to_le_bytes());
    item.extend(content);
    if is_open {
        item.extend([0xfe, 0xff, 0x0d, 0xe0, 0, 0, 0, 0]);
    }
    item
}

pub const POINTS: usize = 32;

/// Frames whose first points have these heights, falling.
pub fn frames(heights: &[f32]) -> Vec<u8> {
    let fid = |height: &f32| {
        let height = *height;
        (0..POINTS).flat_map(move |p| [height / (1.0 + p as f32), 0.25 * height * (p as f32 / 32.0)])
    };
    heights.iter().flat_map(fid).flat_map(f32::to_le_bytes).collect()
}

/// A standard object of one voxel with these frames.
pub fn standard(maker: &str, heights: &[f32]) -> Object {
    vec![
        ((0x0008, 0x0070), text(b"LO", maker)),
        ((0x0018, 0x9052), double(2000.0)),
        ((0x0018, 0x9054), text(b"CS", "PRIME")),
        ((0x0018, 0x9098), double(127.75)),
        ((0x0018, 0x9100), text(b"CS", "1H")),
        ((0x0028, 0x0008), text(b"IS", &heights.len().to_string())),
        ((0x0028, 0x0010), Value::Plain(b"US", vec![1, 0])),
        ((0x0028, 0x0011), Value::Plain(b"US", vec![1, 0])),
        ((0x0028, 0x9001), long(1)),
        ((0x0028, 0x9002), long(POINTS as u32)),
        ((0x5600, 0x0020), Value::Plain(b"OF", frames(heights))),
    ]
}

/// What Philips says of one frame: whether it is water, and whether its editing pulse was on.
pub fn philips_frame(is_water: bool, edit: Option<&str>) -> Object {
    let mut item = vec![((0x2005, 0x1304), short(i16::from(is_water)))];
    item.extend(edit.map(|word| ((0x2005, 0x1598), text(b"CS", word))));
    item
}

/// Groups of one frame with its echo time (ms).
pub fn frame_group(te_ms: f64) -> Object {
    vec![((0x0018, 0x9114), one(vec![((0x0018, 0x9082), double(te_ms))]))]
}

/// A Philips object of frames that say what they are.
pub fn philips(heights: &[f32], said: &[(bool, Option<&str>)]) -> Object {
    let items = said.iter().map(|(is_water, edit)| philips_frame(*is_water, *edit)).collect();
    with(
        standard("Philips Medical Systems", heights),
        vec![
            ((0x0018, 0x9199), text(b"CS", "YES")),
            ((0x2001, 0x1025), text(b"SH", "35")),
            ((0x2005, 0x1030), Value::Plain(b"FL", [2000.0_f32.to_le_bytes(), 0_f32.to_le_bytes()].concat())),
            ((0x2005, 0x1085), one(philips_volume())),
            ((0x2005, 0x140f), Value::Items(items)),
        ],
    )
}

/// Philips' own voxel: 20 × 30 × 40 mm.
pub fn philips_volume() -> Object {
    let values = [10.0, 0.0, 0.0, 30.0, 40.0, 20.0, 2.0, 3.0, 1.0];
    (0x1054..).zip(values).map(|(element, value)| ((0x2005, element), float(value))).collect()
}

/// Philips' classic object.
pub fn classic(heights: &[f32]) -> Object {
    vec![
        ((0x0008, 0x0070), text(b"LO", "Philips Medical Systems")),
        ((0x0018, 0x0080), text(b"DS", "2000.0")),
        ((0x0018, 0x0081), text(b"DS", "35.0")),
        ((0x0018, 0x0084), text(b"DS", "127.75")),
        ((0x0018, 0x0085), text(b"SH", "1H")),
        ((0x0018, 0x1030), text(b"LO", "Doe SV_PRESS_35")),
        ((0x2005, 0x1085), one(philips_volume())),
        ((0x2005, 0x1270), Value::Plain(b"OW", frames(heights))),
        ((0x2005, 0x1315), short(POINTS as i16)),
        ((0x2005, 0x1357), float(2000.0)),
    ]
}

/// United Imaging's object with both conditions of editing and water.
pub fn uih() -> Object {
    with(
        standard("UIH", &[1.0]),
        vec![
            ((0x0018, 0x0024), text(b"SH", "svs_press")),
            ((0x0018, 0x0080), text(b"DS", "2000.0")),
            ((0x0018, 0x0081), text(b"DS", "68.0")),
            ((0x0065, 0xff07), Value::Plain(b"OB", frames(&[100.0, 100.0]))),
            ((0x0065, 0xff10), Value::Plain(b"OB", frames(&[2.0, 2.0, 2.0]))),
            ((0x0065, 0xff11), Value::Plain(b"OB", frames(&[3.0, 3.0, 3.0]))),
        ],
    )
}

/// The protocol of a Siemens object, in the text around it.
pub const PROTOCOL: &str = "<XProtocol>\n### ASCCONV BEGIN ###\n\
    tSequenceFileName                        = \"%SiemensSeq%\\svs_se\"\n\
    sRXSPEC.alDwellTime[0]                   = 250000\n\
    sTXSPEC.asNucleusInfo[0].lFrequency      = 63683831\n\
    alTR[0]                                  = 1500000\n\
    alTE[0]                                  = 30000\n\
    sPrepPulses.ucWaterSat                   = 0x1\n\
    sSpecPara.lVectorSize                    = 32\n\
    sSpecPara.sVoI.sNormal.dTra              = 1\n\
    sSpecPara.sVoI.dThickness                = 20\n\
    sSpecPara.sVoI.dPhaseFOV                 = 25\n\
    sSpecPara.sVoI.dReadoutFOV               = 15\n\
    sSpecPara.ucRemoveOversampling           = 0x1\n\
    ### ASCCONV END ###\n";

/// A CSA header of version 2 (`SV10`) or 1.
pub fn csa(is_second: bool, values: &[(&str, &[&str])]) -> Vec<u8> {
    let n = (values.len() as u32).to_le_bytes();
    let mut csa = if is_second { [b"SV10\x04\x03\x02\x01".as_slice(), &n].concat() } else { n.to_vec() };
    csa.extend(77_u32.to_le_bytes());
    let added = if is_second { 0 } else { values.first().map_or(0, |(_, items)| items.len() as u32) };
    for (name, items) in values {
        let mut field = name.as_bytes().to_vec();
        field.resize(76, 0);
        csa.extend(field);
        csa.extend((items.len() as u32).to_le_bytes());
        csa.extend(77_u32.to_le_bytes());
        for item in *items {
            let length = item.len() as u32;
            for word in [length + added, length, 77, 0] {
                csa.extend(word.to_le_bytes());
            }
            csa.extend(item.as_bytes());
            csa.resize(csa.len().div_ceil(4) * 4, 0);
        }
    }
    csa
}

/// Siemens' private object as VA writes it: no number of points, no voxel.
pub fn siemens_va(is_second: bool) -> Object {
    let values: [(&str, &[&str]); 7] = [
        ("SequenceName", &["svs_se"]),
        ("RealDwellTime", &["500000"]),
        ("ImagingFrequency", &["63.683831"]),
        ("EchoTime", &["30.0"]),
        ("Rows", &["1"]),
        ("Columns", &["1"]),
        ("ImageOrientationPatient", &["-1", "0", "0", "0", "1", "0"]),
    ];
    vec![
        ((0x0008, 0x0008), text(b"CS", "ORIGINAL\\PRIMARY")),
        ((0x0008, 0x0070), text(b"LO", "SIEMENS")),
        ((0x0029, 0x1008), text(b"CS", "SPEC NUM 4")),
        ((0x0029, 0x1210), Value::Plain(b"OB", csa(is_second, &values))),
        ((0x0029, 0x1220), Value::Plain(b"OB", PROTOCOL.into())),
        ((0x7fe1, 0x1010), Value::Plain(b"OB", frames(&[1.0]))),
    ]
}

/// A file of every kind.
pub fn every_kind() -> Vec<Vec<u8>> {
    let edited = [(false, Some("1")), (false, Some("0")), (true, Some("0"))];
    let mega = with(philips(&[1.0, 2.0, 9.0], &edited), vec![((0x2005, 0x1597), text(b"CS", "Y"))]);
    let groups = Value::Items([30.0, 30.0, 144.0].map(frame_group).into());
    let mega = with(mega, vec![((0x5200, 0x9230), groups)]);
    let mut all: Vec<Vec<u8>> = FORMS.into_iter().map(|form| file(SPECTROSCOPY, &mega, form)).collect();
    all.extend([file(CLASSIC, &classic(&[1.0, 1.0]), Form::Explicit), file(CLASSIC, &classic(&[1.0]), Form::Implicit)]);
    all.push(file(SPECTROSCOPY, &uih(), Form::Explicit));
    all.extend([true, false].map(|is_second| file(SIEMENS, &siemens_va(is_second), Form::Explicit)));
    all
}
