//! The escapes of `requests.txt`.

use anyhow::{Context, Result, bail};

use crate::client::Target;

/// The bytes that a text stands for: `\r`, `\n`, `\t`, `\0`, `\\` and `\xHH`; `§host§`, `§origin§`, `§cookie§`, and `§text*count§`.
///
/// # Errors
/// If it has another escape.
pub fn unescaped(text: &str, target: &Target) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for (number, part) in text.split('§').enumerate() {
        match (number % 2, part) {
            (0, plain) => bytes.extend(plain_unescaped(plain)?),
            (_, "host") => bytes.extend(target.address.to_string().bytes()),
            (_, "origin") => bytes.extend(target.origin().bytes()),
            (_, "cookie") => bytes.extend(target.cookie.bytes()),
            (_, repeated) => {
                let (text, count) = repeated.rsplit_once('*').with_context(|| format!("§{repeated}§"))?;
                bytes.extend(plain_unescaped(text)?.repeat(count.parse()?));
            }
        }
    }
    Ok(bytes)
}

fn plain_unescaped(text: &str) -> Result<Vec<u8>> {
    let (mut bytes, mut rest) = (Vec::new(), text);
    while let Some((plain, escape)) = rest.split_once('\\') {
        bytes.extend(plain.bytes());
        let (byte, length) = match escape.bytes().next() {
            Some(b'r') => (b'\r', 1),
            Some(b'n') => (b'\n', 1),
            Some(b't') => (b'\t', 1),
            Some(b'0') => (0, 1),
            Some(b'\\') => (b'\\', 1),
            Some(b'x') => (u8::from_str_radix(escape.get(1..3).context("\\x has two digits")?, 16)?, 3),
            _ => bail!("there is no escape \\{escape}"),
        };
        bytes.push(byte);
        rest = &escape[length..];
    }
    bytes.extend(rest.bytes());
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_bytes() {
        let target = Target { address: "127.0.0.1:80".parse().unwrap(), cookie: "a=b".to_owned() };
        let read = |text| unescaped(text, &target).ok();
        assert_eq!(read("GET §host§\\r\\n").as_deref(), Some("GET 127.0.0.1:80\r\n".as_bytes()));
        assert_eq!(read("\\xff\\0§\\xfe*3§§cookie§").as_deref(), Some(&b"\xff\0\xfe\xfe\xfea=b"[..]));
        assert_eq!(read("{\"a\": \"\\\\u0000\"}").as_deref(), Some(&b"{\"a\": \"\\u0000\"}"[..]));
        assert_eq!(read("\\q"), None);
        assert_eq!(read("§a§"), None);
    }
}
