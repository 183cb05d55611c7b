//! Reads the answers of QEMU's monitor.

/// The numbers that `xp` prints in hexadecimal, of whatever size; none if that is not what it printed.
pub fn monitor_numbers(output: &str) -> Option<Vec<u32>> {
    let lines = output.lines().filter_map(|line| line.split_once(": "));
    let number = |text: &str| u32::from_str_radix(text.trim_start_matches("0x"), 16).ok();
    lines.flat_map(|(_, numbers)| numbers.split_whitespace()).map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_after_the_address() {
        let output = "0000000000001000: 0x0000002a 0x00000001\r\n0000000000001008: 0xffffffff\r\n";
        assert_eq!(monitor_numbers(output), Some(vec![42, 1, u32::MAX]));
        assert_eq!(monitor_numbers("0000000000001000: Cannot access memory"), None);
    }
}
