//! `virConnectOpenAuth`: opening a connection with answers to the prompts of libvirt's libssh transport.
//!
//! The `virt` crate's `open_auth` can't be used: it dereferences a pointer that libvirt leaves NULL here.

use std::{
    ffi::{CStr, CString, c_char, c_int, c_uint, c_void},
    panic::{AssertUnwindSafe, catch_unwind},
    ptr,
};

use engine::Fingerprint;
use model::Secret;
use virt::{connect::Connect, sys};

use crate::error::LibvirtError;

/// The answers to libssh's prompts. A secret is given once: libvirt would ask again for each wrong one, until the host closes the
/// connection.
pub(crate) struct Answers {
    /// The host key that a user has confirmed. libssh asks about unknown keys only.
    confirmed: Option<Fingerprint>,
    /// The password of the account, or the passphrase of the key.
    secret: Option<Secret>,
}

impl Answers {
    pub(crate) fn new(confirmed: Option<Fingerprint>, secret: Option<Secret>) -> Self {
        Self { confirmed, secret }
    }

    /// The answer to a prompt. A prompt with `echo` can only be the question whether the host's key is right. All others ask for
    /// the secret: a password, a key's passphrase, or what PAM asks for.
    fn answer(&mut self, prompt: &str, echo: bool) -> Option<Secret> {
        if !echo {
            return self.secret.take();
        }
        let shown = ssh::fingerprint_in_libssh_text(prompt)?;
        let is_right = self.confirmed.as_ref() == Some(&shown);
        // After "n", libvirt's error has the fingerprint in it. It would not if we refused to answer.
        Some(Secret::new(if is_right { "y" } else { "n" }.to_owned()))
    }

    /// The kinds of prompts that can be answered. Without a secret, libvirt fails instead of asking for one.
    fn kinds(&self) -> Vec<c_int> {
        let secret = self.secret.as_ref().map(|_| sys::VIR_CRED_PASSPHRASE as c_int);
        [sys::VIR_CRED_ECHOPROMPT as c_int].into_iter().chain(secret).collect()
    }
}

/// Connects, with these `virConnectFlags`. Has no time limit: a daemon that accepts the connection and then sends nothing blocks the
/// thread.
pub(crate) fn open(uri: &str, mut answers: Answers, flags: c_uint) -> Result<Connect, LibvirtError> {
    let uri = CString::new(uri).map_err(|_| LibvirtError::unusable("the URI has a NUL byte in it"))?;
    let mut kinds = answers.kinds();
    let mut auth = sys::virConnectAuth {
        credtype: kinds.as_mut_ptr(),
        ncredtype: kinds.len() as c_uint,
        cb: Some(on_prompts),
        cbdata: ptr::from_mut(&mut answers).cast(),
    };
    // SAFETY: all pointers are valid until the call returns, and libvirt calls back during the call only, on this thread.
    let connect = unsafe { sys::virConnectOpenAuth(uri.as_ptr(), &mut auth, flags) };
    if connect.is_null() {
        return Err(LibvirtError::last());
    }
    // SAFETY: a new connection, to which this is the only pointer.
    Ok(unsafe { Connect::from_ptr(connect) })
}

/// libvirt's callback for prompts. A result below 0 ends the attempt.
unsafe extern "C" fn on_prompts(prompts: sys::virConnectCredentialPtr, count: c_uint, answers: *mut c_void) -> c_int {
    let answer_all = || {
        // SAFETY: the pointer that `open` made, used during this call only; there is no other reference meanwhile.
        let answers = unsafe { &mut *answers.cast::<Answers>() };
        // SAFETY: libvirt passes `count` prompts, valid during this call.
        let prompts = unsafe { std::slice::from_raw_parts_mut(prompts, count as usize) };
        prompts.iter_mut().try_for_each(|prompt| answer(answers, prompt))
    };
    // A panic must not unwind into C.
    match catch_unwind(AssertUnwindSafe(answer_all)) {
        Ok(Some(())) => 0,
        Ok(None) | Err(_) => -1,
    }
}

/// Answers one prompt, if there is an answer.
fn answer(answers: &mut Answers, prompt: &mut sys::virConnectCredential) -> Option<()> {
    let words = if prompt.prompt.is_null() {
        String::new()
    } else {
        // SAFETY: libvirt's text ends with a NUL byte, and is valid during this call.
        unsafe { CStr::from_ptr(prompt.prompt) }.to_string_lossy().into_owned()
    };
    let secret = answers.answer(&words, prompt.type_ == sys::VIR_CRED_ECHOPROMPT as c_int)?;
    (prompt.result, prompt.resultlen) = copy(secret.reveal())?;
    Some(())
}

