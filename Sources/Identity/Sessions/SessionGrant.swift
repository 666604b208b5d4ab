// SPDX-License-Identifier: Apache-2.0

/// Where a session lies in the table: good for the calls that follow a check, and for asking
/// later whether it still lives.
package struct SessionRef: Equatable, Sendable {
    let shard: Int32
    let slot: Int32
    /// Invariant: never 0, so that a record that was used again is told apart.
    let generation: UInt64
}

/// A new session, as the client is told of it.
package struct SessionGrant: Sendable {
    /// The credential itself: written into one response and kept nowhere.
    package let token: SessionToken
    package let session: SessionFacts
}

/// What a live session says.
package struct SessionFacts: Sendable {
    package let ref: SessionRef
    package let sid: PublicID
    /// When the code was given, in milliseconds since the epoch.
    package let authTimeMilliseconds: UInt64
    /// The absolute end, in milliseconds since the epoch.
    package let expiresMilliseconds: UInt64
}

/// Which sessions an operator ends.
package enum SessionSelection: Equatable, Sendable {
    case all
    case agent(Int)
    /// Those that began with one credential.
    case credential(agent: Int, credential: Int)
    case one(SessionRef)
}
