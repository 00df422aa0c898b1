//! Rules: the built-in ones from `rules.toml`, and the user's own.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};
use serde::Deserialize;

use super::checks::Check;

const BUILT_IN: &str = include_str!("rules.toml");
/// The name of the rule for texts that look like one of this journal's placeholders.
pub(super) const LITERAL_RULE: &str = "placeholder";
/// The memory that the patterns of one set may take.
const MOST_BYTES: usize = 64 << 20;

/// A rule of the user's, in `[[masking.rules]]` of `tracebook.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomRule {
    pub name: String,
    /// `ACCOUNT_ID`: capital letters, digits and underscores.
    pub placeholder: String,
    #[serde(default)]
    pub pattern: Option<String>,
    /// Attributes whose whole value is replaced.
    #[serde(default)]
    pub names: Vec<String>,
    /// Where the form is documented, or why it is masked.
    #[serde(default)]
    pub from: String,
    /// Values that stay.
    #[serde(default)]
    pub keep: Vec<String>,
    #[serde(default)]
    pub spread: bool,
}

/// Why a rule cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    #[error("the rule {0:?} has a placeholder that is not of capital letters, digits and underscores: {1:?}")]
    Placeholder(String, String),
    #[error("the rule {0:?} has neither a pattern nor names")]
    Empty(String),
    #[error("there are two rules named {0:?}")]
    Twice(String),
    #[error("the pattern of the rule {0:?} is not valid: {1}")]
    Pattern(String, String),
    #[error("the pattern of the rule {0:?} matches the empty text")]
    MatchesNothing(String),
    #[error("the built-in rules cannot be read: {0}")]
    BuiltIn(String),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRule {
    name: String,
    #[serde(default)]
    placeholder: Option<String>,
    #[serde(default)]
    pattern: Option<String>,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    check: Option<Check>,
    #[serde(default)]
    keep: Vec<String>,
    #[serde(default)]
    spread: bool,
    from: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rule: Vec<FileRule>,
    keep: HashMap<Check, Vec<String>>,
}

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    pub name: String,
    /// Where its form is documented.
    pub from: String,
    /// Whether it is the user's own.
    pub own: bool,
    /// The kinds of its placeholders.
    pub kinds: Vec<String>,
    pub(super) check: Option<Check>,
    pub(super) keep: Keep,
    pub(super) spread: bool,
    /// Its pattern, and the kind of each group that is replaced, by the group's number.
    pub(super) pattern: Option<(Regex, Vec<(usize, usize)>)>,
    /// The group whose text is compared with what stays, if not the value.
    pub(super) name_group: Option<usize>,
}

/// Values that stay.
#[derive(Clone, Debug, Default)]
pub(super) struct Keep {
    whole: HashSet<String>,
    ends: Vec<String>,
    begins: Vec<String>,
}

impl Keep {
    fn add<'a>(&mut self, values: impl IntoIterator<Item = &'a String>) {
        for value in values {
            let value = value.to_lowercase();
            if let Some(end) = value.strip_prefix('*') {
                self.ends.push(end.to_owned());
            } else if let Some(start) = value.strip_suffix('*') {
                self.begins.push(start.to_owned());
            } else {
                self.whole.insert(value);
            }
        }
    }

    pub(super) fn has(&self, value: &str) -> bool {
        let lower = value.to_lowercase();
        self.whole.contains(&lower)
            || self.ends.iter().any(|end| lower.ends_with(end.as_str()))
            || self.begins.iter().any(|start| lower.starts_with(start.as_str()))
    }
}

/// All rules of one export. Cheap to clone: clones share their patterns, and the automatons that were built for these.
#[derive(Clone, Debug)]
pub struct Rules {
    pub(super) compiled: Arc<Compiled>,
    /// Values that the user allowed.
    pub(super) allowed: HashSet<String>,
}

/// What stays the same whatever is allowed.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) rules: Vec<Rule>,
    /// The patterns of all rules that have one, and the rule of each.
    pub(super) set: RegexSet,
    pub(super) of_pattern: Vec<usize>,
    /// The rules of attributes, by name in lower case.
    pub(super) of_name: HashMap<String, usize>,
    /// What stays by the kind of check.
    pub(super) kept: HashMap<Check, Keep>,
}

static FILE: LazyLock<Result<File, String>> =
    LazyLock::new(|| toml::from_str::<File>(BUILT_IN).map_err(|e| e.to_string()));
static PLAIN: LazyLock<Result<Arc<Compiled>, String>> =
    LazyLock::new(|| Compiled::new(&[]).map(Arc::new).map_err(|e| e.to_string()));

impl Rules {
    /// The built-in rules and the user's own, without the values that are allowed.
    ///
    /// # Errors
    /// [`RuleError`] if a rule of the user's is not valid.
    pub fn new(own: &[CustomRule], allowed: HashSet<String>) -> Result<Self, RuleError> {
        let compiled = match own.is_empty() {
            true => Arc::clone(PLAIN.as_ref().map_err(|e| RuleError::BuiltIn(e.clone()))?),
            false => Arc::new(Compiled::new(own)?),
        };
        Ok(Self { compiled, allowed })
    }

