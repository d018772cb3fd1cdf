//! How the Rust type of a row's field becomes an Arrow array, and back.

use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Int64Builder, ListBuilder, PrimitiveBuilder, StringBuilder};
use arrow_array::types::{ArrowPrimitiveType, Float32Type, Float64Type, Int32Type};
use arrow_array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, ListArray, PrimitiveArray, StringArray};
use arrow_schema::{DataType, Field};

/// A type that a field of a row may have.
///
/// Numbers that are not finite are written as null: no table ever holds NaN or an infinity.
pub trait Cell: Sized + Default + 'static {
    /// The Arrow type of the column.
    fn data_type() -> DataType;
    /// Whether the column may hold nulls.
    const NULLABLE: bool;
    /// The column for the given values, in their order.
    fn array(values: &mut dyn Iterator<Item = &Self>) -> ArrayRef;
    /// The values of a column; `None` if the column is of another type.
    fn values(array: &dyn Array) -> Option<Vec<Self>>;
}

fn is_filled(array: &dyn Array, index: usize) -> bool {
    array.is_valid(index)
}

impl Cell for String {
    const NULLABLE: bool = false;

    fn data_type() -> DataType {
        DataType::Utf8
    }

    fn array(values: &mut dyn Iterator<Item = &Self>) -> ArrayRef {
        Arc::new(StringArray::from_iter_values(values))
    }

    fn values(array: &dyn Array) -> Option<Vec<Self>> {
        let texts = array.as_any().downcast_ref::<StringArray>()?;
        Some(texts.iter().map(|t| t.unwrap_or_default().to_owned()).collect())
    }
}

impl Cell for Option<String> {
    const NULLABLE: bool = true;

    fn data_type() -> DataType {
        DataType::Utf8
    }

    fn array(values: &mut dyn Iterator<Item = &Self>) -> ArrayRef {
        Arc::new(StringArray::from_iter(values.map(Option::as_deref)))
    }

    fn values(array: &dyn Array) -> Option<Vec<Self>> {
        let texts = array.as_any().downcast_ref::<StringArray>()?;
        Some(texts.iter().map(|t| t.map(str::to_owned)).collect())
    }
}

impl Cell for Option<f64> {
    const NULLABLE: bool = true;

    fn data_type() -> DataType {
        DataType::Float64
    }

    fn array(values: &mut dyn Iterator<Item = &Self>) -> ArrayRef {
        Arc::new(Float64Array::from_iter(values.map(|v| v.filter(|x| x.is_finite()))))
    }

    fn values(array: &dyn Array) -> Option<Vec<Self>> {
        Some(array.as_any().downcast_ref::<Float64Array>()?.iter().collect())
    }
}

// Counts are small and never negative in Rust, but a signed column is what R and pandas expect.
impl Cell for Option<u32> {
    const NULLABLE: bool = true;

    fn data_type() -> DataType {
        DataType::Int64
    }

    fn array(values: &mut dyn Iterator<Item = &Self>) -> ArrayRef {
        Arc::new(Int64Array::from_iter(values.map(|v| v.map(i64::from))))
    }

    fn values(array: &dyn Array) -> Option<Vec<Self>> {
        let numbers = array.as_any().downcast_ref::<Int64Array>()?;
        Some(numbers.iter().map(|v| v.and_then(|n| u32::try_from(n).ok())).collect())
    }
}

impl Cell for Option<u64> {
    const NULLABLE: bool = true;

    fn data_type() -> DataType {
        DataType::Int64
    }

    fn array(values: &mut dyn Iterator<Item = &Self>) -> ArrayRef {
        let mut column = Int64Builder::new();
        for value in values {
            column.append_option(value.and_then(|n| i64::try_from(n).ok()));
        }
        Arc::new(column.finish())
    }

    fn values(array: &dyn Array) -> Option<Vec<Self>> {
        let numbers = array.as_any().downcast_ref::<Int64Array>()?;
        Some(numbers.iter().map(|v| v.and_then(|n| u64::try_from(n).ok())).collect())
    }
}

impl Cell for bool {
    const NULLABLE: bool = false;

    fn data_type() -> DataType {
        DataType::Boolean
    }

    fn array(values: &mut dyn Iterator<Item = &Self>) -> ArrayRef {
        Arc::new(BooleanArray::from_iter(values.map(|v| Some(*v))))
    }

