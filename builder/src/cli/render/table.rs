//! Numbers and tables for people.

/// Bytes with thousands apart: `9 949 184`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// The difference between two numbers, with its sign.
pub fn signed(old: u64, new: u64) -> String {
    if new >= old { format!("+{}", grouped(new - old)) } else { format!("-{}", grouped(old - new)) }
}

/// `part` of `whole` in percent, with one decimal.
pub fn percent(part: u64, whole: u64) -> String {
    let tenths = (u128::from(part) * 1000 + u128::from(whole) / 2).checked_div(whole.into());
    let tenths = tenths.unwrap_or(0);
    format!("{}.{}%", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(9_949_184), "9 949 184");
        assert_eq!(signed(5, 1005), "+1 000");
        assert_eq!(signed(5, 4), "-1");
        assert_eq!(percent(1, 3), "33.3%");
        assert_eq!(percent(2, 2), "100.0%");
        assert_eq!(percent(1, 0), "0.0%");
    }
}
