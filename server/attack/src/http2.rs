//! Frames of HTTP/2 (RFC 9113), by hand: a library keeps the rules.

/// The preface and an empty SETTINGS frame.
pub fn preface() -> Vec<u8> {
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(4, 0, 0, &[]));
    bytes
}

/// HEADERS of `GET /` that end the request. The fields are entries of HPACK's static table (RFC 7541, appendix A), but for the
/// authority.
pub fn get(stream: u32) -> Vec<u8> {
    const END_STREAM_AND_HEADERS: u8 = 0x5;
    let [method, scheme, path, authority] = [0x82, 0x86, 0x84, 0x01];
    frame(1, END_STREAM_AND_HEADERS, stream, &[method, scheme, path, authority, 1, b'a'])
}

/// RST_STREAM with CANCEL.
pub fn reset(stream: u32) -> Vec<u8> {
    frame(3, 0, stream, &[0, 0, 0, 8])
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_as_the_standard_says() {
        assert!(preface().ends_with(b"SM\r\n\r\n\0\0\0\x04\0\0\0\0\0"));
        assert_eq!(get(1), b"\0\0\x06\x01\x05\0\0\0\x01\x82\x86\x84\x01\x01a");
        assert_eq!(reset(3), b"\0\0\x04\x03\0\0\0\0\x03\0\0\0\x08");
    }
}