    fn values(array: &dyn Array) -> Option<Vec<Self>> {
        let truths = array.as_any().downcast_ref::<BooleanArray>()?;
        Some(truths.iter().map(Option::unwrap_or_default).collect())
    }
}

impl Cell for Option<bool> {
    const NULLABLE: bool = true;

    fn data_type() -> DataType {
        DataType::Boolean
    }

    fn array(values: &mut dyn Iterator<Item = &Self>) -> ArrayRef {
        let mut column = BooleanBuilder::new();
        for value in values {
            column.append_option(*value);
        }
        Arc::new(column.finish())
    }

    fn values(array: &dyn Array) -> Option<Vec<Self>> {
        Some(array.as_any().downcast_ref::<BooleanArray>()?.iter().collect())
    }
}

fn list_of(item: DataType, item_is_nullable: bool) -> DataType {
    DataType::List(Arc::new(Field::new("item", item, item_is_nullable)))
}

fn item_field(list: DataType) -> Arc<Field> {
    match list {
        DataType::List(field) => field,
        other => Arc::new(Field::new("item", other, true)),
    }
}

/// An empty list means "none", so the column needs no nulls.
impl Cell for Vec<String> {
    const NULLABLE: bool = false;

    fn data_type() -> DataType {
        list_of(DataType::Utf8, false)
    }

    fn array(values: &mut dyn Iterator<Item = &Self>) -> ArrayRef {
        let mut column = ListBuilder::new(StringBuilder::new()).with_field(item_field(Self::data_type()));
        for value in values {
            for text in value {
                column.values().append_value(text);
            }
            column.append(true);
        }
        Arc::new(column.finish())
    }

    fn values(array: &dyn Array) -> Option<Vec<Self>> {
        let lists = array.as_any().downcast_ref::<ListArray>()?;
        let texts = lists.values().as_any().downcast_ref::<StringArray>()?;
        let offsets = lists.value_offsets();
        Some((0..lists.len()).map(|i| index_range(offsets, i).map(|k| texts.value(k).to_owned()).collect()).collect())
    }
}

/// Numbers as lists hold them.
pub trait Real: Copy + Default + 'static {
    /// The Arrow type of one.
    type Arrow: ArrowPrimitiveType<Native = Self>;
    /// What a null reads back as.
    const NAN: Self;
    /// Whether it is neither infinite nor NaN.
    fn is_number(self) -> bool;
}

macro_rules! real {
    ($type:ty, $arrow:ty, $nan:expr, $is_number:expr) => {
        impl Real for $type {
            type Arrow = $arrow;
            const NAN: Self = $nan;

            fn is_number(self) -> bool {
                ($is_number)(self)
            }
        }
    };
}

real!(f64, Float64Type, f64::NAN, f64::is_finite);
real!(f32, Float32Type, f32::NAN, f32::is_finite);
// Steps, of which none is missing: a null, which nobody writes, reads back as one that no curve has.
real!(i32, Int32Type, i32::MIN, |steps| steps != i32::MIN);

fn append_numbers<T: Real>(column: &mut PrimitiveBuilder<T::Arrow>, numbers: &[T]) {
    for number in numbers {
        column.append_option(Some(*number).filter(|x| x.is_number()));
    }
}

fn index_range(offsets: &[i32], row: usize) -> std::ops::Range<usize> {
    // Arrow's offsets are never negative; an empty range is the safe reading of a broken file.
    let bound = |i: usize| offsets.get(i).and_then(|o| usize::try_from(*o).ok()).unwrap_or(0);
    bound(row)..bound(row + 1)
}

fn numbers_in<T: Real>(array: &PrimitiveArray<T::Arrow>, range: std::ops::Range<usize>) -> Vec<T> {
    range.map(|k| if is_filled(array, k) { array.value(k) } else { T::NAN }).collect()
}

/// `None` is null. A NaN inside a list is a null inside the list, and reads back as NaN.
impl<T: Real> Cell for Option<Vec<T>> {
    const NULLABLE: bool = true;

    fn data_type() -> DataType {
        list_of(T::Arrow::DATA_TYPE, true)
    }

