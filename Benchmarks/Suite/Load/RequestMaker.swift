// SPDX-License-Identifier: Apache-2.0

import Identity

/// The bytes of the request that is sent again and again, and what it proves who it is with.
struct RequestMaker {
    enum Credentials {
        case none
        case session(key: String, token: String)
        /// A code with each request: that of the time step.
        case code(key: String, seed: TOTPSeed)
    }

    static let host = "agentport.test"
    private static let path = "/v1/items/42?x=1"

    /// Made whole beforehand, so that a request costs the generator no more than its sending.
    private(set) var bytes: [UInt8] = []
    private let credentials: Credentials
    private let isLast: Bool
    private var step: UInt64 = 0

    /// - Parameter isLast: asks the server to close after the answer.
    init(_ credentials: Credentials, isLast: Bool = false) {
        self.credentials = credentials
        self.isLast = isLast
    }

    /// To be called before requests are sent; makes them anew where a new step has begun.
    mutating func prepare(wallSeconds: UInt64) throws(BenchmarkFault) {
        switch credentials {
        case .none:
            guard bytes.isEmpty else { return }
            make("")
        case .session(let key, let token):
            guard bytes.isEmpty else { return }
            make("authorization: Bearer \(key)\r\nx-agentport-session: \(token)\r\n")
        case .code(let key, let seed):
            let now = seed.parameters.step(atSeconds: wallSeconds)
            guard now != step else { return }
            step = now
            do throws(IdentityError) {
                let code = try seed.code(step: now)
                make("authorization: Bearer \(key)\r\nx-agentport-totp: \(code)\r\n")
            } catch {
                throw .failed("no code: \(error)")
            }
        }
    }

    private mutating func make(_ fields: String) {
        let text =
            "GET \(Self.path) HTTP/1.1\r\nhost: \(Self.host)\r\nuser-agent: benchmarks/1\r\n"
            + "accept: */*\r\n" + fields + (isLast ? "connection: close\r\n\r\n" : "\r\n")
        bytes = Array(text.utf8)
    }
}
