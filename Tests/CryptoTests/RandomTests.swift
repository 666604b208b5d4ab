// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Testing

@Suite("Random bytes, secrets and comparison")
struct RandomTests {
    @Test func sourcesNeverRepeat() {
        var source = RandomSource()
        var words: Set<UInt64> = []
        // Beyond several blocks, at offsets that are no multiple of eight.
        for _ in 0..<3000 {
            var odd = InlineArray<3, UInt8>(repeating: 0)
            var span = odd.mutableSpan
            source.fill(&span)
            words.insert(source.word())
        }
        #expect(words.count == 3000)
    }

    @Test(arguments: [0, 1, 4095, 4096, 4097, 12_289])
    func everyByteIsFilled(count: Int) {
        var source = RandomSource()
        var seen = [UInt8](repeating: 0, count: count)
        for _ in 0..<8 {
            var bytes = [UInt8](repeating: 0, count: count)
            var span = bytes.mutableSpan
            source.fill(&span)
            for index in bytes.indices { seen[index] |= bytes[index] }
        }
        // A byte stays zero over eight rounds once in 2^64.
        #expect(!seen.contains(0))
    }

    @Test func allValuesOccur() {
        let bytes = Random.bytes(16_384)
        #expect(Set(bytes).count == 256)
        #expect(Random.bytes(0).isEmpty)
    }

    @Test func comparison() {
        let bytes: [UInt8] = [1, 2, 3, 4]
        #expect(equalInConstantTime(bytes, [1, 2, 3, 4]))
        #expect(equalInConstantTime([], []))
        #expect(!equalInConstantTime(bytes, [1, 2, 3]))
        for index in bytes.indices {
            var other = bytes
            other[index] ^= 0x80
            #expect(!equalInConstantTime(bytes, other))
        }
    }

    @Test func secretsAreNotPrinted() {
        let secret = SecretBytes(copying: Array("hunter2".utf8).span)
        #expect(secret.count == 7)
        #expect(secret.span.array == Array("hunter2".utf8))
        var dumped = ""
        dump(secret, to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), dumped] {
            #expect(text.contains("<secret>"))
            #expect(!text.contains("hunter2"))
            #expect(!text.contains("0x"), "no address that a core dump could be searched at")
        }
    }

    @Test func randomSecretsDiffer() {
        let first = SecretBytes.random(20)
        let second = SecretBytes.random(20)
        #expect(first.count == 20)
        #expect(first.span.array != second.span.array)
    }

    private struct Refused: Error, Equatable {}

    @Test func aRefusedSecretPassesItsErrorOn() {
        #expect(throws: Refused()) {
            _ = try SecretBytes(capacity: 8) { output throws(Refused) in
                output.append(1)
                throw Refused()
            }
        }
    }

    @Test func version() {
        #expect(openSSLVersion().hasPrefix("OpenSSL 3"))
    }
}
