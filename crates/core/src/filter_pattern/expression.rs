//! Conditions joined by `&&`, `||` and parentheses.

use super::PatternError;
use super::scan::Scanner;

/// Maximum nesting of parentheses, since parsing and evaluation are recursive.
const DEEPEST: usize = 64;

#[derive(Clone, Debug)]
pub(super) enum Expression<L> {
    Leaf(L),
    All(Vec<Expression<L>>),
    Any(Vec<Expression<L>>),
}

type ReadLeaf<'f, L> = dyn FnMut(&mut Scanner<'_>) -> Result<L, PatternError> + 'f;

impl<L> Expression<L> {
    /// Reads an expression; `&&` binds tighter than `||`.
    pub(super) fn parse(scanner: &mut Scanner<'_>, leaf: &mut ReadLeaf<'_, L>) -> Result<Self, PatternError> {
        Self::any(scanner, leaf, 0)
    }

    fn any(scanner: &mut Scanner<'_>, leaf: &mut ReadLeaf<'_, L>, depth: usize) -> Result<Self, PatternError> {
        let first = Self::all(scanner, leaf, depth)?;
        let mut parts = vec![first];
        while sign(scanner, '|', "||")? {
            parts.push(Self::all(scanner, leaf, depth)?);
        }
        Ok(Self::joined(parts, Self::Any))
    }

    fn all(scanner: &mut Scanner<'_>, leaf: &mut ReadLeaf<'_, L>, depth: usize) -> Result<Self, PatternError> {
        let first = Self::one(scanner, leaf, depth)?;
        let mut parts = vec![first];
        while sign(scanner, '&', "&&")? {
            parts.push(Self::one(scanner, leaf, depth)?);
        }
        Ok(Self::joined(parts, Self::All))
    }

    fn one(scanner: &mut Scanner<'_>, leaf: &mut ReadLeaf<'_, L>, depth: usize) -> Result<Self, PatternError> {
        scanner.blanks();
        let opened = scanner.place();
        if !scanner.eat("(") {
            return leaf(scanner).map(Self::Leaf);
        }
        if depth == DEEPEST {
            return Err(
                scanner.fail_at(opened, format!("more than {DEEPEST} parentheses in each other; leave some out"))
            );
        }
        let inside = Self::any(scanner, leaf, depth + 1)?;
        scanner.blanks();
        match scanner.eat(")") {
            true => Ok(inside),
            false => Err(scanner.fail(format!("expected && or || or ), found {}", scanner.shown()))),
        }
    }

    fn joined(mut parts: Vec<Self>, join: fn(Vec<Self>) -> Self) -> Self {
        match parts.len() {
            1 => parts.swap_remove(0),
            _ => join(parts),
        }
    }

    /// Evaluates it, given the results of its conditions.
    pub(super) fn holds(&self, leaf: &impl Fn(&L) -> bool) -> bool {
        match self {
            Self::Leaf(condition) => leaf(condition),
            Self::All(parts) => parts.iter().all(|part| part.holds(leaf)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(leaf)),
        }
    }
}

fn sign(scanner: &mut Scanner<'_>, single: char, double: &str) -> Result<bool, PatternError> {
    scanner.blanks();
    if scanner.eat(double) {
        return Ok(true);
    }
    match scanner.peek() {
        Some(c) if c == single => Err(scanner.fail(format!("conditions are joined with {double}"))),
        _ => Ok(false),
    }
}
