// SPDX-License-Identifier: Apache-2.0

import Bytes
import Filters
import Identity
import Policy
import Testing

@Suite("Credentials")
struct CredentialTests {
    // MARK: Who gets in

    @Test func aKeyAndACode() throws {
        let gate = try Gate()
        let answer = try gate.ask(gate.bearer(try gate.code()))
        #expect(answer.verdict == .pass)
        #expect(answer.position == gate.configuration.filters.count)
        #expect(answer.facts.agent == 0)
        #expect(answer.facts.credential == (try Rules.digest(of: Rules.keys[0])))
        #expect(gate.totpResult == "accepted")
    }

    @Test func eachKeyOfAnAgentIsACredentialOfItsOwn() throws {
        let gate = try Gate()
        let answer = try gate.ask(gate.bearer(try gate.code(), key: Rules.keys[2]))
        #expect(answer.verdict == .pass)
        #expect(answer.facts.agent == 0)
        #expect(answer.facts.credential == (try Rules.digest(of: Rules.keys[2])))
    }

    @Test func ourOwnScheme() throws {
        let gate = try Gate()
        let code = try gate.code()
        let parameters = #"AgentPort agent="weather", key="\#(Rules.keys[0])""#
        let whole = try gate.ask([#"Authorization: \#(parameters), totp="\#(code)""#])
        #expect(whole.verdict == .pass)
        gate.elapsed += 30_000
        let apart = try gate.ask([
            "Authorization: \(parameters)", "X-AgentPort-TOTP: \(try gate.code())",
        ])
        #expect(apart.verdict == .pass)
        let session = try #require(apart.sessionToken)
        let stood = try gate.ask([
            "Authorization: \(parameters)", "X-AgentPort-Session: \(session)",
        ])
        #expect(stood.verdict == .pass)
        #expect(try gate.ask(["Authorization: \(parameters)"]).problem == .totpRequired)
    }

    @Test func basicForToolsThatKnowNoOther() throws {
        let gate = try Gate()
        let code = try gate.code()
        #expect(try gate.ask(gate.basic("weather:\(Rules.keys[0])\(code)")).verdict == .pass)
        let long = try gate.code(1)
        #expect(long.count == 8)
        #expect(try gate.ask(gate.basic("ledger:\(Rules.keys[1])\(long)")).verdict == .pass)
        gate.elapsed += 30_000
        let next = ["X-AgentPort-TOTP: \(try gate.code())"]
        let opened = try gate.ask(gate.basic("weather:\(Rules.keys[0])") + next)
        #expect(opened.verdict == .pass)
        let session = try #require(opened.sessionToken)
        let stood = gate.basic("weather:\(Rules.keys[0])") + ["X-AgentPort-Session: \(session)"]
        #expect(try gate.ask(stood).verdict == .pass)
    }

    @Test func eightDigitsOfAnotherAlgorithm() throws {
        let gate = try Gate()
        let answer = try gate.ask(gate.bearer(try gate.code(1), key: Rules.keys[1]))
        #expect(answer.verdict == .pass)
        #expect(answer.facts.agent == 1)
    }

    @Test func aSchemesNameHasNoCase() throws {
        let gate = try Gate()
        let fields = [
            "authorization: BEARER \(Rules.keys[0])", "x-agentport-totp: \(try gate.code())",
        ]
        #expect(try gate.ask(fields).verdict == .pass)
    }

    // MARK: Who does not

    /// KEY and CODE are right ones, SESSION a live session's token, WRONG a wrong code.
    static let refusals: [([String], Problem)] = [
        ([], .credentialsMissing),
        (["X-AgentPort-TOTP: CODE"], .credentialsMissing),
        (["X-AgentPort-Session: SESSION"], .credentialsMissing),
        (["Authorization:"], .credentialsInvalid),
        (["Authorization: Bearer"], .credentialsInvalid),
        (["Authorization: Bearer nobody", "X-AgentPort-TOTP: CODE"], .credentialsInvalid),
        (["Authorization: Bearer KEYx", "X-AgentPort-TOTP: CODE"], .credentialsInvalid),
        (["Authorization: Bearer KEY x", "X-AgentPort-TOTP: CODE"], .credentialsInvalid),
        (["Authorization: Digest KEY", "X-AgentPort-TOTP: CODE"], .credentialsInvalid),
        (["Authorization: KEY", "X-AgentPort-TOTP: CODE"], .credentialsInvalid),
        (["Authorization: Bearer KEY"], .totpRequired),
        (["Authorization: Bearer KEY", "X-AgentPort-TOTP:"], .totpInvalid),
        (["Authorization: Bearer KEY", "X-AgentPort-TOTP: WRONG"], .totpInvalid),
        (["Authorization: Bearer KEY", "X-AgentPort-TOTP: 12345"], .totpInvalid),
        (["Authorization: Bearer KEY", "X-AgentPort-TOTP: 1234567"], .totpInvalid),
        (["Authorization: Bearer KEY", "X-AgentPort-TOTP: CODECODE"], .totpInvalid),
        (["Authorization: Bearer KEY", "X-AgentPort-TOTP: 12 345"], .totpInvalid),
        (["Authorization: Bearer KEY", "X-AgentPort-TOTP: +12345"], .totpInvalid),
        (["Authorization: Bearer KEY", "X-AgentPort-TOTP: CODE, CODE"], .totpInvalid),
        (["Authorization: Bearer KEY", "X-AgentPort-Session:"], .sessionInvalid),
        (["Authorization: Bearer KEY", "X-AgentPort-Session: x"], .sessionInvalid),
        (["Authorization: Bearer KEY", "X-AgentPort-Session: SESSIONx"], .sessionInvalid),
        // Two forms at once, or one of them twice.
        (
            [
                "Authorization: Bearer KEY", "X-AgentPort-TOTP: CODE",
                "X-AgentPort-Session: SESSION",
            ],
            .credentialsInvalid
        ),
        (
            ["Authorization: Bearer KEY", "X-AgentPort-TOTP: CODE", "X-AgentPort-Session:"],
            .credentialsInvalid
        ),
        (
            ["Authorization: Bearer KEY", "X-AgentPort-TOTP: CODE", "X-AgentPort-TOTP: CODE"],
            .credentialsInvalid
        ),
        (
            ["Authorization: Bearer KEY", "Authorization: Bearer KEY", "X-AgentPort-TOTP: CODE"],
            .credentialsInvalid
        ),
        (
            [
                "Authorization: Bearer KEY", "X-AgentPort-Session: SESSION",
                "X-AgentPort-Session: SESSION",
            ], .credentialsInvalid
        ),
        (
            [
                #"Authorization: AgentPort agent="weather", key="KEY", totp="CODE""#,
                "X-AgentPort-TOTP: CODE",
            ], .credentialsInvalid
        ),
        (
            [
                #"Authorization: AgentPort agent="weather", key="KEY", totp="CODE""#,
                "X-AgentPort-Session: SESSION",
            ], .credentialsInvalid
        ),
        (
            [#"Authorization: AgentPort agent="weather", key="KEY", totp="CODE", totp="CODE""#],
            .credentialsInvalid
        ),
        (
            [#"Authorization: AgentPort agent="ledger", key="KEY", totp="CODE""#],
            .credentialsInvalid
        ),
        (
            [#"Authorization: AgentPort agent="Weather", key="KEY", totp="CODE""#],
            .credentialsInvalid
        ),
        (
            [#"Authorization: AgentPort agent="weather", key="no", totp="CODE""#],
            .credentialsInvalid
        ),
        ([#"Authorization: AgentPort key="KEY", totp="CODE""#], .credentialsInvalid),
        ([#"Authorization: AgentPort agent="weather", key="KEY""#], .totpRequired),
        ([#"Authorization: AgentPort agent="weather", key="KEY", totp="""#], .totpInvalid),
        ([#"Authorization: AgentPort agent="weather", key="KEY", totp="WRONG""#], .totpInvalid),
        (["Authorization: Basic weather:KEYCODE"], .credentialsInvalid),
        (["Authorization: Basic B(ledger:KEYCODE)"], .credentialsInvalid),
        (["Authorization: Basic B(nobody:KEYCODE)"], .credentialsInvalid),
        (["Authorization: Basic B(weather:noCODE)"], .credentialsInvalid),
        (["Authorization: Basic B(weather:KEY)"], .credentialsInvalid),
        (["Authorization: Basic B(KEYCODE)"], .credentialsInvalid),
        (["Authorization: Basic B(weather:CODE)"], .credentialsInvalid),
        (["Authorization: Basic B(weather:KEYWRONG)"], .totpInvalid),
        (
            ["Authorization: Basic B(weather:KEYCODE)", "X-AgentPort-TOTP: CODE"],
            .credentialsInvalid
        ),
        (
            ["Authorization: Basic B(weather:KEYCODE)", "X-AgentPort-Session: SESSION"],
            .credentialsInvalid
        ),
    ]

    /// Everything that is no guess costs nothing: the code that came along is good afterwards.
    @Test(arguments: refusals)
    func whatIsRefusedCostsNothing(fields: [String], problem: Problem) throws {
        let gate = try Gate()
        let session = try gate.openSession()
        gate.elapsed += 30_000
        let code = try gate.code()
        let wrong = try gate.wrongCode()
        let filled = fields.map { field in
            let text = field.replacing("KEY", with: Rules.keys[0]).replacing("CODE", with: code)
                .replacing("SESSION", with: session).replacing("WRONG", with: wrong)
            guard let open = text.range(of: "B(") else { return text }
            let inner = String(text[open.upperBound...].dropLast())
            return gate.basic(inner)[0]
        }
        for _ in 0..<4 {
            let answer = try gate.ask(filled)
            #expect(answer.problem == problem)
            #expect(answer.facts.openSession == nil && answer.facts.grant == nil)
            #expect(answer.token == "")
            if problem == .credentialsInvalid || problem == .credentialsMissing {
                // Who was not identified is nobody, to the log and to whoever trusts an agent.
                #expect(answer.facts.agent == -1)
                #expect(gate.configuration.filters[answer.position] == .identity)
            } else {
                #expect(answer.facts.agent == 0)
                #expect(gate.configuration.filters[answer.position] == .totp)
            }
        }
        #expect(try gate.ask(gate.bearer(code)).verdict == .pass)
        #expect(try gate.ask(gate.withSession(session)).verdict == .pass)
    }

    @Test func noFormAtAllTouchesAnyonesFailures() throws {
        let gate = try Gate()
        for (fields, problem) in Self.refusals where problem != .totpInvalid {
            let filled = fields.map { $0.replacing("KEY", with: Rules.keys[0]) }
            for _ in 0..<6 { _ = try gate.ask(filled) }
        }
        for malformed in ["", "12345", "1234567", "12a456", "１23456"] {
            for _ in 0..<6 {
                let answer = try gate.ask(gate.bearer(malformed))
                #expect(answer.problem == .totpInvalid)
                #expect(gate.totpResult == "malformed")
            }
        }
        #expect(try gate.ask(gate.bearer(try gate.code())).verdict == .pass)
    }

    @Test func aPublicRouteAsksNobody() throws {
        let gate = try Gate()
        for fields in [[], ["Authorization: Bearer nobody"], gate.bearer(try gate.code())] {
            let answer = try gate.ask(fields, isPublic: true)
            #expect(answer.verdict == .pass)
            #expect(answer.facts.agent == -1)
            #expect(answer.token == "")
            #expect(gate.totpResult == "none")
        }
        #expect(try gate.ask(gate.bearer(try gate.code())).verdict == .pass)
        // Nor does what was signed before linger for it.
        #expect(try gate.ask([], isPublic: true).token == "")
    }

    @Test func anotherHeadersBytesAreNotRead() throws {
        let gate = try Gate()
        let answer = try gate.ask([
            "X-AgentPort-Totp-Extra: \(try gate.code())", "Authorization: Bearer \(Rules.keys[0])",
            "Proxy-Authorization: Bearer \(Rules.keys[0])",
        ])
        #expect(answer.problem == .totpRequired)
    }
}

extension String {
    fileprivate func range(of text: String) -> Range<String.Index>? { firstRange(of: text) }
}
