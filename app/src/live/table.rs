//! Values that come and go, each with a signal of its own.

use leptos::prelude::*;

/// Values of one kind, sorted by key. Readers of the keys are notified when a value is added or removed, readers of a value when it
/// changes. (A sorted vector: a map would weigh more in the WASM than it gains on a few hundred values.)
pub(crate) struct Table<K: 'static, V: 'static>(RwSignal<Vec<(K, ArcRwSignal<V>)>>);

impl<K, V> Clone for Table<K, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, V> Copy for Table<K, V> {}

impl<K, V> Table<K, V>
where
    K: Clone + Ord + Send + Sync + 'static,
    V: Clone + PartialEq + Send + Sync + 'static,
{
    pub(super) fn new() -> Self {
        Self(RwSignal::new(Vec::new()))
    }

    /// All keys, in order.
    pub fn keys(self) -> Vec<K> {
        self.0.read().iter().map(|(key, _)| key.clone()).collect()
    }

    /// All values, in the order of their keys.
    pub fn values(self) -> Vec<V> {
        self.0.read().iter().map(|(_, value)| value.get()).collect()
    }

    /// The value of this key, as a signal. The reader is notified when a value is added or removed.
    pub fn get(self, key: &K) -> Option<ArcRwSignal<V>> {
        self.0.track();
        self.get_untracked(key)
    }

    /// The same, untracked.
    pub fn get_untracked(self, key: &K) -> Option<ArcRwSignal<V>> {
        let values = self.0.read_untracked();
        let index = values.binary_search_by(|(other, _)| other.cmp(key)).ok()?;
        Some(values[index].1.clone())
    }

    /// The value of this key. The reader is notified when it is added, changed or removed.
    pub fn value(self, key: &K) -> Option<V> {
        self.get(key).map(|value| value.get())
    }

    pub(super) fn put(self, key: K, value: V) {
        match self.get_untracked(&key) {
            Some(known) if *known.read_untracked() == value => {}
            Some(known) => known.set(value),
            None => self.0.update(|values| {
                let index = values.partition_point(|(other, _)| *other < key);
                values.insert(index, (key, ArcRwSignal::new(value)));
            }),
        }
    }

    pub(super) fn retain(self, stays: impl Fn(&K) -> bool) {
        if !self.0.read_untracked().iter().all(|(key, _)| stays(key)) {
            self.0.update(|values| values.retain(|(key, _)| stays(key)));
        }
    }

    /// Replaces all values. A key that stays keeps its signal.
    pub(super) fn replace(self, values: Vec<V>, key: impl Fn(&V) -> K) {
        self.retain(|known| values.iter().any(|value| key(value) == *known));
        for value in values {
            self.put(key(&value), value);
        }
    }
}
