// SPDX-License-Identifier: Apache-2.0

/// The field names that a gateway acts on; every other name is ``other``.
///
/// A raw value is a bit in a head's mask of names, so there are fewer than 64.
@usableFromInline
package enum FieldName: UInt8, Sendable {
    case other
    /// A name that equals one of those below only when `_` is read as `-`, as CGI-like upstreams
    /// read it. It never acts as the real field, and never reaches the upstream.
    case shadow

    case host, contentLength, transferEncoding, connection, keepAlive, proxyConnection, te, trailer
    case upgrade, expect, http2Settings, maxForwards
    case authorization, proxyAuthorization, proxyAuthenticate
    case contentType, contentEncoding, date, server, origin, cookie, setCookie, cacheControl
    case secWebSocketProtocol, secWebSocketKey, secWebSocketVersion, secWebSocketExtensions
    case secWebSocketAccept
    case agentPortTOTP, agentPortSession
    /// Any other `x-agentport-*`, the JWT among them.
    case agentPortOther
    case xForwardedToken
    /// What tells an upstream who is asking, or what for: `x-forwarded-user`, `-email`, `-groups`,
    /// `-preferred-username`, `x-auth-request-*`, `remote-user`, `x-remote-user`, `x-real-ip`,
    /// `x-original-url`, `x-rewrite-url`, `x-http-method-override`.
    case identity
    case xForwardedFor, xForwardedProto, xForwardedHost
    /// Any other `x-forwarded-*`.
    case xForwardedOther
    case forwarded, xRequestID, traceparent, tracestate
    /// Any `x-openclaw-*`.
    case openclaw

    /// The name's place in a head's mask of names.
    @inlinable var bit: UInt64 { 1 &<< UInt64(rawValue) }

    /// Fields of one connection, not of the message (RFC 9110 §7.6.1): not forwarded as they are.
    package var isHopByHop: Bool {
        switch self {
        case .connection, .keepAlive, .proxyConnection, .te, .trailer, .transferEncoding, .upgrade,
            .proxyAuthorization, .proxyAuthenticate, .http2Settings:
            true
        default:
            false
        }
    }

    /// Fields that a client may not send on to an upstream: the gateway sets them or nobody does.
    package var isRemovedFromRequests: Bool {
        switch self {
        case .shadow, .authorization, .agentPortTOTP, .agentPortSession, .agentPortOther,
            .xForwardedToken, .identity, .xForwardedFor, .xForwardedProto, .xForwardedHost,
            .forwarded, .xRequestID, .openclaw:
            true
        default:
            false
        }
    }

    /// Fields that change where a message ends or goes: refused in a trailer section
    /// (RFC 9110 §6.5.1).
    package var isRefusedInTrailers: Bool {
        switch self {
        case .host, .contentLength, .transferEncoding: true
        default: false
        }
    }

    /// Whether the name with `_` for `-` could pass for the real one somewhere to harm.
    var castsShadow: Bool {
        switch self {
        case .other, .shadow, .date, .server, .setCookie, .cacheControl: false
        default: true
        }
    }
}
