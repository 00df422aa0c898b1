//! How a card is drawn: how much of it, and for which width.

use tracebook_core::ids::Id;

/// The size of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Size {
    /// The full card.
    Full,
    /// The compact card: title, facts and a small picture.
    Compact,
    /// One line of text: status, title and facts.
    Line,
}

impl Size {
    /// All sizes.
    pub const ALL: [Self; 3] = [Self::Full, Self::Compact, Self::Line];

    /// The name in references and in a card's metadata.
    pub fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Compact => "compact",
            Self::Line => "line",
        }
    }

    /// From a reference's `size`: `compact` or `line`, else the full card.
    pub fn of(word: &str) -> Self {
        Self::ALL.into_iter().find(|size| size.word() == word).unwrap_or(Self::Full)
    }
}

/// The width that a card is laid out for, in CSS pixels: at that width its smallest type is 12 pixels high.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Width(u16);

impl Width {
    /// The least and the most width.
    pub const LEAST: Self = Self(320);
    pub const MOST: Self = Self(1200);
    /// That of exported cards.
    pub const WIDE: Self = Self(880);
    /// That of the second drawing in exports, for phones.
    pub const NARROW: Self = Self(360);
    /// Cards below this width stack what wider ones show side by side.
    const STACKED: u16 = 600;

    /// The nearest width that cards are laid out for.
    pub fn of(pixels: u32) -> Self {
        let clamped = pixels.clamp(Self::LEAST.0.into(), Self::MOST.0.into());
        Self(u16::try_from(clamped).unwrap_or(Self::WIDE.0))
    }

    /// In CSS pixels.
    pub fn pixels(self) -> u16 {
        self.0
    }

    pub(super) fn units(self) -> f64 {
        f64::from(self.0)
    }

    pub(super) fn is_narrow(self) -> bool {
        self.0 < Self::STACKED
    }
}

/// The size of a card, and the width that it is laid out for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Form {
    pub size: Size,
    pub width: Width,
}

impl Form {
    /// A card of this size for this width.
    pub fn new(size: Size, width: Width) -> Self {
        Self { size, width }
    }

    /// The part of an exported file's name between the evidence id and `.svg`.
    fn suffix(self) -> String {
        let size = match self.size {
            Size::Full => String::new(),
            size @ (Size::Compact | Size::Line) => format!(".{}", size.word()),
        };
        format!("{size}{}", if self.width == Width::NARROW { ".narrow" } else { "" })
    }

    /// Every form that an export writes.
    pub(crate) fn exported() -> impl Iterator<Item = Self> {
        Size::ALL.into_iter().flat_map(|size| [Width::WIDE, Width::NARROW].map(|width| Self { size, width }))
    }
}

/// The name of an exported picture: `01J….svg`, `01J….compact.svg`, `01J….narrow.svg`.
pub(crate) fn file_name(id: Id, form: impl Into<Form>) -> String {
    format!("{id}{}.svg", form.into().suffix())
}

impl From<Size> for Form {
    /// A card as exports show it on wide screens.
    fn from(size: Size) -> Self {
        Self { size, width: Width::WIDE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_back() {
        for size in Size::ALL {
            assert_eq!(Size::of(size.word()), size);
        }
        assert_eq!((Size::of(""), Size::of("LINE")), (Size::Full, Size::Full));
    }

    #[test]
    fn widths_are_bounded() {
        let of = |pixels| Width::of(pixels).pixels();
        assert_eq!([of(0), of(359), of(880), of(100_000)], [320, 359, 880, 1200]);
    }

    #[test]
    fn exported_names_differ() {
        let mut names: Vec<String> = Form::exported().map(Form::suffix).collect();
        names.sort_unstable();
        assert_eq!(names, ["", ".compact", ".compact.narrow", ".line", ".line.narrow", ".narrow"]);
    }
}
