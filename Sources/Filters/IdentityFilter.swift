// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import HTTP1
import Identity
import Policy

/// Finds the agent behind the first factor, and takes out the code or session sent with it.
///
/// An unknown agent, a wrong key and credentials sent twice get one answer, whatever code came
/// along, and none of them touches state.
struct IdentityFilter: ~Copyable {
    private let state: GateState
    private var hasher: Hasher256

    init(_ state: GateState) throws(CryptoError) {
        hasher = try Hasher256()
        self.state = state
    }

    mutating func judge(
        _ facts: inout RequestFacts, _ head: borrowing RequestHead, _ bytes: Span<UInt8>
    ) -> Verdict {
        let fields = head.first(.authorization)
        guard let fields else { return .refuse(.credentialsMissing) }
        guard head.count(of: .authorization) == 1, head.count(of: .agentPortTOTP) <= 1,
            head.count(of: .agentPortSession) <= 1
        else { return .refuse(.credentialsInvalid) }
        if let code = head.value(.agentPortTOTP, in: bytes) { facts.code = SentCode(code) }
        if let session = head.first(.agentPortSession) {
            facts.session = head[session].valueRange
            // An empty token is a token that was sent, and no session has it.
            guard !facts.code.isSent else { return .refuse(.credentialsInvalid) }
        }
        let value = head[fields].value(in: bytes)
        let isKnown =
            switch AuthorizationHeader.parse(value) {
            case .bearer(let key):
                identify(&facts, key: value.extracting(key))
            case .agentPort(let agent, let key, let code):
                identify(&facts, value, agent: agent, key: key, code: code, head)
            case .basic(let credentials):
                identify(&facts, credentials, head)
            case .malformed, .unsupported:
                false
            }
        guard isKnown else {
            // A right key under another agent's name has proven nothing.
            facts.agent = -1
            return .refuse(.credentialsInvalid)
        }
        return .pass
    }

    private mutating func identify(_ facts: inout RequestFacts, key: Span<UInt8>) -> Bool {
        let digest = hasher.digest(key)
        guard let agent = state.keys.find(digest) else { return false }
        facts.agent = agent
        facts.credential = digest
        return true
    }

    /// `Authorization: AgentPort agent="…", key="…", totp="…"`.
    private mutating func identify(
        _ facts: inout RequestFacts, _ value: Span<UInt8>, agent: Range<Int>, key: Range<Int>,
        code: Range<Int>?, _ head: borrowing RequestHead
    ) -> Bool {
        if let code {
            guard !facts.code.isSent, !head.contains(.agentPortSession) else { return false }
            facts.code = SentCode(value.extracting(code))
        }
        guard identify(&facts, key: value.extracting(key)) else { return false }
        return isNamed(facts.agent, value.extracting(agent))
    }

    /// `Basic agent:key+code`. With a code or session in a header of its own, all of the password
    /// is the key.
    private mutating func identify(
        _ facts: inout RequestFacts, _ credentials: BasicCredentials, _ head: borrowing RequestHead
    ) -> Bool {
        let text = credentials.decoded.span
        let agent = text.extracting(credentials.agent)
        var key = credentials.secret
        if !facts.code.isSent, !head.contains(.agentPortSession) {
            guard let parts = credentials.split(digits: digits(of: agent)) else { return false }
            key = parts.key
            facts.code = SentCode(text.extracting(parts.code))
        }
        guard identify(&facts, key: text.extracting(key)) else { return false }
        return isNamed(facts.agent, agent)
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
