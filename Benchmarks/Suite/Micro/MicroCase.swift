// SPDX-License-Identifier: Apache-2.0

/// Makes so many calls of what is measured; the result depends on each of them, so that none is
/// left out by the compiler.
typealias Calls = (_ count: Int) throws -> Int

/// One thing that is measured: prepares it, then hands its calls to whoever measures.
struct MicroCase: Sendable {
    let name: String
    /// Calls that callgrind sees; fewer where one is long.
    let callsCounted: Int
    private let body: @Sendable (_ measure: (Calls) throws -> Void) throws -> Void

    init(
        _ name: String, callsCounted: Int = 1000,
        _ body: @escaping @Sendable (_ measure: (Calls) throws -> Void) throws -> Void
    ) {
        self.name = name
        self.callsCounted = callsCounted
        self.body = body
    }

    static let all: [MicroCase] = [
        .requestHead, .responseHead, .headWriting, .totpCheck, .tokenDigest, .sessionLookUp,
        .jwtSigning, .base64URLEncoding, .base64URLDecoding, .jsonReading, .timerMove,
        .timerExpiry, .addressRateLimit, .agentRateLimit, .chainWithSession, .jwtSigningEdDSA,
        .jwtSigningRS256, .tokenFirstES256, .tokenFirstRS256, .tokenFirstEdDSA, .tokenJudged,
        .tokenCached, .tokenLookUp, .keySetReading,
    ]

    /// - Parameter text: names with commas between them.
    static func list(_ text: String) throws(BenchmarkFault) -> [MicroCase] {
        var cases: [MicroCase] = []
        for name in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let found = all.first(where: { $0.name == name }) else {
                throw .usage("`--case`: no case is named `\(name)`; `--list` names them")
            }
            cases.append(found)
        }
        return cases
    }

    func measure(_ measure: (Calls) throws -> Void) throws(BenchmarkFault) {
        do {
            try body(measure)
        } catch let fault as BenchmarkFault {
            throw .failed("\(name): \(fault.reason)")
        } catch {
            throw .failed("\(name): \(error)")
        }
    }

    /// Makes the calls and measures nothing.
    func run(count: Int) throws(BenchmarkFault) {
        try measure { calls in Sink.take(try calls(count)) }
    }
}
