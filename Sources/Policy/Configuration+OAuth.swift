// SPDX-License-Identifier: Apache-2.0

extension Configuration {
    /// Whose access tokens are believed (RFC 9068), and what they say of agent and user.
    package struct OAuthIssuer: Sendable, Equatable {
        /// `iss`.
        package var issuer: String
        /// What `aud` must be or contain.
        package var audience: String
        /// Where the keys are that tokens are verified with.
        package var keySet: KeySetURL
        package var agentClaim = "client_id"
        package var userClaim = "sub"
    }

    /// Tokens that stand for an agent's key.
    package struct OAuthBinding: Sendable, Hashable {
        /// In ``Configuration/oauth``.
        package let issuerIndex: Int
        /// What the agent's claim says; `nil`: whatever it says.
        package let client: String?
    }
}

/// The URL of a key set: over TLS, or from this machine.
package struct KeySetURL: Sendable, Equatable, CustomStringConvertible {
    package let origin: UpstreamURL
    /// With its query, if any.
    package let path: String

    package init(_ text: String) throws(UpstreamURL.Fault) {
        guard text.utf8.count <= Bounds.urlBytesMax,
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !text.contains("#")
        else {
            throw UpstreamURL.Fault(
                "it must be at most \(Bounds.urlBytesMax) characters of visible ASCII without `#`")
        }
        let schemeEnd = text.hasPrefix("https://") ? 8 : 7
        let rest = text.utf8.dropFirst(schemeEnd)
        let pathStart = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }
        guard let pathStart, text.utf8[pathStart] == UInt8(ascii: "/") else {
            throw UpstreamURL.Fault("it must have a path, as in `https://idp.example/jwks`")
        }
        origin = try UpstreamURL(String(text[..<pathStart]))
        path = String(text[pathStart...])
        guard origin.isTLS || origin.address?.isLoopback == true else {
            throw UpstreamURL.Fault(
                "it must begin with `https://`: a key set that comes in the clear is anybody's")
        }
    }

    package var description: String { "\(origin)\(path)" }
}
