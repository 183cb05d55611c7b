//! HTTP statuses: the only place that says which one a refusal has.

use axum::{
    http::{StatusCode, header},
    response::Response,
};
use model::Code;

/// When a console that starts, or whose store fails, may be asked again, in seconds: it tries every two seconds to write.
const RETRY_S: u32 = 5;

/// The status of an answer that carries this code. What the caller can change is a 4xx, an unreachable destination included; 5xx are
/// left for hosts and a console that fail.
pub(super) fn of(code: Code) -> StatusCode {
    match code {
        Code::InvalidInput | Code::UnknownHost | Code::SameHost | Code::WeakPassword | Code::NotSupported => {
            StatusCode::BAD_REQUEST
        }
        Code::Unauthenticated | Code::WrongCredentials => StatusCode::UNAUTHORIZED,
        Code::ForeignOrigin => StatusCode::FORBIDDEN,
        Code::WrongName => StatusCode::MISDIRECTED_REQUEST,
        Code::NotFound | Code::UnknownVm | Code::UnknownMigration | Code::UnknownPlan | Code::UnknownEvacuation => {
            StatusCode::NOT_FOUND
        }
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::PlanOutdated
        | Code::NoRoom
        | Code::Rule
        | Code::InMaintenance
        | Code::AmbiguousName
        | Code::UuidTwin
        | Code::AlreadyMigrating
        | Code::AlreadyEnded
        | Code::WrongState
        | Code::AlreadyThere
        | Code::Blocked
        | Code::NeedsConsent
        | Code::HostUnreachable
        | Code::HostKeyUnknown
        | Code::HostKeyChanged
        | Code::NeedsLogin
        | Code::LoginRefused
        | Code::NotPermitted
        | Code::PeerLogin
        | Code::HostExists
        | Code::HostInUse
        | Code::HostConfigured
        | Code::Cancelled
        | Code::NeedsAttention => StatusCode::CONFLICT,
        Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::UnsupportedMedia => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::Throttled => StatusCode::TOO_MANY_REQUESTS,
        Code::Internal | Code::ReasonLost => StatusCode::INTERNAL_SERVER_ERROR,
        Code::Hypervisor | Code::CopyDiffers => StatusCode::BAD_GATEWAY,
        Code::StoreUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::TimedOut => StatusCode::GATEWAY_TIMEOUT,
    }
}

/// Adds to an answer that says "not now" when to try again.
pub(super) async fn retry_after(mut response: Response) -> Response {
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, RETRY_S.into());
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_and_a_console_that_fail_are_server_errors() {
        for code in [Code::Internal, Code::ReasonLost, Code::Hypervisor, Code::TimedOut, Code::StoreUnavailable] {
            assert!(of(code).is_server_error(), "{code:?}");
        }
        for code in [Code::Blocked, Code::NeedsConsent, Code::HostUnreachable, Code::LoginRefused, Code::SameHost] {
            assert!(of(code).is_client_error(), "{code:?}");
        }
        assert_eq!(of(Code::Blocked), StatusCode::CONFLICT);
    }
}
