// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import HTTP1
import Identity
import Policy

/// Finds the agent behind the first factor (an API key, an access token, a client's certificate),
/// and takes out the code or session sent with it.
///
/// An unknown agent, a wrong key and credentials sent twice get one answer, whatever code came
/// along, and none of them touches state.
struct IdentityFilter: ~Copyable {
    let state: GateState
    var hasher: Hasher256
    /// Tokens whose signature was right; `nil` where no issuer is believed.
    var tokens: VerifiedTokenCache?

    /// What a credential came to.
    enum Finding: Equatable {
        case known
        case unknown
        /// Not to be judged now.
        case undecided(Verdict)
    }

    init(_ state: GateState) throws(CryptoError) {
        hasher = try Hasher256()
        tokens = state.issuers.isEmpty ? nil : VerifiedTokenCache()
        self.state = state
    }

    mutating func judge(
        _ facts: inout RequestFacts, _ head: borrowing RequestHead, _ bytes: Span<UInt8>
    ) -> Verdict {
        switch identify(&facts, head, bytes) {
        case .known: return .pass
        case .undecided(let verdict):
            facts.agent = -1
            return verdict
        case .unknown:
            // A right key under another agent's name has proven nothing.
            facts.agent = -1
            facts.token = nil
            facts.tokenRules = 0
            return .refuse(.credentialsInvalid)
        }
    }

    private mutating func identify(
        _ facts: inout RequestFacts, _ head: borrowing RequestHead, _ bytes: Span<UInt8>
    ) -> Finding {
        guard head.count(of: .authorization) <= 1, head.count(of: .agentPortTOTP) <= 1,
            head.count(of: .agentPortSession) <= 1
        else { return .unknown }
        // Of a request that stood still for keys, the first judgement has found these already.
        facts.code = .none
        facts.session = 0..<0
        if let code = head.value(.agentPortTOTP, in: bytes) { facts.code = SentCode(code) }
        if let session = head.first(.agentPortSession) {
            facts.session = head[session].valueRange
            // An empty token is a token that was sent, and no session has it.
            guard !facts.code.isSent else { return .unknown }
        }
        let pinned = facts.clientPin.flatMap { state.pins.find($0) }
        var finding: Finding
        if let field = head.first(.authorization) {
            guard !head.offersCredentials(bytes) else { return .unknown }
            finding = identify(&facts, authorization: head[field].value(in: bytes), head)
        } else if head.offersCredentials(bytes) {
            finding = identifyByProtocols(&facts, head, bytes, pinned)
        } else {
            finding = identify(&facts, certificateOf: pinned)
        }
        // A certificate and a key that name different agents prove neither.
        if finding == .known, let pinned, pinned != facts.agent { finding = .unknown }
        return finding
    }

    /// The certificate takes the place of the key, never of the code.
    func identify(_ facts: inout RequestFacts, certificateOf agent: Int?) -> Finding {
        guard let agent, let pin = facts.clientPin else {
            return .undecided(.refuse(.credentialsMissing))
        }
        facts.agent = agent
        facts.credential = pin
        facts.firstFactor = .softwareKey
        return .known
    }

    private mutating func identify(
        _ facts: inout RequestFacts, authorization value: Span<UInt8>, _ head: borrowing RequestHead
    ) -> Finding {
        switch AuthorizationHeader.parse(value) {
        case .bearer(let key): identify(&facts, bearer: value.extracting(key))
        case .agentPort(let agent, let key, let code):
            identify(&facts, value, agent: agent, key: key, code: code, head)
        case .basic(let credentials): identify(&facts, credentials, head)
        case .malformed, .unsupported: .unknown
        }
    }

    /// An API key, or what has the form of an access token.
    mutating func identify(_ facts: inout RequestFacts, bearer: Span<UInt8>) -> Finding {
        let digest = hasher.digest(bearer)
        if let agent = state.keys.find(digest) {
            facts.agent = agent
            facts.credential = digest
            facts.firstFactor = .password
            return .known
        }
        guard !state.issuers.isEmpty, AccessToken.hasForm(bearer) else { return .unknown }
        return identify(&facts, token: bearer, digest)
    }

    /// `Authorization: AgentPort agent="…", key="…", totp="…"`.
    private mutating func identify(
        _ facts: inout RequestFacts, _ value: Span<UInt8>, agent: Range<Int>, key: Range<Int>,
        code: Range<Int>?, _ head: borrowing RequestHead
    ) -> Finding {
        if let code {
            guard !facts.code.isSent, !head.contains(.agentPortSession) else { return .unknown }
            facts.code = SentCode(value.extracting(code))
        }
        let finding = identify(&facts, bearer: value.extracting(key))
        guard finding == .known else { return finding }
        return isNamed(facts.agent, value.extracting(agent)) ? .known : .unknown
    }

    /// `Basic agent:key+code`. With a code or session in a header of its own, all of the password
    /// is the key.
    private mutating func identify(
        _ facts: inout RequestFacts, _ credentials: BasicCredentials, _ head: borrowing RequestHead
    ) -> Finding {
        let text = credentials.decoded.span
        let agent = text.extracting(credentials.agent)
        var key = credentials.secret
        if !facts.code.isSent, !head.contains(.agentPortSession) {
            guard let parts = credentials.split(digits: digits(of: agent)) else { return .unknown }
            key = parts.key
            facts.code = SentCode(text.extracting(parts.code))
        }
        let finding = identify(&facts, bearer: text.extracting(key))
        guard finding == .known else { return finding }
        return isNamed(facts.agent, agent) ? .known : .unknown
    }

    private func isNamed(_ agent: Int, _ name: Span<UInt8>) -> Bool {
        let expected = state.roster.names[agent]
        return expected.span.equals(name)
    }

    /// How long a code of the agent of that name is; as long as most where there is none.
    private func digits(of name: Span<UInt8>) -> Int {
        for (agent, place) in state.roster.places.enumerated()
        where place >= 0 && isNamed(agent, name) {
            return state.agents[place].totp.digits
        }
        return 6
    }
}
