//! Values as people write them: durations, ratios, identifiers, moments.
//!
//! A reader takes a TOML value and gives what it means or the rule that it breaks. Nothing passes through a float.

use crate::model::units::{Fraction, HOUR, MINUTE, SECOND};
use std::ops::{Range, RangeInclusive};
use toml::Spanned;
use toml::de::DeValue;

const DAY: i64 = 24 * HOUR;

/// The rule that a value breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// What the value must be.
    pub rule: String,
    /// What to write instead.
    pub hint: Option<String>,
    /// Where, if not the whole value.
    pub span: Option<Range<usize>>,
}

impl Wrong {
    /// Only the rule.
    pub fn rule(rule: impl Into<String>) -> Wrong {
        Wrong { rule: rule.into(), hint: None, span: None }
    }

    /// With a hint.
    pub fn hint(self, hint: impl Into<String>) -> Wrong {
        Wrong { hint: Some(hint.into()), ..self }
    }
}

/// What a reader gives.
pub type Read<T> = Result<T, Wrong>;

/// Text of any content, the empty one included.
pub fn text(value: &DeValue) -> Read<String> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        other => Err(Wrong::rule(format!("must be text in quotes, not {}", article(other)))),
    }
}

/// Text that is not empty.
pub fn filled(value: &DeValue) -> Read<String> {
    let text = text(value)?;
    if text.trim().is_empty() { Err(Wrong::rule("must not be empty")) } else { Ok(text) }
}

/// An identifier: 1 to 200 bytes, compared byte for byte, so no blanks around it and no control characters.
pub fn identifier(value: &DeValue) -> Read<String> {
    let text =
        text(value).map_err(|wrong| wrong.hint("identifiers are compared byte for byte: 0042 is not 42"))?;
    match text.as_str() {
        "" => Err(Wrong::rule("must not be empty")),
        t if t.len() > 200 => Err(Wrong::rule(format!("must have at most 200 bytes, not {}", t.len()))),
        t if t.trim() != t => Err(Wrong::rule("must not begin or end with a blank")),
        t if t.chars().any(char::is_control) => Err(Wrong::rule("must not contain control characters")),
        _ => Ok(text),
    }
}

/// `true` or `false`.
pub fn boolean(value: &DeValue) -> Read<bool> {
    value.as_bool().ok_or_else(|| Wrong::rule(format!("must be true or false, not {}", article(value))))
}

/// A whole number in a range.
pub fn integer(range: RangeInclusive<i64>) -> impl Fn(&DeValue) -> Read<i64> {
    move |value| {
        let wrong =
            || Wrong::rule(format!("must be a whole number from {} to {}", range.start(), range.end()));
        let number = value.as_integer().ok_or_else(wrong)?;
        let number = i64::from_str_radix(number.as_str(), number.radix()).map_err(|_| wrong())?;
        if range.contains(&number) { Ok(number) } else { Err(wrong()) }
    }
}

/// One of a closed list of words.
pub fn one_of<T: Copy>(words: &[(&'static str, T)]) -> impl Fn(&DeValue) -> Read<T> {
    move |value| {
        let found = value.as_str().and_then(|text| words.iter().find(|(word, _)| *word == text));
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let all: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            let near = value.as_str().and_then(|text| nearest(text, &all));
            Wrong {
                rule: format!("must be {}", listed(&all)),
                hint: near.map(|word| format!("did you mean \"{word}\"?")),
                span: None,
            }
        })
    }
}

/// A duration in ms: a whole number with `ms`, `s`, `min`, `h` or `d`, such as `"20 s"`.
pub fn span(range: RangeInclusive<i64>) -> impl Fn(&DeValue) -> Read<i64> {
    move |value| {
        let wrong =
            || Wrong::rule("must be a duration such as \"250 ms\", \"20 s\", \"5 min\", \"72 h\" or \"3 d\"");
        let text = value
            .as_str()
            .ok_or_else(|| wrong().hint("a number alone has no unit: write \"20 s\", with quotes"))?;
        let ms = span_ms(text).ok_or_else(wrong)?;
        if range.contains(&ms) {
            return Ok(ms);
        }
        Err(Wrong::rule(format!("must be from {} to {}", shown(*range.start()), shown(*range.end()))))
    }
}

fn span_ms(text: &str) -> Option<i64> {
    let text = text.trim();
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let number: i64 = text[..unit].parse().ok()?;
    let unit = match text[unit..].trim_start() {
        "ms" => 1,
        "s" => SECOND,
        "min" | "m" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        _ => return None,
    };
    number.checked_mul(unit)
}

