// SPDX-License-Identifier: Apache-2.0

/// Every way to refuse a request: the codes that peers, logs and metrics name it by.
///
/// The raw value is the index of ``MetricsSchema`` codes; 0 stands for nothing refused.
package enum Problem: UInt8, CaseIterable, Sendable {
    case none
    case httpMalformed
    case pathAmbiguous
    case credentialsMissing
    case credentialsInvalid
    case totpRequired
    case totpInvalid
    case sessionInvalid
    case agentDisabled
    case certificateNotPinned
    case upgradeDenied
    case noRoute
    case methodNotAllowed
    case requestTimeout
    case bodyTooLarge
    case uriTooLong
    case expectationFailed
    case headersTooLarge
    case httpVersion
    case tlsRequired
    case rateLimited
    case totpLocked
    case internalFault
    case upstreamBadResponse
    case upstreamUnavailable
    case overloaded
    case stateUnavailable
    case draining
    case upstreamTimeout

    /// As the `code` member of the answer has it.
    package var code: StaticString {
        switch self {
        case .none: "ok"
        case .httpMalformed: "http_malformed"
        case .pathAmbiguous: "path_ambiguous"
        case .credentialsMissing: "credentials_missing"
        case .credentialsInvalid: "credentials_invalid"
        case .totpRequired: "totp_required"
        case .totpInvalid: "totp_invalid"
        case .sessionInvalid: "session_invalid"
        case .agentDisabled: "agent_disabled"
        case .certificateNotPinned: "certificate_not_pinned"
        case .upgradeDenied: "upgrade_denied"
        case .noRoute: "no_route"
        case .methodNotAllowed: "method_not_allowed"
        case .requestTimeout: "request_timeout"
        case .bodyTooLarge: "body_too_large"
        case .uriTooLong: "uri_too_long"
        case .expectationFailed: "expectation_failed"
        case .headersTooLarge: "headers_too_large"
        case .httpVersion: "http_version"
        case .tlsRequired: "tls_required"
        case .rateLimited: "rate_limited"
        case .totpLocked: "totp_locked"
        case .internalFault: "internal"
        case .upstreamBadResponse: "upstream_bad_response"
        case .upstreamUnavailable: "upstream_unavailable"
        case .overloaded: "overloaded"
        case .stateUnavailable: "state_unavailable"
        case .draining: "draining"
        case .upstreamTimeout: "upstream_timeout"
        }
    }

    package var status: Int {
        switch self {
        case .none: 200
        case .httpMalformed, .pathAmbiguous: 400
        case .credentialsMissing, .credentialsInvalid, .totpRequired, .totpInvalid,
            .sessionInvalid:
            401
        case .agentDisabled, .certificateNotPinned, .upgradeDenied: 403
        case .noRoute: 404
        case .methodNotAllowed: 405
        case .requestTimeout: 408
        case .bodyTooLarge: 413
        case .uriTooLong: 414
        case .expectationFailed: 417
        case .tlsRequired: 426
        case .rateLimited, .totpLocked: 429
        case .headersTooLarge: 431
        case .internalFault: 500
        case .upstreamBadResponse: 502
        case .upstreamUnavailable, .overloaded, .stateUnavailable, .draining: 503
        case .upstreamTimeout: 504
        case .httpVersion: 505
        }
    }

    /// For people: the `title` member (RFC 9457 §3.1.3), the same for each occurrence.
    package var title: StaticString {
        switch self {
        case .none: "OK"
        case .httpMalformed: "The request is not well-formed HTTP"
        case .pathAmbiguous: "The path can be read in two ways"
        case .credentialsMissing: "Credentials are needed"
        case .credentialsInvalid: "The credentials are not valid"
        case .totpRequired: "A one-time code is needed"
        case .totpInvalid: "The one-time code is not valid"
        case .sessionInvalid: "The session is not valid"
        case .agentDisabled: "The agent is disabled"
        case .certificateNotPinned: "The client certificate is not one of those allowed"
        case .upgradeDenied: "The upgrade is not allowed here"
        case .noRoute: "Nothing is served at this path"
        case .methodNotAllowed: "The method is not allowed here"
        case .requestTimeout: "The request took too long to arrive"
        case .bodyTooLarge: "The body is too large"
        case .uriTooLong: "The request line is too long"
        case .expectationFailed: "The expectation is not understood"
        case .headersTooLarge: "The header section is too large"
        case .httpVersion: "The HTTP version is not served"
        case .tlsRequired: "TLS is needed on this port"
        case .rateLimited: "Too many requests"
        case .totpLocked: "Too many wrong codes"
        case .internalFault: "The gateway has failed"
        case .upstreamBadResponse: "The upstream's answer was not usable"
        case .upstreamUnavailable: "The upstream cannot be reached"
        case .overloaded: "The gateway is at its limits"
        case .stateUnavailable: "The shared state cannot be reached"
        case .draining: "The gateway is shutting down"
        case .upstreamTimeout: "The upstream took too long to answer"
        }
    }

    /// What the caller can do about it. Nothing here helps to guess a secret.
    package var detail: StaticString {
        switch self {
        case .none: ""
        case .credentialsMissing: "Send an API key: Authorization: Bearer <key>."
        case .credentialsInvalid: "No agent has these credentials, or they were sent twice."
        case .totpRequired: "Send the current code: X-AgentPort-TOTP: <digits>."
        case .totpInvalid: "Wait for the next code: each is good once, for a short time."
        case .sessionInvalid: "Send a one-time code to get a new session."
        case .totpLocked: "Wait before the next try."
        case .agentDisabled: "An operator has to enable the agent."
        case .certificateNotPinned: "Connect with a certificate whose key is pinned here."
        case .tlsRequired: "Connect with TLS 1.3."
        case .rateLimited: "Send fewer requests, or wait as Retry-After says."
        case .upstreamUnavailable, .overloaded, .draining, .stateUnavailable:
            "Try again as Retry-After says."
        case .pathAmbiguous: "Write the path without encoded separators and dot segments."
        case .upgradeDenied: "This route does not accept upgrades."
        case .expectationFailed: "Only 100-continue is understood."
        case .httpVersion: "Use HTTP/1.1."
        default: ""
        }
    }

    /// Seconds for `Retry-After`, where the answer carries a fixed one.
    package var retryAfterSeconds: Int? {
        switch self {
        case .upstreamUnavailable, .overloaded, .draining, .stateUnavailable: 1
        default: nil
        }
    }

    /// Whether the connection is closed after this: it can't be trusted to be in step, or no
    /// request on it can fare better.
    package var closesConnection: Bool {
        switch self {
        case .httpMalformed, .requestTimeout, .uriTooLong, .headersTooLarge, .httpVersion,
            .bodyTooLarge, .tlsRequired, .certificateNotPinned, .overloaded, .draining,
            .internalFault:
            true
        default: false
        }
    }
}
