//! Expressions over columns, and what can be wrong with them.

use std::collections::BTreeSet;

/// Two-sided operators, by how tightly they bind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    Plus,
    Minus,
    Times,
    Over,
}

/// Functions by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// Magnitude of a number.
    Abs,
    /// Whether a value is null.
    IsNull,
    /// Whether a list holds a text.
    Has,
    /// The first of its values that is not null.
    Coalesce,
    /// A text as a number.
    Number,
    /// Median of a number over the spectra of the same site, region, sub-spectrum, method and metabolite.
    Median,
}

impl Function {
    pub(super) const ALL: [(&'static str, Self); 6] = [
        ("abs", Self::Abs),
        ("is_null", Self::IsNull),
        ("has", Self::Has),
        ("coalesce", Self::Coalesce),
        ("number", Self::Number),
        ("median", Self::Median),
    ];

    /// How many values it takes.
    pub(super) fn takes(self) -> std::ops::RangeInclusive<usize> {
        match self {
            Self::Abs | Self::IsNull | Self::Number | Self::Median => 1..=1,
            Self::Has => 2..=2,
            Self::Coalesce => 1..=8,
        }
    }
}

/// A tree of operations.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Number(f64),
    Text(String),
    Truth(bool),
    Column(String),
    Not(Box<Node>),
    Negative(Box<Node>),
    Two(Operator, Box<Node>, Box<Node>),
    /// With the number of the median, where it is one.
    Call(Function, Vec<Node>),
    /// Median number n of the expression.
    Median(usize),
}

/// Why an expression cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// A character that belongs to nothing.
    #[error("`{character}` at character {at} belongs to nothing; texts stand in quotes, numbers have a point")]
    Character {
        /// Which.
        character: char,
        /// Counted from 1.
        at: usize,
    },
    /// Something else was to come.
    #[error("at character {at}: {found}, where {expected} was to come")]
    Unexpected {
        /// Counted from 1.
        at: usize,
        /// What is there.
        found: String,
        /// What should be.
        expected: &'static str,
    },
    /// No function of that name.
    #[error("no function `{name}`; there are {known}")]
    Function {
        /// Its name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// A function takes another number of values.
    #[error("`{name}` takes {takes} values, not {n}")]
    Arguments {
        /// The function.
        name: String,
        /// How many it takes.
        takes: String,
        /// How many it was given.
        n: usize,
    },
    /// Median of a median.
    #[error("a median within a median")]
    Nested,
    /// Too long, or too many brackets within one another.
    #[error("longer than {characters} characters, or more than {levels} levels of brackets")]
    Large {
        /// Most characters.
        characters: usize,
        /// Most levels.
        levels: usize,
    },
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    pub(super) node: Node,
    /// What medians are taken of, by their number.
    pub(super) medians: Vec<Node>,
}

impl Expression {
    /// The columns that it names.
    pub fn columns(&self) -> BTreeSet<String> {
        let mut columns = BTreeSet::new();
        collect(&self.node, &mut columns);
        self.medians.iter().for_each(|node| collect(node, &mut columns));
        columns
    }

    /// How many medians it takes.
    pub fn n_medians(&self) -> usize {
        self.medians.len()
    }
}

fn collect(node: &Node, columns: &mut BTreeSet<String>) {
    match node {
        Node::Column(name) => drop(columns.insert(name.clone())),
        Node::Not(inner) | Node::Negative(inner) => collect(inner, columns),
        Node::Two(_, left, right) => {
            collect(left, columns);
            collect(right, columns);
        }
        Node::Call(_, values) => values.iter().for_each(|value| collect(value, columns)),
        Node::Number(_) | Node::Text(_) | Node::Truth(_) | Node::Median(_) => {}
    }
}
