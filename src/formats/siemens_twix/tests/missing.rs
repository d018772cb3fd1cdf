//! Raw data that lack readouts: each of the others stays what it is.

use super::*;

/// Readouts of a condition by their heights, where the file lacks some of `0..n`, counted from `start`.
fn lacking(sequence: &str, protocol: &str, lacking: &[u16], n: u16, start: u16) -> Acquisition {
    let there = (0..n).filter(|i| !lacking.contains(i));
    let shots: Vec<Shot> = there.map(|i| shot(&[(AVE, i + start)], f32::from(i))).collect();
    read(file("E11", sequence, protocol, &shots))
}

#[test]
fn a_readout_that_is_missing_shifts_no_condition() {
    let mega = |protocol: &str, missing: &[u16], start| lacking("mgs_svs_ed", protocol, missing, 12, start);
    let on_and_off = |data: &Acquisition| [heights(&data.samples, 0), heights(&data.samples, 1)];
    for (protocol, start) in [("", 0), ("lAverages = 12\n", 0), ("lAverages = 6\n", 0), ("lAverages = 12\n", 1)] {
        let data = mega(protocol, &[5, 8], start);
        assert_eq!(on_and_off(&data), [[0.0, 2.0, 6.0, 10.0], [1.0, 3.0, 7.0, 11.0]], "{protocol} {start}");
        let absent = format!("the counter `average` lacks {}, {}", 5 + start, 8 + start);
        assert!(says(&data, &absent) && says(&data, "2 readouts of circles of 2 conditions"), "{:?}", data.remarks);
        assert!(!says(&data, "beyond"), "{:?}", data.remarks);
        // The first one.
        let data = mega(protocol, &[0], start);
        assert_eq!(on_and_off(&data)[1], [3.0, 5.0, 7.0, 9.0, 11.0], "{protocol} {start}: {:?}", data.remarks);
    }
    // The end is that of a scan that was stopped.
    let data = mega("", &[11], 0);
    assert!(says(&data, "1 readouts beyond the last whole circle") && !says(&data, "missing"), "{:?}", data.remarks);
    // Four conditions, as a counter that begins at 4.
    let data = lacking("mgs_svs_ed", "sWipMemBlock.alFree[7] = 3\n", &[1, 2, 11], 16, 4);
    assert_eq!(heights(&data.samples, 1), [5.0, 13.0], "{:?}", data.remarks);
    // Parts with water between them.
    let isthmus = "sWipMemBlock.alFree[3] = 4\nsWipMemBlock.alFree[4] = 4\nsWipMemBlock.alFree[5] = 12\n";
    let data = lacking("svs_isthmus", isthmus, &[3, 9], 20, 0);
    assert_eq!((heights(&data.samples, 0), water(&data).0), (vec![1.0, 2.0, 4.0], vec![5.0, 15.0]));
    let hercules = &data.further[0].1;
    assert_eq!((heights(&hercules.samples, 0), water(hercules).0), (vec![11.0, 16.0], vec![0.0, 10.0]));
}

#[test]
fn counters_that_do_not_count_readouts_leave_their_order() {
    let of = |counters: &dyn Fn(u16) -> Vec<(usize, u16)>, lacking: &[u16]| {
        let there = (0..8).filter(|i| !lacking.contains(i));
        let shots: Vec<Shot> = there.map(|i| shot(&counters(i), f32::from(i))).collect();
        heights(&read(file("E11", "mgs_svs_ed", "", &shots)).samples, 1)
    };
    let odd = [1.0, 3.0, 5.0, 7.0];
    assert_eq!(of(&|_| Vec::new(), &[]), odd, "all alike");
    assert_eq!(of(&|i| vec![(AVE, 2 * i)], &[]), odd, "every second value");
    assert_eq!(of(&|i| vec![(AVE, i), (REP, 0)], &[2, 3]), [1.0, 5.0, 7.0], "a whole circle");
    // A counter that begins again with every repetition, and one that is the same for a circle.
    let again = |i: u16| vec![(AVE, i % 4), (REP, i / 4)];
    assert_eq!((of(&again, &[]), of(&again, &[2])), (odd.to_vec(), vec![1.0, 5.0, 7.0]));
    let of_circle = |i: u16| vec![(AVE, i / 2)];
    assert_eq!((of(&of_circle, &[]), of(&of_circle, &[2])), (odd.to_vec(), vec![1.0, 5.0, 7.0]));
    assert_eq!(of(&|i| vec![(AVE, 7 - i)], &[]).len(), 4);
}

#[test]
fn a_step_that_is_missing_takes_its_pair_along() {
    let steps = |i: u16| if i.is_multiple_of(2) { 10.0 } else { 4.0 };
    for (missing, pairs) in [(vec![3], 3), (vec![0], 3), (vec![1, 4], 2), (vec![7], 3), (vec![], 4)] {
        let there = (0..8).filter(|i| !missing.contains(i));
        let shots: Vec<Shot> = there.map(|i| shot(&[(AVE, i)], steps(i))).collect();
        let data = read(file("XA30", "jn_svs_special", "", &shots));
        assert_eq!(heights(&data.samples, 0), vec![3.0; pairs], "{missing:?}: {:?}", data.remarks);
        assert_eq!(says(&data, "missing"), missing.iter().any(|i| *i < 7), "{missing:?}: {:?}", data.remarks);
    }
}
