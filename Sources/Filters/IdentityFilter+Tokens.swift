// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity
import Policy

/// Access tokens of other issuers, in the place of an API key.
extension IdentityFilter {
    /// For so long a request stands still for keys that are being fetched; then it is answered that
    /// they are not there, which is no judgement of its token.
    private static let keysMilliseconds: UInt64 = 40

    mutating func identify(
        _ facts: inout RequestFacts, token bytes: Span<UInt8>, _ digest: SHA256Digest
    ) -> Finding {
        let now = facts.now / 1_000_000
        let issuerKeys = state.issuerKeys
        let hit = tokens?.find(digest, now: facts.wallSeconds) { issuerKeys[$0].version(now: now) }
        if let hit { return accept(&facts, hit.token, digest, agent: Int(hit.tag)) }
        var asked: IssuerKeys?
        do throws(AccessTokenFault) {
            let token = try AccessToken(bytes)
            let place = try token.issuer(among: state.issuers)
            asked = issuerKeys[place]
            let version = issuerKeys[place].version(now: now)
            guard version > 0 else {
                return awaitKeys(&facts, issuerKeys[place], now)
            }
            let candidate = try AccessTokenCandidate(
                token, of: state.issuers[place], place: place, keys: issuerKeys[place].set,
                now: facts.wallSeconds)
            if case .wait(let seconds) = state.tokenLimiter.take(facts.client, now: facts.now) {
                return .undecided(
                    facts.limited(by: state.tokenLimiter.limit, seconds, .enforce))
            }
            let verified = try candidate.verify()
            guard let agent = state.agent(of: verified) else { return .unknown }
            tokens?.keep(
                verified, digest, version: version, tag: UInt64(agent), now: facts.wallSeconds)
            return accept(&facts, verified, digest, agent: agent)
        } catch {
            guard case .unknownKey = error, let asked else { return .unknown }
            return awaitNewerKeys(&facts, asked, now)
        }
    }

    private func accept(
        _ facts: inout RequestFacts, _ token: VerifiedToken, _ digest: SHA256Digest, agent: Int
    ) -> Finding {
        facts.agent = agent
        facts.credential = digest
        facts.token = token
        facts.tokenRules = state.rules(of: token)
        facts.firstFactor = .password
        return .known
    }

    /// There are none yet, or none that are fresh enough to be believed.
    private func awaitKeys(
        _ facts: inout RequestFacts, _ keys: IssuerKeys, _ now: UInt64
    ) -> Finding {
        _ = keys.ask(now: now)
        return stand(&facts)
    }

    /// The token's key is not among those there are: the issuer may have a new one.
    private func awaitNewerKeys(
        _ facts: inout RequestFacts, _ keys: IssuerKeys, _ now: UInt64
    ) -> Finding {
        guard keys.ask(now: now) else { return .unknown }
        return stand(&facts)
    }

    private func stand(_ facts: inout RequestFacts) -> Finding {
        let now = facts.steadyMilliseconds
        if facts.keysAwaitedUntil == 0 { facts.keysAwaitedUntil = now + Self.keysMilliseconds }
        guard now < facts.keysAwaitedUntil else {
            return .undecided(.refuse(.stateUnavailable))
        }
        return .undecided(.wait(.state))
    }
}
