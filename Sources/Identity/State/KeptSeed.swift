// SPDX-License-Identifier: Apache-2.0

import Crypto

/// Who brought a seed or a signing key.
package enum SecretOrigin: UInt8, Sendable {
    case file = 0
    case call = 1
    /// The gateway itself: at its first start, or when a schedule said so.
    case made = 2

    package var name: String {
        switch self {
        case .file: "file"
        case .call: "call"
        case .made: "made"
        }
    }
}

/// A seed as it is kept over restarts; how codes are made from it, the configuration says.
package struct KeptSeed: Sendable {
    package let secret: SecretBytes
    package let fingerprint: SHA256Digest
    /// Since when it counts, in milliseconds since the epoch.
    package let since: UInt64
    package let origin: SecretOrigin

    package init(
        secret: SecretBytes, fingerprint: SHA256Digest, since: UInt64, origin: SecretOrigin
    ) {
        self.secret = secret
        self.fingerprint = fingerprint
        self.since = since
        self.origin = origin
    }

    package init(_ seed: TOTPSeed, since: UInt64, origin: SecretOrigin) {
        self.init(
            secret: seed.secret, fingerprint: seed.fingerprint, since: since, origin: origin)
    }
}

/// The seeds of one agent: the one in force, and until its end the one that it has superseded.
package struct LiveSeeds: Sendable {
    package internal(set) var current: KeptSeed
    package internal(set) var previous: Ending?
    /// Whether the agent is disabled: no change of seeds enables it.
    package internal(set) var isDisabled = false

    package struct Ending: Sendable {
        package let seed: KeptSeed
        package let end: Deadline
    }

    init(_ current: KeptSeed) {
        self.current = current
    }

    var fingerprints: [SHA256Digest] {
        [current.fingerprint] + (previous.map { [$0.seed.fingerprint] } ?? [])
    }

    func has(_ fingerprint: SHA256Digest) -> Bool {
        current.fingerprint == fingerprint || previous?.seed.fingerprint == fingerprint
    }

    /// For use, with the agent's parameters.
    package func seeds(_ parameters: TOTPParameters) throws(IdentityError) -> AgentSeeds {
        AgentSeeds(
            try TOTPSeed(secret: current.secret, parameters: parameters),
            previous: try previous.map { ending throws(IdentityError) in
                EndingSeed(
                    try TOTPSeed(secret: ending.seed.secret, parameters: parameters),
                    end: ending.end)
            },
            isDisabled: isDisabled)
    }
}
