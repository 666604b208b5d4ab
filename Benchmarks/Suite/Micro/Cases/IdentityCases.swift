// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity

extension MicroCase {
    /// A code against three steps: SHA-1, six digits, one step of skew on either side.
    static let totpCheck = MicroCase("totp-check") { measure in
        let seed = try TOTPSeed.generate(
            parameters: TOTPParameters(algorithm: .sha1, digits: 6, periodSeconds: 30))
        let step: UInt64 = 56_666_667
        let code = Array(try seed.code(step: step).utf8)
        var checker = try TOTPChecker(seeds: [seed])
        try measure { count in
            var sum = 0
            for _ in 0..<count {
                guard checker.match(seed: 0, code: code.span, step: step, skew: 1) != nil else {
                    throw BenchmarkFault.failed("no match")
                }
                sum &+= 1
            }
            return sum
        }
    }

    /// SHA-256 of a session's token, as each request that has one needs it.
    static let tokenDigest = MicroCase("token-digest") { measure in
        let token = [UInt8](repeating: UInt8(ascii: "s"), count: 43)
        var hasher = try Hasher256()
        let expected = hasher.digest(token.span)
        try measure { count in
            var sum = 0
            for _ in 0..<count {
                let digest = hasher.digest(token.span)
                sum &+= digest == expected ? 1 : 0
            }
            return sum
        }
    }

    /// A session's record among 10,000, by the digest of its token.
    static let sessionLookUp = MicroCase("session-look-up", callsCounted: 10_000) { measure in
        let table = SessionTable(capacity: 16_384)
        var random = RandomSource()
        var hasher = try Hasher256()
        var digests: [SHA256Digest] = []
        let credential = SHA256Digest(1, 2, 3, 4)
        for _ in 0..<10_000 {
            let grant = table.issue(
                SessionBinding(agent: 0, credential: credential, seed: 0, address: 7),
                now: 1_000_000, lifetime: 300_000,
                random: &random, hasher: &hasher)
            let token = grant.token
            digests.append(hasher.digest(token.span))
        }
        try measure { count in
            var sum = 0
            for number in 0..<count {
                // A step that has no factor in common with 10,000 visits all of them.
                let found = table.check(
                    digests[number &* 7919 % 10_000], agent: 0, credential: credential, address: 7,
                    now: 1_000_001)
                guard found != nil else { throw BenchmarkFault.failed("no session") }
                sum &+= 1
            }
            return sum
        }
    }

    /// A whole token: claims, base64url, signature.
    static let jwtSigning = jwtSigning("jwt-signing", .es256)
    static let jwtSigningEdDSA = jwtSigning("jwt-signing-eddsa", .edDSA)
    static let jwtSigningRS256 = jwtSigning("jwt-signing-rs256", .rs256)

    private static func jwtSigning(_ name: String, _ algorithm: SignatureAlgorithm) -> MicroCase {
        MicroCase(name, callsCounted: 50) { measure in
            try measureSigning(algorithm, measure)
        }
    }

    private static func measureSigning(
        _ algorithm: SignatureAlgorithm, _ measure: (Calls) throws -> Void
    ) throws {
        var writer = try JWTWriter(key: try SampleKey.make(algorithm))
        let claims = Claims(
            issuer: "agentport", audience: "openclaw-prod", user: "ops@example.com",
            agent: "weather-1", scopes: ["tools:read"], firstFactor: .password)
        let facts = TokenFacts(
            authTime: 1_700_000_000, issued: 1_700_000_010, expires: 1_700_000_070)
        var random = RandomSource()
        var pool = SlabPool(bound: 1)
        var output = Buffer()
        guard output.attach(from: &pool) else { throw BenchmarkFault.failed("no slab") }
        defer { output.release(to: &pool) }
        try measure { count in
            var sum = 0
            for _ in 0..<count {
                output.clear()
                guard writer.write(claims, facts, random: &random, into: &output) else {
                    throw BenchmarkFault.failed("not signed")
                }
                sum &+= output.count
            }
            return sum
        }
    }
}
