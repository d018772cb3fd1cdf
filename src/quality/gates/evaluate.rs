//! What an expression comes to for a row: what is null stays unknown.

use super::expression::{Expression, Function, Node, Operator};

/// A cell, or what an expression comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Not known.
    Null,
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// Yes or no.
    Truth(bool),
    /// A list of texts.
    Texts(Vec<String>),
}

impl Value {
    fn number(&self) -> Option<f64> {
        if let Self::Number(number) = self { Some(*number).filter(|n| n.is_finite()) } else { None }
    }

    fn truth(&self) -> Option<bool> {
        if let Self::Truth(truth) = self { Some(*truth) } else { None }
    }

    fn of_number(number: Option<f64>) -> Self {
        number.filter(|n| n.is_finite()).map_or(Self::Null, Self::Number)
    }

    fn of_truth(truth: Option<bool>) -> Self {
        truth.map_or(Self::Null, Self::Truth)
    }
}

/// A row whose cells are asked for by column.
pub trait Row {
    /// The cell; null where the column is not there.
    fn cell(&self, column: &str) -> Value;
}

impl Expression {
    /// Whether it holds for `row`; `None` where that hangs on what is null. `medians` are those of the row's group.
    pub fn holds(&self, row: &dyn Row, medians: &[Option<f64>]) -> Option<bool> {
        value(&self.node, row, medians).truth()
    }

    /// What its median number `index` is taken of, for `row`.
    pub fn under_median(&self, index: usize, row: &dyn Row) -> Option<f64> {
        value(self.medians.get(index)?, row, &[]).number()
    }
}

fn value(node: &Node, row: &dyn Row, medians: &[Option<f64>]) -> Value {
    let of = |node: &Node| value(node, row, medians);
    match node {
        Node::Number(number) => Value::Number(*number),
        Node::Text(text) => Value::Text(text.clone()),
        Node::Truth(truth) => Value::Truth(*truth),
        Node::Column(name) => row.cell(name),
        Node::Not(inner) => Value::of_truth(of(inner).truth().map(|truth| !truth)),
        Node::Negative(inner) => Value::of_number(of(inner).number().map(|number| -number)),
        Node::Median(index) => Value::of_number(medians.get(*index).copied().flatten()),
        Node::Two(operator, left, right) => two(*operator, &of(left), &of(right)),
        Node::Call(function, values) => call(*function, values.iter().map(of).collect()),
    }
}

fn two(operator: Operator, left: &Value, right: &Value) -> Value {
    let numbers = left.number().zip(right.number());
    let compared = |holds: fn(f64, f64) -> bool| Value::of_truth(numbers.map(|(a, b)| holds(a, b)));
    let made = |make: fn(f64, f64) -> f64| Value::of_number(numbers.map(|(a, b)| make(a, b)));
    let equal = || match (left, right) {
        (Value::Null, _) | (_, Value::Null) => None,
        (left, right) => Some(left == right),
    };
    match operator {
        // What one side decides does not hang on the other.
        Operator::Or => Value::of_truth(match (left.truth(), right.truth()) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        }),
        Operator::And => Value::of_truth(match (left.truth(), right.truth()) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        }),
        Operator::Less => compared(|a, b| a < b),
        Operator::LessOrEqual => compared(|a, b| a <= b),
        Operator::Greater => compared(|a, b| a > b),
        Operator::GreaterOrEqual => compared(|a, b| a >= b),
        Operator::Equal => Value::of_truth(equal()),
        Operator::NotEqual => Value::of_truth(equal().map(|equal| !equal)),
        Operator::Plus => made(|a, b| a + b),
        Operator::Minus => made(|a, b| a - b),
        Operator::Times => made(|a, b| a * b),
        Operator::Over => made(|a, b| a / b),
    }
}

fn call(function: Function, values: Vec<Value>) -> Value {
    let first = values.first().unwrap_or(&Value::Null);
    match function {
        Function::Abs => Value::of_number(first.number().map(f64::abs)),
        Function::IsNull => Value::Truth(*first == Value::Null),
        Function::Coalesce => values.into_iter().find(|value| *value != Value::Null).unwrap_or(Value::Null),
        Function::Number => match first {
            Value::Text(text) => Value::of_number(text.trim().parse().ok()),
            other => Value::of_number(other.number()),
        },
        Function::Has => match (first, values.get(1)) {
            (Value::Texts(list), Some(Value::Text(text))) => Value::Truth(list.contains(text)),
            _ => Value::Null,
        },
        // Taken out when the expression was read.
        Function::Median => Value::Null,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    struct Cells;

    impl Row for Cells {
        fn cell(&self, column: &str) -> Value {
            match column {
                "snr" => Value::Number(12.0),
                "method" => Value::Text("map".into()),
                "x_age" => Value::Text(" 41 ".into()),
                "is_sum" => Value::Truth(true),
                "qc_flags" => Value::Texts(vec!["low_snr".into()]),
                _ => Value::Null,
            }
        }
    }

    #[test]
    fn what_is_null_stays_unknown_unless_it_does_not_matter() {
        let holds = |text: &str| text.parse::<Expression>().unwrap().holds(&Cells, &[Some(4.0)]);
        for (text, expected) in [
            ("snr >= 12 and method == 'map'", Some(true)),
            ("snr / 2 + 1 < 7", Some(false)),
            ("-snr < -11", Some(true)),
            ("abs(snr - 20) == 8", Some(true)),
            ("not is_sum", Some(false)),
            ("has(qc_flags, 'low_snr')", Some(true)),
            ("not has(qc_flags, \"misfit\")", Some(true)),
            ("number(x_age) > 40", Some(true)),
            ("fwhm_hz <= 12", None),
            ("fwhm_hz <= 12 and snr > 20", Some(false)),
            ("fwhm_hz <= 12 or snr > 2", Some(true)),
            ("not (fwhm_hz <= 12)", None),
            ("is_null(fwhm_hz) or fwhm_hz <= 12", Some(true)),
            ("coalesce(fwhm_hz, snr) == 12", Some(true)),
            ("fwhm_hz == fwhm_hz", None),
            ("snr / 0 > 1", None),
            ("snr < 4 * median(snr)", Some(true)),
            ("number(method) > 1", None),
        ] {
            assert_eq!(holds(text), expected, "{text}");
        }
        assert_eq!("snr < median(2 * snr)".parse::<Expression>().unwrap().under_median(0, &Cells), Some(24.0));
    }
}
