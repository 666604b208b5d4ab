// SPDX-License-Identifier: Apache-2.0

/// Why an access token is not believed; for the log and for counters, never for whoever sent it.
package enum AccessTokenFault: Error, Equatable, Sendable {
    case tooLong
    /// Not three parts of base64url, or no strict JSON in the first two.
    case malformed
    /// `alg` is none of ours, or not the key's own.
    case algorithm
    /// A header that says more than who signed it, such as `crit` or `jwk`.
    case header
    /// `typ` is that of something else than an access token.
    case type
    /// The issuer's keys have no such one, and newer ones may; without a `kid` none of its
    /// algorithm.
    case unknownKey(String?)
    /// There is no `kid`, and several keys may be meant.
    case ambiguousKey
    case issuer
    case audience
    /// `exp`, `nbf` or `iat` is missing or no date.
    case date
    case expired
    case notYetValid
    /// The claim that names the agent, or that which names the user, is missing or not what an
    /// identity may be.
    case identity
    case scope
    case signature

    /// A word of the log and of metrics; there are no more of them than cases.
    package var label: StaticString {
        switch self {
        case .tooLong: "too_long"
        case .malformed: "malformed"
        case .algorithm: "algorithm"
        case .header: "header"
        case .type: "type"
        case .unknownKey: "unknown_key"
        case .ambiguousKey: "ambiguous_key"
        case .issuer: "issuer"
        case .audience: "audience"
        case .date: "date"
        case .expired: "expired"
        case .notYetValid: "not_yet_valid"
        case .identity: "identity"
        case .scope: "scope"
        case .signature: "signature"
        }
    }
}
