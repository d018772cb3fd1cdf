//! What LCModel's files and those of its imitators look like.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]
use super::*;

fn one(text: &str) -> Namelist {
    Reader::new(text.as_bytes()).next_namelist().unwrap().unwrap()
}

#[test]
fn several_keys_a_line_and_end_on_the_same_line() {
    let n = one(" $NMID ID='x y', FMTDAT='(8E13.5)'\n TRAMP=1., VOLUME=8 $END\n 1 2");
    assert_eq!(n.name, "NMID");
    assert_eq!(n.text("id"), Some("x y"));
    assert_eq!(n.text("FMTDAT"), Some("(8E13.5)"));
    assert_eq!(n.number("tramp").unwrap(), Some(1.0));
    assert_eq!(n.number("VOLUME").unwrap(), Some(8.0));
}

#[test]
fn stray_and_doubled_quotes() {
    let n = one("$NMID ID=Mac'', FMTDAT='(8E13.5)'\n$END");
    assert_eq!((n.text("ID"), n.text("FMTDAT")), (Some("Mac"), Some("(8E13.5)")));
    let n = one("$BASIS\n ID = 'Mac''''',\n METABO = 'Mac',\n$END");
    assert_eq!((n.text("ID"), n.text("METABO")), (Some("Mac''"), Some("Mac")));
    let n = one("$NMID ID='Mac, FMTDAT='(8E13.5)'\n$END");
    assert_eq!((n.text("ID"), n.text("FMTDAT")), (Some("Mac"), Some("(8E13.5)")));
    let n = one("$NMID ID='Mac,\n FMTDAT='(8E13.5)'\n$END");
    assert_eq!((n.text("ID"), n.text("FMTDAT")), (Some("Mac"), Some("(8E13.5)")));
}

#[test]
fn strings_on_the_next_line_and_many_values() {
    let n = one(
        "$BASIS1\n IDBASI =\n 'a (b) c'\n ,\n PPMAPP =  0.1 -0.1,\n PPMGAP =  2*997.\n  5.,\n BADELT=5D-04\n ECHOT =  ,\n X(1, 2)=.T.\n&END",
    );
    assert_eq!(n.text("IDBASI"), Some("a (b) c"));
    assert_eq!(n.texts("PPMAPP").collect::<Vec<_>>(), ["0.1", "-0.1"]);
    assert_eq!(n.texts("PPMGAP").collect::<Vec<_>>(), ["997.", "997.", "5."]);
    assert_eq!(n.number("BADELT").unwrap(), Some(5e-4));
    assert_eq!(n.number("ECHOT").unwrap(), None);
    assert!(n.flag("X(1,2)"));
}

#[test]
fn a_slash_ends_only_where_it_stands_alone() {
    let n = one("&LCMODL filraw=/home/x/met/RAW nunfil=1024 /\n");
    assert_eq!(n.text("FILRAW"), Some("/home/x/met/RAW"));
    assert_eq!(n.number("NUNFIL").unwrap(), Some(1024.0));
}

#[test]
fn a_missing_end_is_named_with_its_line() {
    let e = Reader::new(b"\n $SEQPAR\n A=1\n").next_namelist().unwrap_err();
    assert_eq!(e, NamelistError::Unterminated { line: 2 });
    let mut r = Reader::new(b"$SEQPAR\n A=1\n $NMID B=2 $END\n");
    assert_eq!(r.next_namelist().unwrap().unwrap().number("A").unwrap(), Some(1.0));
    assert_eq!(r.next_namelist().unwrap().unwrap().number("B").unwrap(), Some(2.0));
    assert_eq!(r.next_namelist().unwrap(), None);
}

#[test]
fn a_number_that_is_none_names_key_and_line() {
    let n = one("$A\n HZPPPM='abc'\n$END");
    assert_eq!(n.number("HZPPPM").unwrap_err().to_string(), "line 2: HZPPPM is not a finite number");
}

#[test]
fn touching_columns_are_cut_by_width() {
    let text = " -0.11111E+00-0.22222E+01\n 0.3 4\n";
    let v = Reader::new(text.as_bytes()).numbers("(2E13.5)", Some(4)).unwrap();
    assert_eq!(v, [-0.11111, -2.2222, 0.3, 4.0]);
}

#[test]
fn bad_blocks_name_their_line() {
    let mut r = Reader::new(b"1 2\n3 NaN\n");
    assert!(matches!(r.numbers("(2E15.6)", None), Err(NamelistError::BadData { line: 2, .. })));
    let mut r = Reader::new(b"1 2\n3 4\n $END\n");
    assert_eq!(r.numbers("(2E15.6)", Some(6)), Err(NamelistError::Truncated { found: 4, expected: 6, line: 3 }));
    let mut r = Reader::new(b"1 2\n3 4\n");
    assert_eq!(r.numbers("*", Some(2)), Err(NamelistError::Surplus { expected: 2, line: 2 }));
}

#[test]
fn widths_of_formats() {
    for (f, w) in [("(6E13.5)", Some(13)), ("(1P,2E15.6)", Some(15)), ("(1p2es15.6)", Some(15)), ("*", None)] {
        assert_eq!(field_width(f), w, "{f}");
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_end_without_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
        let mut r = Reader::new(&bytes);
        while let Ok(Some(_)) = r.next_namelist() {}
        let _ = Reader::new(&bytes).numbers("(6E13.5)", None);
    }

    #[test]
    fn any_namelist_like_text_ends_without_panic(text in "[$&ENDab=,'\"/ \n0-9.*()-]{0,200}") {
        let mut r = Reader::new(text.as_bytes());
        while let Ok(Some(_)) = r.next_namelist() {}
    }
}