/// A duration in the largest unit that it is a whole number of.
pub fn shown(ms: i64) -> String {
    let units = [(DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s")];
    let fits = units.iter().find(|(unit, _)| ms != 0 && ms % unit == 0);
    let (unit, name) = fits.copied().unwrap_or(if ms == 0 { (SECOND, "s") } else { (1, "ms") });
    format!("{} {name}", ms / unit)
}

/// A ratio from 0 to 1 as percent, such as `"80%"` or `"99.5 %"`; exact, in per mille.
pub fn per_mille(value: &DeValue) -> Read<u32> {
    let wrong = || {
        Wrong::rule("must be percent from 0% to 100% with at most one decimal, such as \"80%\" or \"99.5%\"")
    };
    let text = value.as_str().ok_or_else(|| wrong().hint("write it in quotes, with %"))?;
    let number = text.trim().strip_suffix('%').ok_or_else(wrong)?.trim_end();
    let (whole, tenth) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(tenth) || tenth.len() != 1 {
        return Err(wrong());
    }
    let of_ten: u32 = format!("{whole}{tenth}").parse().map_err(|_| wrong())?;
    if of_ten <= 1000 { Ok(of_ten) } else { Err(wrong()) }
}

/// As [`per_mille`], as a fraction of 1000.
pub fn ratio(value: &DeValue) -> Read<Fraction> {
    per_mille(value).map(|n| Fraction::new(n.into(), 1000))
}

/// A list whose members are read by `read`. A single value is not a list of one.
pub fn list<T>(read: impl Fn(&DeValue) -> Read<T>) -> impl Fn(&DeValue) -> Read<Vec<T>> {
    move |value| {
        let members = value.as_array().ok_or_else(|| {
            Wrong::rule(format!("must be a list, not {}", article(value))).hint("write [ ... ]")
        })?;
        let one = |member: &Spanned<DeValue>| {
            read(member.get_ref())
                .map_err(|wrong| Wrong { span: wrong.span.or(Some(member.span())), ..wrong })
        };
        members.iter().map(one).collect()
    }
}

/// The word of `words` that was probably meant by `text`.
pub fn nearest<'w>(text: &str, words: &[&'w str]) -> Option<&'w str> {
    let near =
        |word: &&'w str| strsim::normalized_damerau_levenshtein(&text.to_lowercase(), &word.to_lowercase());
    let best = words.iter().max_by(|a, b| near(a).total_cmp(&near(b)))?;
    (near(best) >= 0.55).then_some(*best)
}

/// `"a", "b" or "c"`.
pub fn listed(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match quoted.as_slice() {
        [] => "nothing".into(),
        [one] => one.clone(),
        [head @ .., last] => format!("{} or {last}", head.join(", ")),
    }
}

fn article(value: &DeValue) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read<T>(text: &str, reader: impl Fn(&DeValue) -> Read<T>) -> Read<T> {
        reader(DeValue::parse(text).expect("a TOML value").get_ref())
    }

    #[test]
    fn durations_have_units() {
        let check = |given: &str, expected: Option<i64>| {
            assert_eq!(read(given, span(0..=i64::MAX)).ok(), expected, "{given}");
        };
        check("\"20 s\"", Some(20_000));
        check("\"0s\"", Some(0));
        check("\" 72 h \"", Some(259_200_000));
        check("\"3 d\"", Some(259_200_000));
        check("\"250ms\"", Some(250));
        check("\"5 min\"", Some(300_000));
        check("20", None);
        check("\"20\"", None);
        check("\"-1 s\"", None);
        check("\"1.5 h\"", None);
        check("\"20 sec\"", None);
        check("\"9223372036854775807 d\"", None);
        check("\"\"", None);
    }

    #[test]
    fn percent_is_exact_and_in_range() {
        let check =
            |given: &str, expected: Option<u32>| assert_eq!(read(given, per_mille).ok(), expected, "{given}");
        check("\"80%\"", Some(800));
        check("\"80 %\"", Some(800));
        check("\"99.5%\"", Some(995));
        check("\"100%\"", Some(1000));
        check("\"100.1%\"", None);
        check("\"8\"", None);
        check("0.8", None);
        check("\"79.95%\"", None);
        check("\"-1%\"", None);
        check("\"99999999999999999999%\"", None);
    }

    #[test]
    fn identifiers_are_text_and_stay_as_written() {
        assert_eq!(read("\"0042\"", identifier).unwrap(), "0042");
        assert!(read("42", identifier).unwrap_err().hint.unwrap().contains("byte"));
        assert!(read("\" a\"", identifier).is_err());
        assert!(read("\"\"", identifier).is_err());
    }

    #[test]
    fn a_wrong_member_of_a_list_is_pointed_at() {
        let wrong = read("[\"a\", 7]", list(identifier)).unwrap_err();
        assert_eq!(wrong.span, Some(6..7));
    }

    #[test]
    fn words_that_are_near_are_suggested() {
        assert_eq!(nearest("broker", &["prefix", "brokers"]), Some("brokers"));
        assert_eq!(nearest("Embeded", &["kafka", "embedded"]), Some("embedded"));
        assert_eq!(nearest("xyz", &["prefix", "brokers"]), None);
    }

    proptest! {
        #[test]
        fn a_duration_that_is_shown_reads_as_itself(ms in 0i64..=i64::MAX / 2) {
            prop_assert_eq!(read(&format!("\"{}\"", shown(ms)), span(0..=i64::MAX)), Ok(ms));
        }
    }
}