/// A copy for libvirt, and its length in bytes: libvirt overwrites these bytes and frees the copy with `free`.
fn copy(text: &str) -> Option<(*mut c_char, c_uint)> {
    let (bytes, length) = (text.as_bytes(), c_uint::try_from(text.len()).ok()?);
    // In C the text would end at a NUL byte.
    if bytes.contains(&0) {
        return None;
    }
    // SAFETY: the allocation is one byte longer than the text, and zeroed, so that it ends with a NUL byte.
    unsafe {
        let result = libc::calloc(bytes.len() + 1, 1).cast::<u8>();
        if result.is_null() {
            return None;
        }
        ptr::copy_nonoverlapping(bytes.as_ptr(), result, bytes.len());
        Some((result.cast(), length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// libvirt 11.3.0's prompts.
    const KEY: &str = "Accept SSH host key with hash '64:6a:e5:27:df:8a:52:34:8d:1d:e4:52:68:ac:b2:eb:31:a3:99:53:54:b3:33:c2:69:2f:31:d0:3c:ec:ef:97' for host '192.0.2.2:22' (y/n)?";
    const PASSWORD: &str = "Enter mover's password for 192.0.2.2";

    fn answers(confirmed: Option<&str>, secret: Option<&str>) -> Answers {
        let secret = secret.map(|secret| Secret::new(secret.to_owned()));
        Answers::new(confirmed.map(|text| text.parse().unwrap()), secret)
    }

    /// What libvirt gets as the answer to a prompt.
    fn answered(answers: &mut Answers, kind: u32, prompt: &str) -> Option<String> {
        let prompt = CString::new(prompt).unwrap();
        let mut asking = sys::virConnectCredential {
            type_: kind as c_int,
            prompt: prompt.as_ptr(),
            challenge: ptr::null(),
            defresult: ptr::null(),
            result: ptr::null_mut(),
            resultlen: 0,
        };
        // SAFETY: all of it outlives the call.
        let code = unsafe { on_prompts(&mut asking, 1, ptr::from_mut(answers).cast()) };
        assert_eq!(code == 0, !asking.result.is_null());
        if asking.result.is_null() {
            return None;
        }
        // SAFETY: it is a text of C's.
        let text = unsafe { CStr::from_ptr(asking.result) }.to_str().unwrap().to_owned();
        assert_eq!(text.len(), asking.resultlen as usize);
        // SAFETY: as libvirt does it.
        unsafe { libc::free(asking.result.cast()) };
        Some(text)
    }

    #[test]
    fn a_secret_is_given_once() {
        let mut answers = answers(None, Some("pässword"));
        assert_eq!(answered(&mut answers, sys::VIR_CRED_PASSPHRASE, PASSWORD).as_deref(), Some("pässword"));
        assert_eq!(answered(&mut answers, sys::VIR_CRED_PASSPHRASE, PASSWORD), None);
    }

    #[test]
    fn only_the_key_that_was_confirmed_is_right() {
        let right = "SHA256:ZGrlJ9+KUjSNHeRSaKyy6zGjmVNUszPCaS8x0Dzs75c";
        let wrong = right.replace(':', ":A").split_at(50).0.to_owned();
        for (confirmed, answer) in [(Some(right), "y"), (Some(wrong.as_str()), "n"), (None, "n")] {
            let mut answers = answers(confirmed, Some("secret"));
            assert_eq!(answered(&mut answers, sys::VIR_CRED_ECHOPROMPT, KEY).as_deref(), Some(answer));
        }
    }

    #[test]
    fn a_prompt_with_echo_never_gets_the_secret() {
        let mut answers = answers(None, Some("secret"));
        assert_eq!(answered(&mut answers, sys::VIR_CRED_ECHOPROMPT, "User name"), None);
        assert_eq!(answers.kinds(), [6, 5]);
    }

    #[test]
    fn without_a_secret_none_is_asked_for() {
        let mut answers = answers(None, None);
        assert_eq!(answers.kinds(), [sys::VIR_CRED_ECHOPROMPT as c_int]);
        assert_eq!(answered(&mut answers, sys::VIR_CRED_PASSPHRASE, PASSWORD), None);
    }

    #[test]
    fn a_secret_with_a_nul_byte_is_not_truncated() {
        let mut answers = answers(None, Some("sec\0ret"));
        assert_eq!(answered(&mut answers, sys::VIR_CRED_PASSPHRASE, PASSWORD), None);
    }

    #[test]
    fn a_failed_open_returns_libvirts_error() {
        let error = open("qemu+nonsense://192.0.2.2/system", answers(None, None), 0).map(drop).unwrap_err();
        assert_eq!(error.number, sys::VIR_ERR_INVALID_ARG, "{error}");
        assert!(open("test:///\0", answers(None, None), 0).is_err());
        assert!(open("test:///default", answers(None, None), 0).is_ok());
    }
}
