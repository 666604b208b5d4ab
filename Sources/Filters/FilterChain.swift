// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import HTTP1
import Identity
import Policy
import Telemetry

/// Decides about a request: one worker's filters, run in the order of the policy.
///
/// The filters are concrete values, and the order is an array of names switched over: no call
/// goes through a box.
package struct FilterChain: ~Copyable {
    package enum Kind: UInt8, Sendable {
        case tlsInspector, clientPins, ipRateLimit, identity, totp, agentRateLimit, jwt
        /// Says ``FilterChain/hold``. No configuration names it: it shows what becomes of a
        /// request that has to wait.
        case hold
    }

    /// Invariant: checked by the policy to be a safe order.
    package var order: [Kind]
    package var hold = Verdict.pass
    private let tlsInspector = TLSInspectorFilter()
    private let clientPins: ClientPinsFilter
    private let ipRateLimit: IPRateLimitFilter
    private var identity: IdentityFilter
    private var totp: TOTPFilter
    private let agentRateLimit: AgentRateLimitFilter
    private var jwt: JWTFilter
    /// What `jwt` signed for the request that ran last; empty where it came not so far.
    package var token = Buffer()

    /// - Parameters:
    ///   - ipLimiter: shared by the workers; `nil` where the chain has none.
    ///   - pool: lends the token's slab for good.
    package init(
        _ filters: [Configuration.FilterUse], state: GateState, ipLimiter: AddressRateLimiter?,
        pool: inout SlabPool
    ) throws(IdentityError) {
        let identity: IdentityFilter
        do throws(CryptoError) {
            identity = try IdentityFilter(state)
        } catch {
            throw .cryptography
        }
        let totp = try TOTPFilter(state)
        let jwt = try JWTFilter(state)
        order = filters.compactMap(Kind.init)
        clientPins = state.clientPins
        ipRateLimit = IPRateLimitFilter(
            limiter: ipLimiter, mode: filters.mode(of: "ip_rate_limit"))
        self.identity = identity
        self.totp = totp
        agentRateLimit = AgentRateLimitFilter(
            limiter: state.agentLimiter, mode: filters.mode(of: "agent_rate_limit"))
        self.jwt = jwt
        let isAttached = token.attach(from: &pool)
        precondition(isAttached)
    }

    /// Runs the filters from `position` on, until one does not pass.
    ///
    /// - Parameters:
    ///   - bytes: the head, and what has come of the body.
    ///   - position: where the chain stood still before, else 0.
    ///   - afterEach: called with the position of each filter that has run, for whoever keeps time.
    package mutating func run(
        _ facts: inout RequestFacts, _ head: borrowing RequestHead, _ bytes: Span<UInt8>,
        from position: Int = 0, afterEach: (_ position: Int) -> Void = { _ in }
    ) -> ChainOutcome {
        var position = position
        totp.lastAttempt = .none
        totp.lastFailure = nil
        jwt.signed = false
        // The last request's token must not be there for one that got none.
        token.clear()
        while position < order.count {
            let kind = order[position]
            // A public route asks nobody who they are, and tells nobody.
            if !facts.isPublic || kind.judgesPublicRoutes {
                let verdict = judge(kind, &facts, head, bytes)
                if let problem = facts.overlooked {
                    facts.overlooked = nil
                    facts.shadow = Shadow(position: position, problem: problem)
                }
                afterEach(position)
                guard verdict == .pass else {
                    return ChainOutcome(verdict: verdict, position: position)
                }
            }
            position += 1
        }
        return ChainOutcome(verdict: .pass, position: position)
    }

    private mutating func judge(
        _ kind: Kind, _ facts: inout RequestFacts, _ head: borrowing RequestHead,
        _ bytes: Span<UInt8>
    ) -> Verdict {
        switch kind {
        case .tlsInspector: return tlsInspector.judge(&facts)
        case .clientPins: return clientPins.judge(&facts)
        case .ipRateLimit: return ipRateLimit.judge(&facts)
        case .identity: return identity.judge(&facts, head, bytes)
        case .totp: return totp.judge(&facts, bytes, hasSession: head.contains(.agentPortSession))
        case .agentRateLimit: return agentRateLimit.judge(&facts)
        case .jwt: return jwt.judge(&facts, into: &token)
        case .hold: return hold
        }
    }

    /// The kinds of the filters before a position, as bits.
    package func kinds(before position: Int) -> UInt16 {
        order[..<position].reduce(0) { $0 | 1 << UInt16($1.rawValue) }
    }

    /// Where the first filter stands that is none of these kinds: where a request goes on that has
    /// passed these in another chain.
    package func position(behind kinds: UInt16) -> Int {
        order.firstIndex { kinds & 1 << UInt16($0.rawValue) == 0 } ?? order.count
    }

    /// Whether the request that ran last was given a newly signed token.
    package var hasSigned: Bool { jwt.signed }

    /// What a wrong code in the request that ran last led to.
    package var failureOutcome: FailureOutcome? { totp.lastFailure }

    /// What the request that ran last did to the second factor; `nil` where it came not so far.
    package var totpResult: TOTPResult? {
        switch totp.lastAttempt {
        case .none, .disabled, .session, .missing: nil
        case .accepted: .accepted
        case .wrong: .invalid
        case .reused: .reused
        case .locked: .locked
        case .malformed: .malformed
        }
    }
}

extension [Configuration.FilterUse] {
    fileprivate func mode(of name: String) -> Configuration.FilterMode {
        first { $0.name == name }?.mode ?? .enforce
    }
}

extension FilterChain.Kind {
    var judgesPublicRoutes: Bool {
        switch self {
        case .tlsInspector, .clientPins, .ipRateLimit, .hold: true
        case .identity, .totp, .agentRateLimit, .jwt: false
        }
    }

    /// `nil` for a filter that is not built.
    package init?(_ use: Configuration.FilterUse) {
        switch use {
        case .tlsInspector: self = .tlsInspector
        case .clientPins: self = .clientPins
        case .ipRateLimit: self = .ipRateLimit
        case .identity: self = .identity
        case .totp: self = .totp
        case .agentRateLimit: self = .agentRateLimit
        case .jwt: self = .jwt
        case .inspect: return nil
        }
    }
}
