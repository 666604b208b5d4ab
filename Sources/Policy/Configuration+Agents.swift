// SPDX-License-Identifier: Apache-2.0

extension Configuration {
    package struct Agent: Sendable, Equatable {
        package var name: String
        /// What tokens say in `sub`.
        package var user: String
        package var scopes: [String]
        package var keys: AgentKeys
        /// SHA-256 of SubjectPublicKeyInfos, 32 bytes each; no other agent has one of them.
        package var clientPins: [[UInt8]]
        /// Whose access tokens stand for the agent's key; no other agent has the same.
        package var oauth: [OAuthBinding]
        package var totp: AgentTOTP
        package var rate: Rate

        package init(
            name: String, user: String? = nil, scopes: [String] = [], keys: AgentKeys,
            clientPins: [[UInt8]] = [], oauth: [OAuthBinding] = [], totp: AgentTOTP,
            rate: Rate = .standard
        ) {
            self.name = name
            self.user = user ?? name
            self.scopes = scopes
            self.keys = keys
            self.clientPins = clientPins
            self.oauth = oauth
            self.totp = totp
            self.rate = rate
        }
    }

    package enum AgentKeys: Sendable, Equatable {
        /// SHA-256 of each key, 32 bytes; none where something else takes the place of a key.
        case hashes([[UInt8]])
        /// The key itself lies in this file of the secrets directory.
        case apiKeyFromSecret(path: String)
        /// There is no such file: the key is made at first start and kept in the state directory.
        case madeAtFirstStart
    }

    package struct AgentTOTP: Sendable, Equatable {
        package var seedPath: String
        package var algorithm = TOTPAlgorithm.sha1
        /// 6 to 8.
        package var digits = 6
        package var periodMilliseconds = 30_000

        package init(seedPath: String) {
            self.seedPath = seedPath
        }
    }

    package enum TOTPAlgorithm: String, Sendable, CaseIterable {
        case sha1 = "SHA1"
        case sha256 = "SHA256"
        case sha512 = "SHA512"
    }

    package struct TOTPRules: Sendable, Equatable {
        /// Steps before and after the present one that still count.
        package var skew = 1
        package var oneTime = true
        package var maxFailures = 5
        package var lockoutMilliseconds = 30_000
        package var disableAfter = 100
        /// How long a superseded seed goes on where nobody says otherwise.
        package var rotationGraceMilliseconds = 300_000

        package init() {}
    }

    package struct Sessions: Sendable, Equatable {
        package var enabled = true
        package var lifetimeMilliseconds = 300_000
        /// Whether a session counts only from the address that opened it.
        package var bindAddress = true

        package init() {}
    }

    /// What tokens are signed with (RFC 7518 §3.1, RFC 8037 §3.1).
    package enum IssuerAlgorithm: String, Sendable, CaseIterable {
        case es256 = "ES256"
        case edDSA = "EdDSA"
        case rs256 = "RS256"
    }

    package struct Issuer: Sendable, Equatable {
        package var name = "agentport"
        package var audience = "openclaw-prod"
        package var algorithm = IssuerAlgorithm.es256
        package var lifetimeMilliseconds = 60_000
        package var reuse = true
        package var legacyHeader = false
        /// How often the signing key is changed; `nil`: only when somebody asks for it.
        package var rotateEveryMilliseconds: Int?

        package init() {}
    }
}
