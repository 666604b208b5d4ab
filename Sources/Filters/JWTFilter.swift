// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity
import Policy

/// Signs what the upstream is to trust: who asked, proven how, for how long.
///
/// A request that passed by a code gets a token of its own. Those of one session share one while
/// more than half of its life is left: a signature costs more than all other filters together.
struct JWTFilter: ~Copyable {
    private let state: GateState
    private var writer: JWTWriter
    private var random = RandomSource()
    /// Whether the last token was signed anew.
    var signed = false

    init(_ state: GateState) throws(IdentityError) {
        writer = try JWTWriter(key: state.signingKey)
        self.state = state
    }

    /// Leaves the token in `token`, which is empty.
    mutating func judge(_ facts: inout RequestFacts, into token: inout Buffer) -> Verdict {
        guard let session = facts.openSession else {
            // The end of an access token is a time of day.
            let left = facts.token.map { ($0.expires - min($0.expires, facts.wallSeconds)) * 1000 }
            return sign(&facts, left: left, sid: nil, into: &token)
                ? .pass : .refuse(.internalFault)
        }
        if state.issuer.reuse,
            state.sessions.cachedToken(
                session.ref, audience: facts.upstream, epoch: state.epoch,
                now: facts.steadyMilliseconds, into: &token)
        {
            return .pass
        }
        let end = session.expiresMilliseconds
        let left = end - min(end, facts.steadyMilliseconds)
        guard sign(&facts, left: left, sid: session.sid, into: &token) else {
            return .refuse(.internalFault)
        }
        if state.issuer.reuse {
            let life = UInt64(state.issuer.lifetimeMilliseconds)
            state.sessions.storeToken(
                session.ref, audience: facts.upstream, epoch: state.epoch,
                issuedMilliseconds: facts.steadyMilliseconds,
                expiresMilliseconds: min(facts.steadyMilliseconds + life, end),
                bytes: token.readable)
        }
        return .pass
    }

    /// - Parameter left: milliseconds to the end of the session or the access token, which the
    ///   token never outlives.
    private mutating func sign(
        _ facts: inout RequestFacts, left: UInt64?, sid: PublicID?, into token: inout Buffer
    ) -> Bool {
        signed = true
        var life = UInt64(state.issuer.lifetimeMilliseconds)
        if let left { life = min(life, left) }
        return writer.write(
            state.claims(&facts),
            TokenFacts(
                authTime: min(facts.authenticatedAt / 1000, facts.wallSeconds),
                issued: facts.wallSeconds, expires: facts.wallSeconds + max(1, life / 1000),
                sid: sid),
            random: &random, into: &token)
    }
}
