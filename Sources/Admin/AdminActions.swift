// SPDX-License-Identifier: Apache-2.0

import Crypto
import Identity

/// What the admin listener knows and does, each handed to it by whoever runs the gateway; all of it
/// on the control thread.
package struct AdminActions {
    /// Whether new requests should come here, and if not, why.
    package enum Readiness: Sendable, Equatable {
        case ready
        case draining
        case noUpstream

        var reason: String {
            switch self {
            case .ready: "ok"
            case .draining: "draining"
            case .noUpstream: "no upstream has an address yet"
            }
        }
    }

    package var readiness: () -> Readiness
    package var metrics: () -> [UInt8]
    package var status: () -> AdminStatus
    package var seeds: () -> [AgentSeedFacts]
    package var rotateSeed: (SeedRotation) -> Result<SeedRotated, AdminProblem>
    package var setEnabled: (_ agent: String, Bool) -> Result<AgentSwitched, AdminProblem>
    package var revokeSessions: (SessionsToEnd) -> Result<Int, AdminProblem>
    package var keys: () -> [SigningKeyFacts]
    /// The one that will sign.
    package var rotateKey: () -> Result<SigningKeyFacts, AdminProblem>
    /// How many sessions have ended.
    package var reload: () -> Result<Int, AdminProblem>
    package var drain: () -> Void
    /// Takes a call for the audit log.
    package var audit: (AdminAudit) -> Void
    /// SHA-256 of the admin token; `nil` where there is none.
    package var token: () -> SHA256Digest?
    /// Monotonic milliseconds, and milliseconds since the epoch.
    package var now: () -> (monotonic: UInt64, wall: UInt64)

    package init(
        readiness: @escaping () -> Readiness, metrics: @escaping () -> [UInt8],
        status: @escaping () -> AdminStatus, seeds: @escaping () -> [AgentSeedFacts],
        rotateSeed: @escaping (SeedRotation) -> Result<SeedRotated, AdminProblem>,
        setEnabled: @escaping (String, Bool) -> Result<AgentSwitched, AdminProblem>,
        revokeSessions: @escaping (SessionsToEnd) -> Result<Int, AdminProblem>,
        keys: @escaping () -> [SigningKeyFacts],
        rotateKey: @escaping () -> Result<SigningKeyFacts, AdminProblem>,
        reload: @escaping () -> Result<Int, AdminProblem>, drain: @escaping () -> Void,
        audit: @escaping (AdminAudit) -> Void,
        token: @escaping () -> SHA256Digest?,
        now: @escaping () -> (monotonic: UInt64, wall: UInt64)
    ) {
        self.readiness = readiness
        self.metrics = metrics
        self.status = status
        self.seeds = seeds
        self.rotateSeed = rotateSeed
        self.setEnabled = setEnabled
        self.revokeSessions = revokeSessions
        self.keys = keys
        self.rotateKey = rotateKey
        self.reload = reload
        self.drain = drain
        self.audit = audit
        self.token = token
        self.now = now
    }
}

/// One call and what came of it.
package struct AdminAudit {
    package let method: String
    package let path: String
    package let status: Int
    /// `ok`, or the problem's.
    package let code: String
    package let client: String
    package let requestID: String
    package let traceID: String
    /// Calls before this one, of callers without a token, that were too many to be told.
    package let untold: Int
}

/// A seed to put in force.
package struct SeedRotation {
    package let agent: String
    /// In base32, as it was sent.
    package let seed: SecretBytes
    /// When the present seed ends, in milliseconds since the epoch; `nil` for the usual grace.
    package let oldEndsAt: UInt64?
    package let idempotencyKey: String?
    package let traceID: String
}

package struct SeedRotated: Equatable {
    package let rotationID: String
    package let traceID: String
    package let agent: String
    package let oldEndsAt: UInt64

    package init(rotationID: String, traceID: String, agent: String, oldEndsAt: UInt64) {
        self.rotationID = rotationID
        self.traceID = traceID
        self.agent = agent
        self.oldEndsAt = oldEndsAt
    }
}

/// An agent's seeds, without a byte of them.
package struct AgentSeedFacts {
    package struct Seed {
        package let fingerprint: SHA256Digest
        package let since: UInt64
        package let origin: SecretOrigin
        /// `nil` for the one in force.
        package let endsAt: UInt64?

        package init(_ seed: KeptSeed, endsAt: UInt64?) {
            fingerprint = seed.fingerprint
            since = seed.since
            origin = seed.origin
            self.endsAt = endsAt
        }
    }

    package let agent: String
    package let isDisabled: Bool
    package let seeds: [Seed]

    package init(agent: String, isDisabled: Bool, seeds: [Seed]) {
        self.agent = agent
        self.isDisabled = isDisabled
        self.seeds = seeds
    }
}

package struct AgentSwitched: Equatable {
    package let hasChanged: Bool
    package let sessionsEnded: Int

    package init(hasChanged: Bool, sessionsEnded: Int) {
        self.hasChanged = hasChanged
        self.sessionsEnded = sessionsEnded
    }
}

package enum SessionsToEnd: Equatable {
    case all
    case agent(String)
    /// By the name that tokens carry as `sid`.
    case named(String)
}

package struct SigningKeyFacts: Equatable {
    package enum Stage: String {
        /// Published, and to sign later.
        case next
        case signing
        case retired
    }

    package let id: String
    package let algorithm: String
    package let stage: Stage
    package let origin: String
    package let since: UInt64
    package let signsFrom: UInt64
    /// 0 where no end is known.
    package let keptUntil: UInt64?

    package init(_ key: KeptKey, _ stage: Stage) {
        id = key.id
        algorithm = "\(key.key.algorithm.name)"
        self.stage = stage
        origin = key.origin.name
        since = key.since
        signsFrom = key.signsFrom.wall
        keptUntil = key.keptUntil?.wall
    }
}
