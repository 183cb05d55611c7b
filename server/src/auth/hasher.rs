//! Passwords are kept as argon2id hashes.

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::{sync::Semaphore, task::spawn_blocking};

/// How many hashes are made at once. Each takes its memory, and many logins at once must not take all there is.
const AT_ONCE: usize = 2;

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
    permits: Arc<Semaphore>,
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
        let stand_in = hash(&params, "no user has this password");
        Self { params, permits: Arc::new(Semaphore::new(AT_ONCE)), stand_in }
    }

    pub(super) async fn hash(&self, password: String) -> String {
        let params = self.params.clone();
        self.work(move || hash(&params, &password)).await
    }

    /// None if the password is wrong, or there is no hash to compare it with.
    pub(super) async fn verify(&self, password: String, kept: Option<String>) -> Option<Verified> {
        let exists = kept.is_some();
        let kept = kept.unwrap_or_else(|| self.stand_in.clone());
        let params = self.params.clone();
        let verified = self.work(move || verify(&params, &password, &kept)).await;
        verified.filter(|_| exists)
    }

    /// Runs `work` on a thread that may block.
    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let permit = Arc::clone(&self.permits).acquire_owned().await.expect("the semaphore is never closed");
        let done = spawn_blocking(move || {
            // Held by the work, not by the caller: the caller may leave, and the work goes on.
            let _permit = permit;
            work()
        });
        done.await.expect("hashing does not panic, and the runtime waits for it")
    }
}

fn hash(params: &Params, password: &str) -> String {
    let hash: PasswordHash =
        argon2id(params).hash_password(password.as_bytes()).expect("the operating system has random numbers");
    hash.to_string()
}

fn verify(params: &Params, password: &str, kept: &str) -> Option<Verified> {
    let kept = PasswordHash::new(kept).ok()?;
    argon2id(params).verify_password(password.as_bytes(), &kept).ok()?;
    let as_today = Params::try_from(&kept).is_ok_and(|kept| {
        (kept.m_cost(), kept.t_cost(), kept.p_cost()) == (params.m_cost(), params.t_cost(), params.p_cost())
    });
    Some(Verified { better_hash: (!as_today).then(|| hash(params, password)) })
}

fn argon2id(params: &Params) -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
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
}
