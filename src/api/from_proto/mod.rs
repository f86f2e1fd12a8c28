//! From the wire to the model. Parse, don't validate: what comes out of here is sound, and the rooms behind
//! never see a raw string. All violations of a request are gathered, never only the first.
//!
//! A parser that refuses a field still returns some value; it never leaves this room, because
//! [`Fields::finish`] gives values out only where nothing was refused.

pub mod admin;
mod attendance;
pub mod event;
pub mod mask;
pub mod names;
pub mod party;
mod policy;
mod seats;
mod sessions;
pub mod slots;
pub mod text;
pub mod time;

use std::borrow::Cow;
use std::fmt;

/// Where a field stands in its message. Borrowed, so that sound messages pay nothing for it.
#[derive(Clone, Copy)]
pub enum Path<'a> {
    Top(&'a str),
    Field(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
}

impl<'a> Path<'a> {
    pub fn field(&'a self, name: &'a str) -> Path<'a> {
        Path::Field(self, name)
    }
    pub fn item(&'a self, index: usize) -> Path<'a> {
        Path::Item(self, index)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Top(name) => f.write_str(name),
            Path::Field(parent, name) => write!(f, "{parent}.{name}"),
            Path::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// One field that is not as its comment in the proto says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub field: String,
    pub why: Cow<'static, str>,
}

/// Everything that is wrong with a request; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violations {
    pub list: Vec<Violation>,
    /// At least one of them is a personal code.
    pub personal_code: bool,
}

/// Gathers violations while a request is read.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    list: Vec<Violation>,
    personal_code: bool,
}

impl Fields {
    /// Refuses a field.
    pub fn refuse(&mut self, at: Path<'_>, why: impl Into<Cow<'static, str>>) {
        self.list.push(Violation { field: at.to_string(), why: why.into() });
    }

    /// Refuses a field that holds a personal code, without repeating it.
    pub fn refuse_personal_code(&mut self, at: Path<'_>) {
        self.personal_code = true;
        self.refuse(at, "holds a personal code, which this service never takes");
    }

    pub fn is_sound(&self) -> bool {
        self.list.is_empty()
    }

    /// The value, where nothing was refused.
    pub fn finish<T>(self, value: T) -> Result<T, Violations> {
        if self.list.is_empty() {
            return Ok(value);
        }
        Err(Violations { list: self.list, personal_code: self.personal_code })
    }

    /// A message that must be there.
    pub fn message<M: Default>(&mut self, at: Path<'_>, given: Option<M>) -> M {
        if given.is_none() {
            self.refuse(at, "is required");
        }
        given.unwrap_or_default()
    }

    /// A number from `min` to `max`.
    pub fn number(&mut self, at: Path<'_>, given: i32, min: u32, max: u32) -> u32 {
        match u32::try_from(given) {
            Ok(n) if (min..=max).contains(&n) => n,
            _ => {
                self.refuse(at, format!("must be from {min} to {max}"));
                min
            }
        }
    }

    /// A number from `min` to `max`, where 0 stands for `default`.
    pub fn number_or(&mut self, at: Path<'_>, given: i32, default: u32, min: u32, max: u32) -> u32 {
        if given == 0 { default } else { self.number(at, given, min, max) }
    }

    /// A word of an enum. `None` for the zero word; unknown numbers are refused.
    pub fn word<E: TryFrom<i32>>(&mut self, at: Path<'_>, given: i32) -> Option<E> {
        if given == 0 {
            return None;
        }
        let word = E::try_from(given).ok();
        if word.is_none() {
            self.refuse(at, "is not a value of this enum");
        }
        word
    }

    /// The items of a list, at most `max`; more are refused as one violation and not looked at.
    pub fn list<T>(&mut self, at: Path<'_>, mut given: Vec<T>, min: usize, max: usize) -> Vec<T> {
        if given.len() < min {
            self.refuse(at, "is required");
        }
        if given.len() > max {
            self.refuse(at, format!("holds more than {max} items"));
            given.truncate(max);
        }
        given
    }

    /// Refuses each item whose key an earlier one has. `field` names the key in the item; empty: the item is it.
    pub fn unique<'k>(&mut self, at: Path<'_>, field: &str, keys: impl Iterator<Item = &'k str>) {
        let mut seen = std::collections::HashSet::new();
        for (i, key) in keys.enumerate() {
            if key.is_empty() || seen.insert(key) {
                continue;
            }
            let item = at.item(i);
            let at = if field.is_empty() { item } else { item.field(field) };
            self.refuse(at, "stands twice in the list");
        }
    }
}

#[cfg(test)]
mod tests;
