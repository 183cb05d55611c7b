//! The JSON of a host's registration, as far as the URIs that are made of it.

#![no_main]

use engine::HostConfig;
use libfuzzer_sys::{Corpus, fuzz_target};
use model::HostSettings;

fuzz_target!(|data: &[u8]| -> Corpus {
    let Ok(settings) = serde_json::from_slice::<HostSettings>(data) else { return Corpus::Keep };
    if let Ok(host) = HostConfig::checked(&settings) {
        fuzz::check_host(&host, data);
        // As the store keeps it and the next console reads it.
        let again = serde_json::to_vec(&host.settings()).expect("settings are plain fields");
        let again =
            HostConfig::checked(&serde_json::from_slice(&again).expect("it was just written")).expect("it was checked");
        assert_eq!(again, host);
    }
    Corpus::Keep
});
