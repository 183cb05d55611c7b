//! The address that a request comes from, and the console's own address as that client knows it.

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use axum::{
    extract::{ConnectInfo, FromRequestParts, Request, State},
    http::{HeaderMap, Uri, header::HOST, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use model::{Code, Problem};

use super::{DoorState, Doors, Refused, Site};

/// The address people use: `https://vmferry.example.org`, perhaps with a port, without a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    authority: String,
}

impl PublicUrl {
    /// The origin as browsers send it.
    pub fn origin(&self) -> String {
        format!("https://{}", self.authority)
    }
}

impl FromStr for PublicUrl {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let refused = || {
            Problem::new(Code::InvalidInput, "public_url is not the address of a console.").with_fix(
                "Give it as https://vmferry.example.org, without a path; browsers keep the login only with HTTPS.",
            )
        };
        let uri: Uri = text.parse().map_err(|_| refused())?;
        let authority = uri.authority().filter(|_| uri.scheme_str() == Some("https") && uri.path() == "/");
        let authority = authority.filter(|authority| !authority.as_str().contains('@') && uri.query().is_none());
        let authority = authority.ok_or_else(refused)?.as_str().to_ascii_lowercase();
        // Browsers leave the usual port out.
        Ok(Self { authority: authority.strip_suffix(":443").unwrap_or(&authority).to_owned() })
    }
}

impl Site {
    /// The console's host and port as the browser that sent this request knows them; none if it did not say, or nonsense.
    pub(super) fn authority(&self, headers: &HeaderMap, uri: &Uri) -> Option<String> {
        if let Some(url) = &self.public_url {
            return Some(url.authority.clone());
        }
        // HTTP/2 has it in the request's address.
        let host = uri.authority().map(|authority| authority.as_str());
        let host = host.or_else(|| headers.get(HOST)?.to_str().ok())?;
        let harmless = |b: u8| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b);
        (!host.is_empty() && host.bytes().all(harmless)).then(|| host.to_ascii_lowercase())
    }

    /// The console's origin as that browser would send it.
    pub(super) fn origin(&self, headers: &HeaderMap, uri: &Uri) -> Option<String> {
        let scheme = if self.https { "https" } else { "http" };
        self.authority(headers, uri).map(|authority| format!("{scheme}://{authority}"))
    }

    /// Whether a peer may send requests: where there is a proxy, only the proxy, which speaks HTTPS with all others.
    fn admits(&self, peer: IpAddr) -> bool {
        self.proxy.is_none_or(|proxy| proxy == peer.to_canonical())
    }

    /// The address a request comes from: the peer's, or what the proxy says its peer's is.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if self.proxy != Some(peer.to_canonical()) {
            return peer.to_canonical();
        }
        // Only the last entry is the proxy's own; those before are whatever the client sent.
        let last = headers.get_all("x-forwarded-for").iter().next_back().and_then(|value| value.to_str().ok());
        let last = last.and_then(|value| value.rsplit(',').next());
        last.and_then(forwarded).unwrap_or(peer).to_canonical()
    }
}

/// An address as proxies write it: some add the port, or put brackets around one of IPv6.
fn forwarded(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let address = || text.parse().ok();
    let with_port = || text.parse().ok().map(|address: SocketAddr| address.ip());
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6);
    address().or_else(with_port).or_else(in_brackets)
}

/// Refuses requests that did not come through the proxy, if there is one.
pub(super) async fn only_by_proxy(State(doors): State<Doors>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let admitted = peer.is_some_and(|ConnectInfo(peer)| doors.site.admits(peer.ip()));
    if admitted {
        return next.run(request).await;
    }
    let problem = Problem::new(Code::ForeignOrigin, "The console is reached through its proxy only.")
        .with_fix("Use its public address. If this is the proxy, proxy in the configuration has to be its address.");
    Refused::from(problem).into_response()
}

/// The address a request comes from.
pub(super) struct ClientAddress(pub(super) IpAddr);

impl FromRequestParts<DoorState> for ClientAddress {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &DoorState) -> Result<Self, Refused> {
        let ConnectInfo(peer) = parts.extensions.get::<ConnectInfo<SocketAddr>>().copied().ok_or_else(|| {
            tracing::error!("the service was not made with the peer's address");
            Problem::new(Code::Internal, "The console failed.").with_fix("Its log says why.")
        })?;
        Ok(Self(state.doors.site.client(peer.ip(), &parts.headers)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_urls() {
        let origin = |text: &str| text.parse::<PublicUrl>().ok().map(|url| url.origin());
        assert_eq!(origin("https://VMferry.example.org/").as_deref(), Some("https://vmferry.example.org"));
        assert_eq!(origin("https://a.example:443").as_deref(), Some("https://a.example"));
        assert_eq!(origin("https://a.example:8443").as_deref(), Some("https://a.example:8443"));
        for text in ["", "a.example", "http://a.example", "https://a.example/x", "https://u@a.example", "https://a/?b"]
        {
            assert_eq!(origin(text), None, "{text}");
        }
    }

    #[test]
    fn only_the_proxys_own_word_counts() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "198.51.100.66".parse().unwrap());
        headers.append("x-forwarded-for", "198.51.100.67, 203.0.113.9".parse().unwrap());
        let (proxy, stranger): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let site = Site { proxy: Some(proxy), ..Site::default() };
        assert_eq!(site.client(proxy, &headers), "203.0.113.9".parse::<IpAddr>().unwrap());
        assert_eq!(site.client(stranger, &headers), stranger);
        assert_eq!(Site::default().client(proxy, &headers), proxy);
        for (entry, address) in [
            ("203.0.113.9:4711", "203.0.113.9"),
            ("198.51.100.66, 203.0.113.9:4711", "203.0.113.9"),
            ("[2001:db8::9]:4711", "2001:db8::9"),
            ("[2001:db8::9]", "2001:db8::9"),
            ("2001:db8::9", "2001:db8::9"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
        ] {
            headers.append("x-forwarded-for", entry.parse().unwrap());
            assert_eq!(site.client(proxy, &headers), address.parse::<IpAddr>().unwrap(), "{entry}");
        }
        headers.append("x-forwarded-for", "unknown".parse().unwrap());
        assert_eq!(site.client(proxy, &headers), proxy);
    }
}
