//! Passwords are kept as argon2id hashes.

mod memory;

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::{
        self,
        phc::{Output, ParamsString, PasswordHash, Salt},
    },
};
use memory::HashMemory;

/// What a hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashCost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Default for HashCost {
    /// 19 MiB and 2 passes: the first choice of OWASP's password storage sheet for argon2id with one lane.
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2 }
    }
}

/// Makes and checks hashes.
#[derive(Debug)]
pub(super) struct Hasher {
    params: Params,
    memory: HashMemory,
    /// Verified against where there is no such user, so that the answer takes as long as for a wrong password.
    stand_in: String,
}

/// The password was right.
pub(super) struct Verified {
    /// A hash as it is made today, if the one kept was made otherwise.
    pub(super) better_hash: Option<String>,
}

impl Hasher {
    pub(super) fn new(cost: HashCost) -> Self {
        let params = Params::new(cost.memory_kib, cost.passes, 1, None).expect("the cost is within argon2's limits");
        let stand_in = hash(&params, "no user has this password", &mut Vec::new());
        Self { params, memory: HashMemory::default(), stand_in }
    }

    pub(super) async fn hash(&self, password: String) -> String {
        let params = self.params.clone();
        self.memory.work(move |memory| hash(&params, &password, memory)).await
    }

    /// None if the password is wrong, or there is no hash to compare it with.
    pub(super) async fn verify(&self, password: String, kept: Option<String>) -> Option<Verified> {
        let exists = kept.is_some();
        let kept = kept.unwrap_or_else(|| self.stand_in.clone());
        let params = self.params.clone();
        let verified = self.memory.work(move |memory| verify(&params, &password, &kept, memory)).await;
        verified.filter(|_| exists)
    }
}

fn hash(params: &Params, password: &str, memory: &mut Vec<Block>) -> String {
    let mut made = || {
        let (algorithm, version, salt) = (Algorithm::Argon2id, Version::V0x13, Salt::generate());
        let hash = output(Argon2::new(algorithm, version, params.clone()), password, &salt, memory)?;
        let params = ParamsString::try_from(params)?;
        Ok::<_, password_hash::Error>(PasswordHash {
            algorithm: algorithm.ident(),
            version: Some(version.into()),
            params,
            salt: Some(salt),
            hash: Some(hash),
        })
    };
    made().expect("argon2 takes every password that the rules allow").to_string()
}

fn verify(params: &Params, password: &str, kept: &str, memory: &mut Vec<Block>) -> Option<Verified> {
    let kept = PasswordHash::new(kept).ok()?;
    let algorithm = Algorithm::try_from(kept.algorithm.as_str()).ok()?;
    let version = Version::try_from(kept.version?).ok()?;
    let kept_params = Params::try_from(&kept).ok()?;
    let argon2 = Argon2::new(algorithm, version, kept_params.clone());
    // The comparison takes the same time wherever they differ.
    if output(argon2, password, kept.salt.as_ref()?, memory).ok()? != kept.hash? {
        return None;
    }
    let cost = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
    let as_today = cost(&kept_params) == cost(params);
    Some(Verified { better_hash: (!as_today).then(|| hash(params, password, memory)) })
}

/// argon2's result, made in `memory`, which grows to what this takes.
fn output(
    argon2: Argon2<'_>,
    password: &str,
    salt: &[u8],
    memory: &mut Vec<Block>,
) -> Result<Output, password_hash::Error> {
    let blocks = argon2.params().block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::new());
    }
    let mut output = [0; Output::MAX_LENGTH];
    let length = argon2.params().output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
    let output = output.get_mut(..length).ok_or(password_hash::Error::OutputSize)?;
    argon2.hash_password_into_with_memory(password.as_bytes(), salt, output, &mut memory[..blocks])?;
    Ok(Output::new(output)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: HashCost = HashCost { memory_kib: 8, passes: 1 };

    #[tokio::test]
    async fn only_the_right_password_is_right() {
        let hasher = Hasher::new(CHEAP);
        let hash = hasher.hash("correct horse".into()).await;
        assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
        assert!(hasher.verify("correct horse".into(), Some(hash.clone())).await.is_some());
        assert!(hasher.verify("correct house".into(), Some(hash)).await.is_none());
        assert!(hasher.verify("no user has this password".into(), None).await.is_none());
        assert!(hasher.verify("correct horse".into(), Some("damaged".into())).await.is_none());
    }

    #[tokio::test]
    async fn a_hash_of_another_cost_is_made_anew() {
        let earlier = Hasher::new(CHEAP).hash("correct horse".into()).await;
        let now = Hasher::new(HashCost { memory_kib: 16, passes: 1 });
        let better = now.verify("correct horse".into(), Some(earlier)).await.unwrap().better_hash.unwrap();
        assert!(better.contains("m=16,"), "{better}");
        assert!(now.verify("correct horse".into(), Some(better)).await.unwrap().better_hash.is_none());
    }

    /// This process's memory, in MiB.
    fn resident_mib() -> u64 {
        let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
        pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4 / 1024
    }

    #[tokio::test]
    async fn many_logins_at_once_take_the_memory_of_two() {
        let cost = HashCost { passes: 1, ..HashCost::default() };
        let hasher = Hasher::new(cost);
        let before = resident_mib();
        let logins = (0..20).map(|_| hasher.verify("a guess".into(), None));
        let entered = futures::future::join_all(logins).await;
        assert!(entered.iter().all(Option::is_none));
        println!("RSS: {before} MiB, after 20 logins at once {} MiB", resident_mib());
        let kept = hasher.memory.kept_blocks();
        assert!(!kept.is_empty() && kept.len() <= memory::AT_ONCE, "{kept:?}");
        assert!(kept.iter().all(|blocks| *blocks == cost.memory_kib as usize), "{kept:?}");
    }
}
