//! Host, user, port and the path of a key as a user types them, one in each line.

#![no_main]

use engine::{Address, UserName};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus {
    let mut lines = data.splitn(4, |byte| *byte == b'\n');
    let mut next = || lines.next().unwrap_or_default();
    let (address, user, port, key) = (next(), next(), next(), next());
    let (Ok(address), Ok(user), Ok(port)) = (str::from_utf8(address), str::from_utf8(user), str::from_utf8(port))
    else {
        return Corpus::Reject;
    };
    // Refused input is kept in the corpus, too: a mutation of it may be valid.
    if let (Ok(address), Ok(user)) = (address.parse::<Address>(), user.parse::<UserName>()) {
        fuzz::check_fields(&address, &user, port.parse().unwrap_or(22), key);
    }
    Corpus::Keep
});
