//! What the guests of tests and of the fault matrix write on their disks (`tests/storage/guest.S`, `faults/src/guest.S`): it follows from
//! the sector's number and from how often the guest has gone over its disk, so that whoever reads it knows both.

/// Of the generator that guest.S has, too.
const MULTIPLIER: u32 = 1_664_525;
const INCREMENT: u32 = 1_013_904_223;
/// What a sector's number and a pass are multiplied by to make the generator's seed.
const OF_NUMBER: u32 = 0x9e37_79b1;
const OF_PASS: u32 = 0x85eb_ca6b;

/// The number after this one, as the guests make them.
pub fn next_word(word: u32) -> u32 {
    word.wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT)
}

/// What pass `pass` writes into a sector; pass 0 stands for the contents before the guest started.
pub fn written_sector(number: u32, pass: u32) -> [u8; 512] {
    let mut word = number.wrapping_mul(OF_NUMBER).wrapping_add(pass.wrapping_mul(OF_PASS));
    let mut sector = [0; 512];
    for place in sector.chunks_exact_mut(4) {
        word = next_word(word);
        place.copy_from_slice(&word.to_le_bytes());
    }
    sector
}

/// The pass that wrote a sector, if one did: [`written_sector`] the other way round.
pub fn pass_of(number: u32, contents: &[u8]) -> Option<u32> {
    let first = u32::from_le_bytes(contents.first_chunk().copied()?);
    let seed = first.wrapping_sub(INCREMENT).wrapping_mul(inverse(MULTIPLIER));
    let pass = seed.wrapping_sub(number.wrapping_mul(OF_NUMBER)).wrapping_mul(inverse(OF_PASS));
    (contents == written_sector(number, pass)).then_some(pass)
}

/// What an odd number is multiplied by to be 1, modulo 2³²: each of Newton's steps doubles the bits that are right, of which the
/// number itself has three.
fn inverse(odd: u32) -> u32 {
    (0..4).fold(odd, |inverse, _| inverse.wrapping_mul(2u32.wrapping_sub(odd.wrapping_mul(inverse))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sector_says_which_pass_wrote_it() {
        for (number, pass) in [(0, 0), (64, 1), (16_383, u32::MAX)] {
            let mut sector = written_sector(number, pass);
            assert_eq!(pass_of(number, &sector), Some(pass));
            assert_ne!(pass_of(number + 1, &sector), Some(pass));
            sector[511] ^= 1;
            assert_eq!(pass_of(number, &sector), None);
        }
    }
}
