//! What a volume holds, in a form that two volumes can be compared by.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::hypervisor::Chunk;

/// Contents are compared in blocks of this many bytes: 64 KiB, a cluster of qcow2.
const BLOCK: usize = 64 << 10;
static ZEROES: [u8; BLOCK] = [0; BLOCK];

/// What a volume holds. Equal for two volumes exactly if every byte is, whatever is a hole in the one and zeroes in the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Contents {
    /// Holes included, in bytes.
    pub(super) len: u64,
    /// In blocks that are not all zero, in bytes.
    pub(super) data: u64,
    hash: [u8; 32],
}

/// The SHA-256 of the blocks that are not all zero, each after its offset, and of the length. It is not that of the file, which would
/// take as long for a hole as for data.
impl fmt::Display for Contents {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.hash.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// Takes in a volume's contents as they pass, from the first byte on. Needs the memory of one block.
pub(super) struct Hasher {
    hash: Sha256,
    /// Where the present block begins.
    at: u64,
    /// What is known of it.
    block: Vec<u8>,
    /// In blocks that are not all zero, in bytes.
    data: u64,
    /// What follows is not taken in, in bytes.
    most: u64,
}

impl Hasher {
    pub(super) fn new() -> Self {
        Self::of_first(u64::MAX)
    }

    /// Takes in this many bytes only.
    pub(super) fn of_first(bytes: u64) -> Self {
        Self { hash: Sha256::new(), at: 0, block: Vec::with_capacity(BLOCK), data: 0, most: bytes }
    }

    /// Whether it has all the bytes that it takes in.
    pub(super) fn is_full(&self) -> bool {
        self.len() == self.most
    }

    pub(super) fn add(&mut self, chunk: &Chunk) {
        let left = self.most - self.len();
        match chunk {
            Chunk::Data(data) => self.add_data(data.get(..usize::try_from(left).unwrap_or(usize::MAX)).unwrap_or(data)),
            Chunk::Hole(len) => self.add_hole(left.min(*len)),
        }
    }

    pub(super) fn finish(mut self) -> Contents {
        let len = self.len();
        self.end_block();
        self.hash.update(len.to_le_bytes());
        Contents { len, data: self.data, hash: self.hash.finalize().into() }
    }

    fn len(&self) -> u64 {
        self.at + self.block.len() as u64
    }

    fn add_data(&mut self, mut data: &[u8]) {
        while !data.is_empty() {
            let (now, rest) = data.split_at(data.len().min(self.room()));
            self.block.extend_from_slice(now);
            data = rest;
            if self.room() == 0 {
                self.end_block();
            }
        }
    }

    /// Whole blocks of it are skipped, however many there are.
    fn add_hole(&mut self, len: u64) {
        let before = if self.block.is_empty() { 0 } else { len.min(self.room() as u64) };
        self.add_data(&ZEROES[..before as usize]);
        let after = (len - before) % BLOCK as u64;
        self.at += len - before - after;
        self.add_data(&ZEROES[..after as usize]);
    }

    /// How much of the present block is missing, in bytes.
    fn room(&self) -> usize {
        BLOCK - self.block.len()
    }

    fn end_block(&mut self) {
        if self.block != ZEROES[..self.block.len()] {
            self.hash.update(self.at.to_le_bytes());
            self.hash.update(&self.block);
            self.data += self.block.len() as u64;
        }
        self.at = self.len();
        self.block.clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(chunks: &[Chunk]) -> Contents {
        let mut hasher = Hasher::new();
        chunks.iter().for_each(|chunk| hasher.add(chunk));
        hasher.finish()
    }

    fn data(bytes: &[u8]) -> Chunk {
        Chunk::Data(bytes.to_vec())
    }

    #[test]
    fn a_hole_costs_nothing_and_is_as_long_as_it_is() {
        let hole = |len| of(&[Chunk::Hole(len)]);
        assert_eq!((hole(1 << 60).len, hole(1 << 60).data), (1 << 60, 0));
        assert_ne!(hole(1 << 60), hole((1 << 60) + 1));
        assert_ne!(hole(0), hole(1));
    }

    #[test]
    fn only_a_block_with_data_counts_as_data() {
        let contents = of(&[Chunk::Hole(BLOCK as u64 - 1), data(b"ab"), Chunk::Hole(10 * BLOCK as u64)]);
        assert_eq!((contents.len, contents.data), (11 * BLOCK as u64 + 1, 2 * BLOCK as u64));
    }

    #[test]
    fn what_is_lost_or_moved_is_noticed() {
        let whole = of(&[data(b"a"), Chunk::Hole(BLOCK as u64), data(b"b")]);
        assert_ne!(whole, of(&[data(b"a"), Chunk::Hole(BLOCK as u64)]));
        assert_ne!(whole, of(&[data(b"a"), Chunk::Hole(BLOCK as u64 + 1)]));
        assert_ne!(whole, of(&[data(b"a"), Chunk::Hole(BLOCK as u64 + 1), data(b"b")]));
        assert_ne!(whole, of(&[data(b"a"), Chunk::Hole(2 * BLOCK as u64), data(b"b")]));
    }

    #[test]
    fn of_a_larger_device_only_the_beginning_counts() {
        let image = [data(b"image"), Chunk::Hole(7)];
        for rest in [data(&[1; 2 * BLOCK]), Chunk::Hole(5)] {
            let mut hasher = Hasher::of_first(12);
            image.iter().for_each(|chunk| hasher.add(chunk));
            assert!(hasher.is_full());
            hasher.add(&rest);
            assert_eq!(hasher.finish(), of(&image));
        }
        let mut hasher = Hasher::of_first(2);
        hasher.add(&data(b"image"));
        assert_eq!(hasher.finish(), of(&[data(b"im")]));
    }

    /// The same bytes, cut at other places, with some of the zeroes as holes.
    fn cut(bytes: &[u8], lengths: &[usize], are_holes: bool) -> Vec<Chunk> {
        let (mut rest, mut chunks) = (bytes, Vec::new());
        for len in lengths.iter().copied().chain([usize::MAX]) {
            let (now, then) = rest.split_at(len.min(rest.len()));
            rest = then;
            let is_hole = are_holes && now.iter().all(|byte| *byte == 0);
            chunks.push(if is_hole { Chunk::Hole(now.len() as u64) } else { data(now) });
        }
        chunks
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn how_it_is_cut_and_what_is_a_hole_do_not_matter(
            runs in prop::collection::vec((0..3_u8, 0..3 * BLOCK), 0..6),
            one in prop::collection::vec(0..2 * BLOCK, 0..8),
            other in prop::collection::vec(0..2 * BLOCK, 0..8),
        ) {
            let bytes: Vec<u8> = runs.iter().flat_map(|(byte, len)| std::iter::repeat_n(*byte, *len)).collect();
            let contents = of(&cut(&bytes, &one, true));
            prop_assert_eq!(contents, of(&cut(&bytes, &other, false)));
            prop_assert_eq!(contents.len, bytes.len() as u64);
        }

        #[test]
        fn every_byte_matters(len in 1..3 * BLOCK, at in any::<prop::sample::Index>(), hole in any::<bool>()) {
            let mut bytes = vec![0; len];
            let before = of(&cut(&bytes, &[], hole));
            bytes[at.index(len)] = 1;
            prop_assert_ne!(before, of(&cut(&bytes, &[], hole)));
        }
    }
}
