// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity
import Testing

@Suite("TOTP")
struct TOTPTests {
    struct Vector: Sendable {
        let seconds: UInt64
        let algorithm: HMACAlgorithm
        let code: String
    }

    /// RFC 6238 Appendix B.
    static let vectors: [Vector] = [
        (59, "94287082", "46119246", "90693936"),
        (1_111_111_109, "07081804", "68084774", "25091201"),
        (1_111_111_111, "14050471", "67062674", "99943326"),
        (1_234_567_890, "89005924", "91819424", "93441116"),
        (2_000_000_000, "69279037", "90698825", "38618901"),
        (20_000_000_000, "65353130", "77737706", "47863826"),
    ].flatMap { row in
        [
            Vector(seconds: row.0, algorithm: .sha1, code: row.1),
            Vector(seconds: row.0, algorithm: .sha256, code: row.2),
            Vector(seconds: row.0, algorithm: .sha512, code: row.3),
        ]
    }

    /// The RFC's seeds are as long as each hash: the digits repeated.
    static func seed(_ algorithm: HMACAlgorithm, digits: Int = 8) throws -> TOTPSeed {
        let text = Array(String(repeating: "1234567890", count: 7).utf8)
        return try TOTPSeed(
            secret: SecretBytes(copying: text.span.extracting(0..<algorithm.byteCount)),
            parameters: TOTPParameters(algorithm: algorithm, digits: digits, periodSeconds: 30))
    }

    static func match(
        _ seed: TOTPSeed, _ code: String, step: UInt64, skew: Int = 0
    ) throws -> UInt64? {
        try Checker([seed]).match(0, code, step: step, skew: skew)
    }

    @Test(arguments: vectors)
    func appendixB(_ vector: Vector) throws {
        let seed = try Self.seed(vector.algorithm)
        let step = seed.parameters.step(atSeconds: vector.seconds)
        #expect(try seed.code(step: step) == vector.code)
        #expect(try Self.match(seed, vector.code, step: step) == step)
    }

    /// RFC 4226 Appendix D.
    @Test(arguments: [
        (0, "755224"), (1, "287082"), (2, "359152"), (3, "969429"), (4, "338314"), (5, "254676"),
        (6, "287922"), (7, "162583"), (8, "399871"), (9, "520489"),
    ])
    func appendixD(step: UInt64, code: String) throws {
        let seed = try Self.seed(.sha1, digits: 6)
        #expect(try seed.code(step: step) == code)
        #expect(try Self.match(seed, code, step: step) == step)
    }

    @Test(arguments: [-3, -2, -1, 0, 1, 2, 3])
    func windows(offset: Int) throws {
        let seed = try Self.seed(.sha1, digits: 6)
        let now: UInt64 = 55_555_555
        let step = UInt64(Int(now) + offset)
        let code = try seed.code(step: step)
        for skew in 0...3 {
            let expected = abs(offset) <= skew ? step : nil
            #expect(try Self.match(seed, code, step: now, skew: skew) == expected)
        }
    }

    @Test func ofTwoStepsTheLaterCounts() throws {
        // With a skew of ten, 21 windows share a code of six digits about once in 5,000 nows.
        let seed = try Self.seed(.sha1, digits: 6)
        var byCode: [String: UInt64] = [:]
        for step in UInt64(0)..<200_000 {
            let code = try seed.code(step: step)
            if let earlier = byCode[code], step - earlier <= 20 {
                let now = earlier + 10
                #expect(try Self.match(seed, code, step: now, skew: 10) == step)
                return
            }
            byCode[code] = step
        }
        Issue.record("no two near steps share a code")
    }

    @Test func endsOfTime() throws {
        let seed = try Self.seed(.sha1, digits: 6)
        #expect(try Self.match(seed, "755224", step: 0, skew: 1) == 0)
        let code = try seed.code(step: .max)
        #expect(try Self.match(seed, code, step: .max, skew: 1) == .max)
        #expect(try Self.match(seed, code, step: .max, skew: .max) == .max)
        #expect(try Self.match(seed, code, step: .max, skew: -1) == .max)
    }

    @Test(arguments: [
        "", "7", "75522", "7552244", "75522 ", " 755224", "75522a", "+75522", "７５５２２４", "755224\0",
        "75522\u{b2}",
    ])
    func otherFormsMatchNothing(code: String) throws {
        let seed = try Self.seed(.sha1, digits: 6)
        let isWellFormed = seed.parameters.isWellFormed(Array(code.utf8).span)
        #expect(!isWellFormed)
        #expect(try Self.match(seed, code, step: 0) == nil)
    }

    @Test func seedsAreToldApart() throws {
        let first = try Self.seed(.sha1, digits: 6)
        let second = try Self.seed(.sha256, digits: 8)
        let firstCode = try first.code(step: 7)
        let secondCode = try second.code(step: 7)
        let checker = try Checker([first, second])
        #expect(checker.match(0, firstCode, step: 7) == 7)
        #expect(checker.match(1, secondCode, step: 7) == 7)
        #expect(checker.match(1, firstCode, step: 7) == nil)
        #expect(checker.match(0, secondCode, step: 7) == nil)
        #expect(checker.match(0, firstCode, step: 7) == 7, "the contexts are good again")
    }

    @Test(arguments: [5, 9, 0, -1])
    func digitsOutsideSixToEight(digits: Int) {
        #expect(throws: IdentityError.totpDigits(digits)) {
            _ = try TOTPParameters(algorithm: .sha1, digits: digits, periodSeconds: 30)
        }
    }

    @Test(arguments: [0, 3601] as [UInt64])
    func periodsOutsideAnHour(seconds: UInt64) {
        #expect(throws: IdentityError.totpPeriod(seconds)) {
            _ = try TOTPParameters(algorithm: .sha1, digits: 6, periodSeconds: seconds)
        }
    }
}
