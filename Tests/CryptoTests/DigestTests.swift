// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Testing

@Suite("SHA-256")
struct DigestTests {
    /// FIPS 180-4's examples, as NIST publishes them.
    static let vectors: [(String, String)] = [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ]

    @Test(arguments: vectors)
    func vector(text: String, hex: String) throws {
        let digester = try Digester()
        #expect(digester.hex(Array(text.utf8)) == hex)
        #expect(digester.hex(Array(text.utf8)) == hex, "the context is good again")
    }

    @Test func everySplitGivesTheSame() throws {
        var hasher = try Hasher256()
        let message = (0..<200).map { UInt8($0) }
        let whole = hasher.digest(message.span)
        for split in 0...message.count {
            let front = Array(message[..<split])
            let back = Array(message[split...])
            let nothing: [UInt8] = []
            let two = hasher.digest(front.span, back.span)
            let three = hasher.digest(front.span, nothing.span, back.span)
            #expect(two == whole)
            #expect(three == whole)
        }
    }

    @Test func aMessageThatWasGivenUpLeavesNothing() throws {
        var hasher = try Hasher256()
        hasher.begin()
        hasher.update(Array("given up".utf8).span)
        let next = hasher.digest(Array("abc".utf8).span)
        #expect(next.hex == Self.vectors[1].1)
    }

    @Test func hexAndBytesRoundTrip() throws {
        let hex = Self.vectors[1].1
        let value = try #require(digest(hex: hex))
        #expect(value.hex == hex)
        #expect(digest(hex: hex.uppercased()) == value)
        #expect(digest(bytes: bytes(of: value)) == value)
        #expect(digest(bytes: [1, 2, 3]) == nil)
        #expect(digest(hex: String(hex.dropLast())) == nil)
        #expect(digest(hex: hex.dropLast() + "g") == nil)
        #expect(digest(hex: hex + "00") == nil)
    }

    @Test func anyByteThatDiffersIsNoMatch() throws {
        let value = try #require(digest(hex: Self.vectors[0].1))
        #expect(value.matches(value))
        for index in 0..<32 {
            var bytes = bytes(of: value)
            bytes[index] ^= 0x40
            let other = try #require(digest(bytes: bytes))
            #expect(!value.matches(other))
            #expect(value != other)
        }
    }
}
