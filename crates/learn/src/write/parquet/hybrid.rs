//! Runs and packed bits in turn: how Parquet writes the numbers of words in a dictionary, and which values are missing.

use super::thrift::varint;

/// Bits that the numbers below `count` need.
pub(super) fn width(count: usize) -> u8 {
    let highest = count.saturating_sub(1);
    (usize::BITS - highest.leading_zeros()).to_le_bytes()[0]
}

/// Writes numbers of `width` bits: eight or more equal ones as a run, the others packed by eights.
pub(super) fn write(numbers: &[u32], width: u8, bytes: &mut Vec<u8>) {
    let mut packed: Vec<u32> = Vec::new();
    let mut at = 0;
    while at < numbers.len() {
        let number = numbers[at];
        let mut length = numbers[at..].iter().take_while(|n| **n == number).count();
        at += length;
        // What is packed is a multiple of eight, or the end.
        let missing = (8 - packed.len() % 8) % 8;
        let fill = missing.min(length);
        packed.extend(std::iter::repeat_n(number, fill));
        length -= fill;
        if length >= 8 {
            pack(&mut packed, width, bytes);
            varint(bytes, (length as u64) << 1);
            bytes.extend_from_slice(&number.to_le_bytes()[..usize::from(width.div_ceil(8))]);
        } else {
            packed.extend(std::iter::repeat_n(number, length));
        }
    }
    pack(&mut packed, width, bytes);
}

/// Writes numbers as packed bits, the lowest first, and forgets them.
fn pack(numbers: &mut Vec<u32>, width: u8, bytes: &mut Vec<u8>) {
    if numbers.is_empty() {
        return;
    }
    numbers.resize(numbers.len().next_multiple_of(8), 0);
    varint(bytes, (numbers.len() as u64 / 8) << 1 | 1);
    let (mut held, mut bits) = (0u64, 0u32);
    for number in numbers.drain(..) {
        held |= u64::from(number) << bits;
        bits += u32::from(width);
        while bits >= 8 {
            bytes.push(held.to_le_bytes()[0]);
            held >>= 8;
            bits -= 8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the numbers back, written differently: bit by bit.
    fn read(mut bytes: &[u8], width: u8, count: usize) -> Vec<u32> {
        let mut numbers = Vec::new();
        let head = |bytes: &mut &[u8]| {
            let (mut number, mut shift) = (0u64, 0);
            loop {
                let byte = bytes[0];
                *bytes = &bytes[1..];
                number |= u64::from(byte & 0x7f) << shift;
                shift += 7;
                if byte < 0x80 {
                    return number;
                }
            }
        };
        while numbers.len() < count {
            let kind = head(&mut bytes);
            if kind & 1 == 1 {
                let eights = (kind >> 1) as usize;
                let bit = |at: usize| u32::from(bytes[at / 8] >> (at % 8) & 1);
                let w = usize::from(width);
                numbers.extend((0..eights * 8).map(|n| (0..w).map(|b| bit(n * w + b) << b).sum::<u32>()));
                bytes = &bytes[eights * w..];
            } else {
                let size = usize::from(width.div_ceil(8));
                let mut number = [0; 4];
                number[..size].copy_from_slice(&bytes[..size]);
                numbers.extend(vec![u32::from_le_bytes(number); (kind >> 1) as usize]);
                bytes = &bytes[size..];
            }
        }
        numbers.truncate(count);
        assert!(bytes.is_empty());
        numbers
    }

    #[test]
    fn numbers_come_back() {
        let runs = |runs: &[(u32, usize)]| -> Vec<u32> {
            runs.iter().flat_map(|(n, length)| vec![*n; *length]).collect()
        };
        let cases = [
            runs(&[]),
            runs(&[(1, 1)]),
            runs(&[(0, 1000)]),
            runs(&[(1, 7), (0, 9), (1, 8), (0, 3), (1, 64), (0, 1)]),
            runs(&[(1, 3), (0, 100), (1, 3)]),
            (0..1000).map(|n| n * 7919 % 1024).collect(),
            (0..300).map(|n| n % 3).collect(),
        ];
        for numbers in cases {
            let width = width(numbers.iter().max().map_or(0, |most| *most as usize + 1));
            let mut bytes = Vec::new();
            write(&numbers, width, &mut bytes);
            assert_eq!(read(&bytes, width, numbers.len()), numbers);
        }
        assert_eq!([0, 1, 2, 3, 4, 5, 256, 257].map(width), [0, 0, 1, 2, 2, 3, 8, 9]);
    }
}
