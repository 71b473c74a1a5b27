//! Numbers as they are written, compared exactly.

use std::cmp::Ordering;

/// Compares two JSON numbers by their value, whatever their size and however many digits they have. `None`: one of
/// them is no JSON number.
///
/// ```
/// use std::cmp::Ordering;
///
/// assert_eq!(keymux_core::compare_numbers("18446744073709551617", "18446744073709551616"), Some(Ordering::Greater));
/// assert_eq!(keymux_core::compare_numbers("1e2", "100.0"), Some(Ordering::Equal));
/// assert_eq!(keymux_core::compare_numbers("1e2", "many"), None);
/// ```
#[must_use]
pub fn compare_numbers(one: &str, other: &str) -> Option<Ordering> {
    Some(Number::read(one)?.cmp(&Number::read(other)?))
}

/// ±0.DIGITS × 10^exponent, the digits without zeros at either end; none of them is zero.
struct Number {
    negative: bool,
    digits: String,
    exponent: i128,
}

impl Number {
    fn read(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
            None => (rest, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (mantissa, ""),
        };
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || (whole.len() > 1 && whole.starts_with('0')) || !is_digits(whole) || !is_digits(fraction)
        {
            return None;
        }
        let digits = format!("{whole}{fraction}");
        let significant = digits.trim_start_matches('0');
        let zeros = digits.len() - significant.len();
        // A text is shorter than the largest of these numbers.
        let point = i128::try_from(whole.len()).ok()? - i128::try_from(zeros).ok()?;
        let exponent = exponent.saturating_add(point);
        Some(Self { negative, digits: significant.trim_end_matches('0').to_owned(), exponent })
    }

    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.digits.is_empty(), number.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let signs = sign(self).cmp(&sign(other));
        if signs.is_ne() || self.digits.is_empty() {
            return signs;
        }
        let size = self.exponent.cmp(&other.exponent).then_with(|| self.digits.cmp(&other.digits));
        if self.negative { size.reverse() } else { size }
    }
}

/// What has more digits than the type is as large as can be.
fn read_exponent(text: &str) -> Option<i128> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let size = digits.parse().unwrap_or(i128::MAX);
    Some(if text.starts_with('-') { -size } else { size })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_compared_by_all_their_digits() {
        let ordered = [
            "-1e400",
            "-18446744073709551617",
            "-18446744073709551616",
            "-1.5",
            "-1",
            "-1e-400",
            "0",
            "1e-400",
            "0.001",
            "0.0010000000000000000001",
            "0.5",
            "1",
            "5",
            "5.000000000000000000001",
            "10",
            "99",
            "100",
            "18446744073709551616",
            "18446744073709551617",
            "123456789012345678901234",
            "1e400",
            "1e401",
            "1e99999999999999999999",
        ];
        for (place, one) in ordered.iter().enumerate() {
            for (other_place, other) in ordered.iter().enumerate() {
                assert_eq!(compare_numbers(one, other), Some(place.cmp(&other_place)), "{one} {other}");
            }
        }
        for (one, other) in [("0", "-0"), ("0.0", "0e5"), ("1", "1.0"), ("100", "1E+2"), ("0.05", "5e-2")] {
            assert_eq!(compare_numbers(one, other), Some(Ordering::Equal), "{one} {other}");
        }
    }

    #[test]
    fn what_is_no_number_is_not_compared() {
        for text in ["", "-", "+1", "01", "1.", ".5", "1e", "1e+", "0x1", "1 ", "NaN", "é", "1.e5", "--1", "1e5.0"] {
            assert_eq!(compare_numbers(text, "1"), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn integers_and_fractions_are_ordered_as_they_are(one: i64, other: i64, places in 0_u32..9) {
            prop_assert_eq!(compare_numbers(&one.to_string(), &other.to_string()), Some(one.cmp(&other)));
            let moved = |number: i64| format!("{number}e-{places}");
            prop_assert_eq!(compare_numbers(&moved(one), &moved(other)), Some(one.cmp(&other)));
        }
    }
}
