// SPDX-License-Identifier: Apache-2.0

import Crypto

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

/// What a session ends with.
package struct SessionBinding: Sendable {
    package let agent: Int
    /// Names the first factor: SHA-256 of an API key, a public key, or an access token.
    package let credential: SHA256Digest
    /// The record of accepted steps of the seed whose code opened it.
    package let seed: Int
    /// Names the rules by which an access token was believed; 0 for other first factors.
    package let issuer: Int
    /// `nil` where sessions are good from anywhere.
    package let address: ClientAddress?

    package init(
        agent: Int, credential: SHA256Digest, seed: Int, issuer: Int = 0, address: ClientAddress?
    ) {
        self.issuer = issuer
        self.agent = agent
        self.credential = credential
        self.seed = seed
        self.address = address
    }
}

/// What a live session says.
package struct SessionFacts: Sendable {
    package let ref: SessionRef
    package let sid: PublicID
    /// The record of accepted steps of the seed whose code opened it.
    package let seed: Int
    /// When the code was given, in milliseconds since the epoch.
    package let authTimeMilliseconds: UInt64
    /// The absolute end, in milliseconds since the epoch.
    package let expiresMilliseconds: UInt64
}

/// Which sessions an operator ends.
package enum SessionSelection: Sendable {
    case all
    case agent(Int)
    /// Those that began with one credential.
    case credential(agent: Int, SHA256Digest)
    /// Those that a code of one seed has opened, named by its record of accepted steps.
    case seed(agent: Int, record: Int)
    /// Those that began with an agent's access tokens.
    case tokens(agent: Int)
    /// Those that began with access tokens that were believed by these rules.
    case issuer(Int)
    case one(SessionRef)
    /// The one of this public name.
    case named(PublicID)
}
