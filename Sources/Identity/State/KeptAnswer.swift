// SPDX-License-Identifier: Apache-2.0

import Crypto

/// What a rotation was answered with, so that the same call made again does nothing and says the
/// same (`Idempotency-Key`).
package struct KeptAnswer: Sendable, Equatable {
    /// SHA-256 of the idempotency key.
    package let key: SHA256Digest
    /// SHA-256 of what was asked for.
    package let request: SHA256Digest
    /// Milliseconds since the epoch.
    package let at: UInt64
    package let rotationID: String
    package let traceID: String
    package let agent: String
    package let oldEndsAt: UInt64

    private static let lifeMilliseconds: UInt64 = 24 * 60 * 60 * 1000

    package func counts(at now: UInt64) -> Bool { now <= at + Self.lifeMilliseconds }

    package init(
        key: SHA256Digest, request: SHA256Digest, at: UInt64, rotationID: String, traceID: String,
        agent: String, oldEndsAt: UInt64
    ) {
        self.key = key
        self.request = request
        self.at = at
        self.rotationID = rotationID
        self.traceID = traceID
        self.agent = agent
        self.oldEndsAt = oldEndsAt
    }
}
