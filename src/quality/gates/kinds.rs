//! What kind of value an expression comes to, told before any row is seen.

use super::expression::{Expression, Function, Node, Operator};

/// Kinds of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// A number.
    Number,
    /// A text.
    Text,
    /// Yes or no.
    Truth,
    /// A list of texts.
    Texts,
}

impl ValueKind {
    fn name(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Truth => "true or false",
            Self::Texts => "a list of texts",
        }
    }
}

/// Why an expression does not fit its columns.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KindError {
    /// No such column.
    #[error("no column `{column}` in `spectra` or `metabolites`{near}")]
    Column {
        /// Its name.
        column: String,
        /// Those with like names, in words; empty where there are none.
        near: String,
    },
    /// A value of another kind was to come.
    #[error("{found} where {expected} was to come, in `{place}`")]
    Kind {
        /// What is there.
        found: &'static str,
        /// What should be.
        expected: &'static str,
        /// Operator or function.
        place: &'static str,
    },
}

impl Expression {
    /// Holds the expression to the kinds of its columns: it must come to true or false.
    ///
    /// # Errors
    /// [`KindError`]: a column that there is not, or kinds that do not go together.
    pub fn check(&self, columns: &dyn Fn(&str) -> Option<ValueKind>) -> Result<(), KindError> {
        self.medians.iter().try_for_each(|node| expect(kind(node, columns)?, ValueKind::Number, "median"))?;
        expect(kind(&self.node, columns)?, ValueKind::Truth, "keep")
    }
}

fn expect(found: ValueKind, expected: ValueKind, place: &'static str) -> Result<(), KindError> {
    if found == expected {
        return Ok(());
    }
    Err(KindError::Kind { found: found.name(), expected: expected.name(), place })
}

fn kind(node: &Node, columns: &dyn Fn(&str) -> Option<ValueKind>) -> Result<ValueKind, KindError> {
    let of = |node: &Node| kind(node, columns);
    Ok(match node {
        Node::Number(_) | Node::Median(_) => ValueKind::Number,
        Node::Text(_) => ValueKind::Text,
        Node::Truth(_) => ValueKind::Truth,
        Node::Column(name) => {
            columns(name).ok_or_else(|| KindError::Column { column: name.clone(), near: String::new() })?
        }
        Node::Not(inner) => {
            expect(of(inner)?, ValueKind::Truth, "not")?;
            ValueKind::Truth
        }
        Node::Negative(inner) => {
            expect(of(inner)?, ValueKind::Number, "-")?;
            ValueKind::Number
        }
        Node::Two(operator, left, right) => two(*operator, of(left)?, of(right)?)?,
        Node::Call(function, values) => {
            let kinds = values.iter().map(of).collect::<Result<Vec<_>, _>>()?;
            call(*function, &kinds)?
        }
    })
}

fn two(operator: Operator, left: ValueKind, right: ValueKind) -> Result<ValueKind, KindError> {
    let (needs, gives, place) = match operator {
        Operator::Or => (Some(ValueKind::Truth), ValueKind::Truth, "or"),
        Operator::And => (Some(ValueKind::Truth), ValueKind::Truth, "and"),
        Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
            (Some(ValueKind::Number), ValueKind::Truth, "<, <=, >, >=")
        }
        Operator::Equal | Operator::NotEqual => (None, ValueKind::Truth, "==, !="),
        Operator::Plus | Operator::Minus | Operator::Times | Operator::Over => {
            (Some(ValueKind::Number), ValueKind::Number, "+, -, *, /")
        }
    };
    let needs = needs.unwrap_or(left);
    expect(left, needs, place)?;
    expect(right, needs, place)?;
    Ok(gives)
}

fn call(function: Function, kinds: &[ValueKind]) -> Result<ValueKind, KindError> {
    let first = kinds.first().copied().unwrap_or(ValueKind::Number);
    match function {
        Function::Abs | Function::Median => expect(first, ValueKind::Number, "abs").map(|()| ValueKind::Number),
        Function::IsNull => Ok(ValueKind::Truth),
        Function::Number => match first {
            ValueKind::Number | ValueKind::Text => Ok(ValueKind::Number),
            other => expect(other, ValueKind::Text, "number").map(|()| ValueKind::Number),
        },
        Function::Has => {
            expect(first, ValueKind::Texts, "has")?;
            expect(kinds.get(1).copied().unwrap_or(first), ValueKind::Text, "has").map(|()| ValueKind::Truth)
        }
        Function::Coalesce => kinds.iter().try_for_each(|kind| expect(*kind, first, "coalesce")).map(|()| first),
    }
}
