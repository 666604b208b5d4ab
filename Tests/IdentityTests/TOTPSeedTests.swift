// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity
import Testing

@Suite("TOTP seeds")
struct TOTPSeedTests {
    /// `12345678901234567890`, the seed of RFC 4226.
    static let base32 = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

    static func seed(_ text: String) throws -> TOTPSeed {
        try TOTPSeed(base32: Array(text.utf8).span, parameters: .standard)
    }

    @Test(arguments: [
        base32, base32.lowercased(), base32 + "\n", "\u{FEFF}" + base32 + "\r\n",
        "  GEZD GNBV GY3T QOJQ\tGEZD GNBV GY3T QOJQ  ", base32 + "======",
        "gezdgnbvgy3tqojq\ngezdgnbvgy3tqojq",
    ])
    func spellings(text: String) throws {
        let seed = try Self.seed(text)
        #expect(seed.secret.span.string == "12345678901234567890")
        #expect(try seed.code(step: 1) == "287082")
        #expect(seed.base32 == Self.base32)
    }

    @Test(arguments: [
        ("", IdentityError.seedEmpty), (" \n", .seedEmpty), ("\u{FEFF}", .seedEmpty),
        ("GEZDGNBVGY3TQOJQ", .seedTooShort(bits: 80)),
        ("GEZDGNBVGY3TQOJQGEZDGNBV", .seedTooShort(bits: 120)),
        ("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1", .seedNotBase32),
        ("GEZDGNBVGY3TQOJQ=GEZDGNBVGY3TQOJQ", .seedNotBase32),
        ("12345678901234567890", .seedNotBase32),
        (" \u{FEFF}" + base32, .seedNotBase32),
        (String(repeating: "GEZDGNBV", count: 26), .seedTooLong(bytes: 130)),
    ])
    func faults(text: String, fault: IdentityError) {
        #expect(throws: fault) { _ = try Self.seed(text) }
        #expect(!fault.description.contains("GEZD"))
    }

    @Test func the128BitsOfTheRFCAreEnough() throws {
        #expect(try Self.seed("GEZDGNBVGY3TQOJQGEZDGNBVGY").secret.count == 16)
    }

    @Test func fingerprints() throws {
        let seed = try Self.seed(Self.base32)
        var hasher = try Hasher256()
        let expected = hasher.digest(
            Array("agentport-totp-seed\u{0}12345678901234567890".utf8).span)
        #expect(seed.fingerprint == expected)
        #expect(try Self.seed(Self.base32.lowercased()).fingerprint == expected)
        #expect(try TOTPSeed.generate(parameters: .standard).fingerprint != expected)
    }

    @Test func newSeedsHave160BitsAndDiffer() throws {
        let first = try TOTPSeed.generate(parameters: .standard)
        let second = try TOTPSeed.generate(parameters: .standard)
        #expect(first.secret.count == 20)
        #expect(first.secret.span.array != second.secret.span.array)
        #expect(try Self.seed(first.base32).fingerprint == first.fingerprint)
    }

    @Test func seedsAreNotPrinted() throws {
        let seed = try Self.seed(Self.base32)
        var dumped = ""
        dump(seed, to: &dumped)
        for text in ["\(seed)", String(reflecting: seed), dumped] {
            #expect(!text.contains("1234567890"))
            #expect(!text.contains("49, 50, 51"))
        }
    }

    @Test func uri() throws {
        let seed = try Self.seed(Self.base32)
        #expect(
            seed.uri(issuer: "Agent Port", account: "ops@example.com")
                == "otpauth://totp/Agent%20Port:ops%40example.com?secret=\(Self.base32)"
                + "&issuer=Agent%20Port&algorithm=SHA1&digits=6&period=30")
    }
}
