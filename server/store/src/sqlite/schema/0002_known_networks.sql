-- Where a user has logged in from: an IPv4 address or an IPv6 /64. Those who guess elsewhere don't hold them up there.
CREATE TABLE known_networks (
    user    TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    network TEXT NOT NULL,
    PRIMARY KEY (user, network)
) STRICT;