    fn array(values: &mut dyn Iterator<Item = &Self>) -> ArrayRef {
        let mut column = ListBuilder::new(PrimitiveBuilder::<T::Arrow>::new());
        for value in values {
            if let Some(numbers) = value {
                append_numbers(column.values(), numbers);
            }
            column.append(value.is_some());
        }
        Arc::new(column.finish())
    }

    fn values(array: &dyn Array) -> Option<Vec<Self>> {
        let lists = array.as_any().downcast_ref::<ListArray>()?;
        let numbers = lists.values().as_any().downcast_ref::<PrimitiveArray<T::Arrow>>()?;
        let offsets = lists.value_offsets();
        Some(
            (0..lists.len())
                .map(|i| is_filled(lists, i).then(|| numbers_in(numbers, index_range(offsets, i))))
                .collect(),
        )
    }
}

/// One list of numbers per name of a neighbouring column.
impl<T: Real> Cell for Vec<Vec<T>> {
    const NULLABLE: bool = false;

    fn data_type() -> DataType {
        list_of(list_of(T::Arrow::DATA_TYPE, true), false)
    }

    fn array(values: &mut dyn Iterator<Item = &Self>) -> ArrayRef {
        let numbers = ListBuilder::new(PrimitiveBuilder::<T::Arrow>::new());
        let mut column = ListBuilder::new(numbers).with_field(item_field(Self::data_type()));
        for value in values {
            for numbers in value {
                append_numbers(column.values().values(), numbers);
                column.values().append(true);
            }
            column.append(true);
        }
        Arc::new(column.finish())
    }

    fn values(array: &dyn Array) -> Option<Vec<Self>> {
        let outer = array.as_any().downcast_ref::<ListArray>()?;
        let inner = outer.values().as_any().downcast_ref::<ListArray>()?;
        let numbers = inner.values().as_any().downcast_ref::<PrimitiveArray<T::Arrow>>()?;
        let (outer_offsets, inner_offsets) = (outer.value_offsets(), inner.value_offsets());
        Some(
            (0..outer.len())
                .map(|i| {
                    index_range(outer_offsets, i).map(|k| numbers_in(numbers, index_range(inner_offsets, k))).collect()
                })
                .collect(),
        )
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn there_and_back<T: Cell + Clone + PartialEq + std::fmt::Debug>(values: Vec<T>) {
        let array = T::array(&mut values.iter());
        assert_eq!(array.data_type(), &T::data_type());
        assert_eq!(T::values(array.as_ref()).unwrap(), values);
    }

    #[test]
    fn every_type_survives() {
        there_and_back(vec!["a".to_owned(), String::new()]);
        there_and_back(vec![Some("a".to_owned()), None]);
        there_and_back(vec![Some(1.5), None, Some(-0.0)]);
        there_and_back(vec![Some(7_u32), None, Some(u32::MAX)]);
        there_and_back(vec![Some(7_u64), None]);
        there_and_back(vec![true, false]);
        there_and_back(vec![Some(true), None]);
        there_and_back(vec![vec!["x".to_owned(), "y".to_owned()], vec![], vec!["z".to_owned()]]);
        there_and_back(vec![Some(vec![1.0_f64, 2.0]), None, Some(vec![]), Some(vec![3.0])]);
        there_and_back(vec![Some(vec![1.0_f32, 2.0]), None, Some(vec![])]);
        there_and_back(vec![Some(vec![1_i32, -2]), None]);
        there_and_back(vec![vec![vec![7_i32], vec![]], vec![]]);
        there_and_back(vec![vec![vec![1.0_f32], vec![]], vec![], vec![vec![2.0, 3.0]]]);
    }

    #[test]
    fn what_is_not_finite_is_null() {
        let values = [Some(f64::NAN), Some(f64::INFINITY), Some(1.0)];
        assert_eq!(Cell::array(&mut values.iter()).null_count(), 2);
        let list = [Some(vec![f64::NAN, 1.0])];
        let array = Cell::array(&mut list.iter());
        let lists = array.as_any().downcast_ref::<ListArray>().unwrap();
        assert_eq!(lists.values().null_count(), 1);
    }

    #[test]
    fn another_type_is_refused() {
        let array = String::array(&mut ["a".to_owned()].iter());
        assert!(<Option<f64> as Cell>::values(array.as_ref()).is_none());
    }
}
