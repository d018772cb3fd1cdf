//! Reads an expression: comparisons, arithmetic, `and`, `or`, `not`, functions and brackets.

use std::str::FromStr;

use super::expression::{Expression, ExpressionError, Function, Node, Operator};

/// Longest expression (characters), and most brackets within one another: nobody writes more, and a file from outside ends
/// nothing.
const MOST_CHARACTERS: usize = 2000;
const MOST_LEVELS: usize = 40;

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(f64),
    Text(String),
    Word(String),
    Sign(&'static str),
}

impl Token {
    fn shown(token: Option<&(usize, Self)>) -> String {
        match token {
            None => "the end".to_owned(),
            Some((_, Self::Number(number))) => format!("`{number}`"),
            Some((_, Self::Text(text))) => format!("the text `{text}`"),
            Some((_, Self::Word(word))) => format!("`{word}`"),
            Some((_, Self::Sign(sign))) => format!("`{sign}`"),
        }
    }
}

/// Signs, the longer ones first.
const SIGNS: [&str; 13] = ["<=", ">=", "==", "!=", "<", ">", "+", "-", "*", "/", "(", ")", ","];

impl FromStr for Expression {
    type Err = ExpressionError;

    fn from_str(text: &str) -> Result<Self, ExpressionError> {
        let tokens = tokens(text)?;
        let mut parser =
            Parser { tokens, next: 0, end: text.chars().count() + 1, level: 0, medians: Vec::new(), in_median: false };
        let node = parser.two_sided(0)?;
        match parser.peek() {
            None => Ok(Self { node, medians: parser.medians }),
            Some(_) => Err(parser.unexpected("an operator or the end")),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, ExpressionError> {
    let characters: Vec<char> = text.chars().collect();
    if characters.len() > MOST_CHARACTERS {
        return Err(large());
    }
    let run = |from: usize, belongs: &dyn Fn(char) -> bool| -> String {
        characters.iter().skip(from).take_while(|c| belongs(**c)).collect()
    };
    let (mut all, mut at) = (Vec::new(), 0);
    while let Some(&c) = characters.get(at) {
        if c.is_whitespace() {
            at += 1;
        } else if c == '"' || c == '\'' {
            let inside = run(at + 1, &|other| other != c);
            let end = at + 1 + inside.chars().count();
            if characters.get(end) != Some(&c) {
                let found = "a text without its second quote".to_owned();
                return Err(ExpressionError::Unexpected { at: at + 1, found, expected: "a quote" });
            }
            all.push((at + 1, Token::Text(inside)));
            at = end + 1;
        } else if c.is_alphabetic() || c == '_' {
            let word = run(at, &|c| c.is_alphanumeric() || c == '_');
            all.push((at + 1, Token::Word(word.clone())));
            at += word.chars().count();
        } else if c.is_ascii_digit() || c == '.' {
            let digits = run(at, &|c| c.is_ascii_alphanumeric() || c == '.');
            let number = digits.parse::<f64>().ok().filter(|number| number.is_finite());
            let Some(number) = number else {
                let found = format!("`{digits}`");
                return Err(ExpressionError::Unexpected { at: at + 1, found, expected: "a number" });
            };
            all.push((at + 1, Token::Number(number)));
            at += digits.chars().count();
        } else {
            let rest: String = characters.iter().skip(at).take(2).collect();
            let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
            let Some(sign) = sign else { return Err(ExpressionError::Character { character: c, at: at + 1 }) };
            all.push((at + 1, Token::Sign(sign)));
            at += sign.len();
        }
    }
    Ok(all)
}

fn large() -> ExpressionError {
    ExpressionError::Large { characters: MOST_CHARACTERS, levels: MOST_LEVELS }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    end: usize,
    level: usize,
    medians: Vec<Node>,
    in_median: bool,
}

/// Two-sided operators from the loosest to the tightest.
fn operator(token: &Token) -> Option<(u8, Operator)> {
    let sign = match token {
        Token::Word(word) | Token::Text(word) if matches!(token, Token::Word(_)) => word.as_str(),
        Token::Sign(sign) => sign,
        _ => return None,
    };
    Some(match sign {
        "or" => (0, Operator::Or),
        "and" => (1, Operator::And),
        "<" => (3, Operator::Less),
        "<=" => (3, Operator::LessOrEqual),
        ">" => (3, Operator::Greater),
        ">=" => (3, Operator::GreaterOrEqual),
        "==" => (3, Operator::Equal),
        "!=" => (3, Operator::NotEqual),
        "+" => (4, Operator::Plus),
        "-" => (4, Operator::Minus),
        "*" => (5, Operator::Times),
        "/" => (5, Operator::Over),
        _ => return None,
    })
}

/// How tightly `not` and the operators of numbers bind.
const NOT: u8 = 2;
const COMPARISON: u8 = 3;
const TIGHTEST: u8 = 6;

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn unexpected(&self, expected: &'static str) -> ExpressionError {
        let token = self.tokens.get(self.next);
        ExpressionError::Unexpected { at: token.map_or(self.end, |(at, _)| *at), found: Token::shown(token), expected }
    }

    fn take(&mut self, sign: &str, expected: &'static str) -> Result<(), ExpressionError> {
        match self.peek() {
            Some(Token::Sign(there)) if *there == sign => {
                self.next += 1;
                Ok(())
            }
            _ => Err(self.unexpected(expected)),
        }
    }

    /// Operands joined by operators that bind at least as tightly as `least`.
    fn two_sided(&mut self, least: u8) -> Result<Node, ExpressionError> {
        self.level += 1;
        if self.level > MOST_LEVELS {
            return Err(large());
        }
        let mut left = self.one_sided()?;
        while let Some((binding, operator)) = self.peek().and_then(operator).filter(|(binding, _)| *binding >= least) {
            self.next += 1;
            let right = self.two_sided(binding + 1)?;
            left = Node::Two(operator, Box::new(left), Box::new(right));
            // `a < b < c` means something else to everybody.
            if binding == COMPARISON && self.peek().and_then(self::operator).is_some_and(|(next, _)| next == COMPARISON)
            {
                return Err(self.unexpected("`and` or `or`"));
            }
        }
        self.level -= 1;
        Ok(left)
    }

    fn one_sided(&mut self) -> Result<Node, ExpressionError> {
        let Some(token) = self.peek().cloned() else { return Err(self.unexpected("a value")) };
        match token {
            Token::Word(word) if word == "not" => {
                self.next += 1;
                Ok(Node::Not(Box::new(self.two_sided(NOT)?)))
            }
            Token::Sign("-") => {
                self.next += 1;
                Ok(Node::Negative(Box::new(self.two_sided(TIGHTEST)?)))
            }
            Token::Sign("(") => {
                self.next += 1;
                let inner = self.two_sided(0)?;
                self.take(")", "`)`")?;
                Ok(inner)
            }
            Token::Number(number) => {
                self.next += 1;
                Ok(Node::Number(number))
            }
            Token::Text(text) => {
                self.next += 1;
                Ok(Node::Text(text))
            }
            Token::Word(word) if ["and", "or"].contains(&word.as_str()) => Err(self.unexpected("a value")),
            Token::Word(word) => {
                self.next += 1;
                match word.as_str() {
                    "true" => Ok(Node::Truth(true)),
                    "false" => Ok(Node::Truth(false)),
                    _ if self.peek() == Some(&Token::Sign("(")) => self.call(&word),
                    _ => Ok(Node::Column(word)),
                }
            }
            Token::Sign(_) => Err(self.unexpected("a value")),
        }
    }

    fn call(&mut self, name: &str) -> Result<Node, ExpressionError> {
        let Some((_, function)) = Function::ALL.into_iter().find(|(known, _)| *known == name) else {
            let known = Function::ALL.map(|(name, _)| name).join(", ");
            return Err(ExpressionError::Function { name: name.to_owned(), known });
        };
        let is_median = function == Function::Median;
        if is_median && self.in_median {
            return Err(ExpressionError::Nested);
        }
        self.in_median |= is_median;
        self.take("(", "`(`")?;
        let mut values = vec![self.two_sided(0)?];
        while self.peek() == Some(&Token::Sign(",")) {
            self.next += 1;
            values.push(self.two_sided(0)?);
        }
        self.take(")", "`,` or `)`")?;
        let takes = function.takes();
        if !takes.contains(&values.len()) {
            let takes =
                if takes.start() == takes.end() { takes.end().to_string() } else { format!("up to {}", takes.end()) };
            return Err(ExpressionError::Arguments { name: name.to_owned(), takes, n: values.len() });
        }
        if is_median {
            self.in_median = false;
            self.medians.append(&mut values);
            return Ok(Node::Median(self.medians.len() - 1));
        }
        Ok(Node::Call(function, values))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Expression, ExpressionError> {
        text.parse()
    }

    #[test]
    fn expressions_name_their_columns() {
        let expression = parsed("100 * sd_noise / median(amplitude) <= 20 and not has(qc_flags, \"low_snr\")").unwrap();
        assert_eq!(expression.columns().into_iter().collect::<Vec<_>>(), ["amplitude", "qc_flags", "sd_noise"]);
        assert_eq!(expression.n_medians(), 1);
        // The tighter operators are inside.
        assert_eq!(parsed("a + b * c <= 1 or d == 2"), parsed("((a + (b * c)) <= 1) or (d == 2)"));
        assert_eq!(parsed("not a == b and c"), parsed("(not (a == b)) and c"));
        assert_eq!(parsed("a - b - c"), parsed("(a - b) - c"));
        assert_eq!(parsed("-a * b"), parsed("(-a) * b"));
    }

    #[test]
    fn faults_say_where_and_what() {
        for (text, words) in [
            ("", "where a value was to come"),
            ("snr >=", "the end"),
            ("snr > = 3", "character 7"),
            ("snr >= 3 snr", "operator or the end"),
            ("snr & 3", "`&` at character 5"),
            ("snr >= 3,5", "`,`"),
            ("(snr >= 3", "`)`"),
            ("1 < snr < 3", "`and` or `or`"),
            ("method == 'map", "second quote"),
            ("snr >= 3x", "a number"),
            ("snr >= 1e999", "a number"),
            ("average(snr)", "no function `average`; there are abs, is_null"),
            ("has(qc_flags)", "takes 2 values, not 1"),
            ("median(median(snr))", "within a median"),
            ("and", "a value"),
        ] {
            let message = parsed(text).unwrap_err().to_string();
            assert!(message.contains(words), "{text}: {message}");
        }
        for text in ["(".repeat(100_000), "not ".repeat(400), "-".repeat(1000), "a".repeat(3000)] {
            assert_eq!(parsed(&text), Err(large()));
        }
    }
}
