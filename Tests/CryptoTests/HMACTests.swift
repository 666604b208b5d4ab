// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Testing

@Suite("HMAC")
struct HMACTests {
    /// Key, message and code as hexadecimal: RFC 2202 §3 and RFC 4231 §4, cases 1, 2, 3 and the
    /// key that is longer than a block.
    struct Vector: Sendable {
        let algorithm: HMACAlgorithm
        let key: [UInt8]
        let message: [UInt8]
        let code: String
    }

    static let longKey = [UInt8](repeating: 0xaa, count: 131)
    static let jefe = Array("Jefe".utf8)
    static let question = Array("what do ya want for nothing?".utf8)
    static let larger = Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)

    static let vectors: [Vector] = [
        Vector(
            algorithm: .sha1, key: Array(repeating: 0x0b, count: 20),
            message: Array("Hi There".utf8),
            code: "b617318655057264e28bc0b6fb378c8ef146be00"),
        Vector(
            algorithm: .sha1, key: jefe, message: question,
            code: "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        Vector(
            algorithm: .sha1, key: Array(repeating: 0xaa, count: 80), message: larger,
            code: "aa4ae5e15272d00e95705637ce8a3b55ed402112"),
        Vector(
            algorithm: .sha256, key: Array(repeating: 0x0b, count: 20),
            message: Array("Hi There".utf8),
            code: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        Vector(
            algorithm: .sha256, key: jefe, message: question,
            code: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        Vector(
            algorithm: .sha256, key: longKey, message: larger,
            code: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
        Vector(
            algorithm: .sha512, key: jefe, message: question,
            code: "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
                + "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"),
        Vector(
            algorithm: .sha512, key: longKey, message: larger,
            code: "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
                + "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"),
    ]

    @Test(arguments: vectors)
    func vector(_ vector: Vector) throws {
        var key = try HMACKey(vector.algorithm, key: vector.key.span)
        for _ in 0..<3 {
            var code = InlineArray<64, UInt8>(repeating: 0xEE)
            let count = key.authenticate(vector.message.span, into: &code)
            #expect(count == vector.algorithm.byteCount)
            let bytes = code.span.array
            let hex = Hex.encode(bytes.span.extracting(0..<count))
            #expect(hex == vector.code)
            #expect(bytes[count...].allSatisfy { $0 == 0xEE })
        }
    }

    @Test func messagesDoNotMix() throws {
        var used = try HMACKey(.sha256, key: Self.jefe.span)
        for length in 0..<130 {
            let message = [UInt8](repeating: UInt8(length), count: length)
            var fresh = try HMACKey(.sha256, key: Self.jefe.span)
            var expected = InlineArray<64, UInt8>(repeating: 0)
            var found = InlineArray<64, UInt8>(repeating: 0)
            fresh.authenticate(message.span, into: &expected)
            used.authenticate(message.span, into: &found)
            #expect(found.span.array == expected.span.array)
        }
    }

    @Test func anEmptyKeyIsRefused() {
        let key: [UInt8] = []
        #expect(throws: CryptoError.malformedKey) { _ = try HMACKey(.sha1, key: key.span) }
    }
}
