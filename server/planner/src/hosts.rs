//! Sets of hosts, by number.

/// A set of hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HostSet(Vec<u64>);

impl HostSet {
    pub(crate) fn contains(&self, host: usize) -> bool {
        self.0.get(host / 64).is_some_and(|word| word & (1 << (host % 64)) != 0)
    }

    pub(crate) fn insert(&mut self, host: usize) {
        if self.0.len() <= host / 64 {
            self.0.resize(host / 64 + 1, 0);
        }
        self.0[host / 64] |= 1 << (host % 64);
    }

    /// Those that are in both.
    pub(crate) fn both<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = usize> + 'a {
        self.0.iter().zip(&other.0).enumerate().flat_map(|(at, (one, other))| bits(at, one & other))
    }

    pub(crate) fn remove(&mut self, host: usize) {
        if let Some(word) = self.0.get_mut(host / 64) {
            *word &= !(1 << (host % 64));
        }
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        let gone: Vec<usize> = self.iter().filter(|host| !keep(*host)).collect();
        for host in gone {
            self.remove(host);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().flat_map(|(at, word)| bits(at, *word))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Whether all of this are in the other.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.0.iter().enumerate().all(|(at, word)| word & !other.0.get(at).copied().unwrap_or(0) == 0)
    }
}

impl FromIterator<usize> for HostSet {
    fn from_iter<I: IntoIterator<Item = usize>>(hosts: I) -> Self {
        let mut set = Self::default();
        hosts.into_iter().for_each(|host| set.insert(host));
        set
    }
}

/// The hosts of one word of a set.
fn bits(at: usize, mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = word.trailing_zeros() as usize;
        word &= word.checked_sub(1)?;
        Some(at * 64 + bit)
    })
}