    /// The same rules, which leave further values as they are.
    #[must_use]
    pub fn allowing(&self, values: impl IntoIterator<Item = String>) -> Self {
        let mut rules = self.clone();
        rules.allowed.extend(values);
        rules
    }

    /// All rules, the user's own first.
    pub fn all(&self) -> &[Rule] {
        &self.compiled.rules
    }

    pub(super) fn spreads(&self, name: &str) -> bool {
        self.compiled.rules.iter().any(|rule| rule.name == name && rule.spread)
    }
}

impl Compiled {
    fn new(own: &[CustomRule]) -> Result<Self, RuleError> {
        let file = FILE.as_ref().map_err(|e| RuleError::BuiltIn(e.clone()))?;
        // The user's own come first, so that they decide where several find something.
        let custom = own.iter().map(|rule| {
            let rule = rule.clone();
            let file = FileRule {
                name: rule.name,
                placeholder: Some(rule.placeholder),
                pattern: rule.pattern,
                names: rule.names,
                check: None,
                keep: rule.keep,
                spread: rule.spread,
                from: rule.from,
            };
            (file, true)
        });
        let built_in = file.rule.iter().map(|rule| (rule.clone(), false));
        let mut rules: Vec<Rule> = Vec::new();
        let (mut patterns, mut of_pattern, mut of_name) = (Vec::new(), Vec::new(), HashMap::new());
        for (rule, own) in custom.chain(built_in) {
            if rules.iter().any(|known| known.name == rule.name) || rule.name == LITERAL_RULE {
                return Err(RuleError::Twice(rule.name));
            }
            if rule.pattern.is_none() && rule.names.is_empty() {
                return Err(RuleError::Empty(rule.name));
            }
            let n = rules.len();
            if let Some(pattern) = &rule.pattern {
                of_pattern.push(n);
                patterns.push(pattern.clone());
            }
            for name in &rule.names {
                of_name.entry(name.to_lowercase()).or_insert(n);
            }
            rules.push(one(rule, own)?);
        }
        let set = RegexSetBuilder::new(&patterns).size_limit(MOST_BYTES).dfa_size_limit(MOST_BYTES).build();
        let set = set.map_err(|e| RuleError::Pattern("all".to_owned(), e.to_string()))?;
        let mut kept: HashMap<Check, Keep> = HashMap::new();
        for (check, values) in &file.keep {
            kept.entry(*check).or_default().add(values);
        }
        // A home is named after its user.
        let users = kept.get(&Check::User).cloned().unwrap_or_default();
        kept.insert(Check::Home, users);
        Ok(Self { rules, set, of_pattern, of_name, kept })
    }
}

fn one(file: FileRule, own: bool) -> Result<Rule, RuleError> {
    let mut kinds: Vec<String> = Vec::new();
    let mut kind = |name: &str| -> Result<usize, RuleError> {
        let first = name.starts_with(|c: char| c.is_ascii_uppercase());
        let plain = name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        if !first || !plain || name.len() > 40 || name == super::LITERAL {
            return Err(RuleError::Placeholder(file.name.clone(), name.to_owned()));
        }
        Ok(kinds.iter().position(|known| known == name).unwrap_or_else(|| {
            kinds.push(name.to_owned());
            kinds.len() - 1
        }))
    };
    if let Some(name) = &file.placeholder {
        kind(name)?;
    }
    let mut name_group = None;
    let pattern = match &file.pattern {
        None => None,
        Some(pattern) => {
            let regex = RegexBuilder::new(pattern).size_limit(MOST_BYTES).build();
            let regex = regex.map_err(|e| RuleError::Pattern(file.name.clone(), e.to_string()))?;
            if regex.is_match("") {
                return Err(RuleError::MatchesNothing(file.name.clone()));
            }
            let mut groups = Vec::new();
            for (n, group) in regex.capture_names().enumerate().filter_map(|(n, name)| Some((n, name?))) {
                match group {
                    "name" => name_group = Some(n),
                    // A pattern cannot have two groups of one name, so further ones end with a digit.
                    _ => groups.push((n, kind(group.trim_end_matches(|c: char| c.is_ascii_digit()))?)),
                }
            }
            if groups.is_empty() {
                let name = file.placeholder.as_deref().ok_or_else(|| RuleError::Empty(file.name.clone()))?;
                groups.push((0, kind(name)?));
            }
            Some((regex, groups))
        }
    };
    if pattern.is_none() && file.placeholder.is_none() {
        return Err(RuleError::Empty(file.name));
    }
    let mut keep = Keep::default();
    keep.add(&file.keep);
    Ok(Rule {
        name: file.name,
        from: file.from,
        own,
        kinds,
        check: file.check,
        keep,
        spread: file.spread,
        pattern,
        name_group,
    })
}
