// SPDX-License-Identifier: Apache-2.0

import Identity

/// The bytes of the request that is sent again and again, and what it proves who it is with.
package struct RequestMaker {
    package enum Credentials {
        case none
        case session(key: String, token: String)
        /// A code with each request: that of the time step.
        case code(key: String, seed: TOTPSeed)
        /// One of these with each request, in turn.
        case bearers([String])
    }

    package static let host = "agentport.test"
    /// What a client library says of itself and its trace: twelve fields with the host, some 500
    /// bytes. Credentials come on top.
    private static let head = [
        "GET /v1/items/42?units=metric&days=3 HTTP/1.1",
        "host: \(host)",
        "user-agent: agent-sdk/2.4.1 (linux; x86_64) http/1.1",
        "accept: application/json",
        "accept-encoding: gzip, deflate, br",
        "accept-language: en-GB,en;q=0.8",
        "cache-control: no-cache",
        "x-sdk-language: python",
        "x-sdk-retry-count: 0",
        "x-sdk-timeout: 30",
        "x-request-id: 0192f0c1-7a1e-7bb2-8c4d-3f2a9e5b7c10",
        "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "tracestate: vendor=00f067aa0ba902b7",
    ].map { $0 + "\r\n" }.joined()

    /// With the empty line.
    static var headBytes: Int { head.utf8.count + 2 }

    /// Made whole beforehand, so that a request costs the generator no more than its sending.
    private var requests: [[UInt8]] = []
    private var turn = 0
    private let credentials: Credentials
    private let isLast: Bool
    private var step: UInt64 = 0

    /// - Parameter isLast: asks the server to close after the answer.
    package init(_ credentials: Credentials, isLast: Bool = false) {
        self.credentials = credentials
        self.isLast = isLast
    }

    /// To be called before requests are sent; makes them anew where a new step has begun.
    package mutating func prepare(wallSeconds: UInt64) throws(BenchmarkFault) {
        if case .code(let key, let seed) = credentials {
            try prepare(key, seed, wallSeconds)
            return
        }
        guard requests.isEmpty else { return }
        switch credentials {
        case .none: requests = [make("")]
        case .session(let key, let token):
            requests = [
                make("authorization: Bearer \(key)\r\nx-agentport-session: \(token)\r\n")
            ]
        case .bearers(let tokens):
            requests = tokens.map { make("authorization: Bearer \($0)\r\n") }
        case .code: break
        }
    }

    /// The bytes of the next request.
    package mutating func next() -> [UInt8] {
        turn = turn + 1 < requests.count ? turn + 1 : 0
        return requests[turn]
    }

    private mutating func prepare(
        _ key: String, _ seed: TOTPSeed, _ wallSeconds: UInt64
    ) throws(BenchmarkFault) {
        let now = seed.parameters.step(atSeconds: wallSeconds)
        guard now != step else { return }
        step = now
        do throws(IdentityError) {
            let code = try seed.code(step: now)
            requests = [make("authorization: Bearer \(key)\r\nx-agentport-totp: \(code)\r\n")]
        } catch {
            throw .failed("no code: \(error)")
        }
    }

    private func make(_ fields: String) -> [UInt8] {
        Array((Self.head + fields + (isLast ? "connection: close\r\n\r\n" : "\r\n")).utf8)
    }
}
