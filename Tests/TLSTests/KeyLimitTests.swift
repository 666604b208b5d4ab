// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import TestSupport
import Testing

@testable import TLS

/// RFC 8446 §5.5: a key seals so many records and no more.
@Suite("The limit on a key's use")
struct KeyLimitTests {
    @Test(arguments: RecordFlowTests.suites, [1, 2, 7] as [UInt64])
    func theNextKeyFollows(suite: CipherSuite, limit: UInt64) {
        let peer = LayerPeer(suite, recordsPerKeyMax: limit)
        for number in 0..<50 as Range<UInt64> {
            #expect(peer.write([UInt8(number)]) == 1)
            let isFirst = number > 0 && number % limit == 0
            let data = LayerPeer.Record.data([UInt8(number)])
            #expect(peer.answers() == (isFirst ? [.keyUpdate, data] : [data]))
        }
    }

    @Test func withinOneWrite() {
        let peer = LayerPeer(recordsPerKeyMax: 1)
        let bytes = [UInt8](repeating: 5, count: 32_768)
        #expect(peer.write(bytes) == bytes.count)
        let half = LayerPeer.Record.data(Array(bytes.prefix(16_384)))
        #expect(peer.answers() == [half, .keyUpdate, half])
    }

    /// The peer's wish and the limit are met by one update.
    @Test func aRequestAtTheLimit() {
        let peer = LayerPeer(recordsPerKeyMax: 1)
        #expect(peer.write([1]) == 1)
        _ = peer.read(peer.sealKeyUpdate(isAnswered: true))
        #expect(peer.write([2]) == 1)
        #expect(peer.answers() == [.data([1]), .keyUpdate, .data([2])])
    }

    @Test(arguments: [1, 3] as [UInt64], [false, true])
    func aClientThatAnswers(limit: UInt64, isUpdating: Bool) throws {
        let link = try Link(try .make(.ecdsa), recordsPerKeyMax: limit)
        for size in [1, 20_000, 2, 3, 36_000, 4] {
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
            var sent = 0
            while sent < size {
                let (cipher, taken) = link.server.write(Array(bytes[sent...]))
                sent += try #require(taken)
                link.client.feed(cipher)
            }
            #expect(link.client.read() == bytes)
            if isUpdating { link.client.updateKey(isAnswered: true) }
            #expect(link.server.read(link.client.write([7, 8])).bytes == [7, 8])
        }
    }

    /// A number is never used twice with a key: where the next key could not be made, the old one
    /// would begin anew.
    @Test func aKeyThatCannotBeMadeEndsAllWriting() async {
        await #expect(processExitsWith: .success) {
            // Of this process alone, which ends here.
            precondition(takeOverMemory())
            let peer = LayerPeer(recordsPerKeyMax: 1)
            precondition(peer.write([1]) == 1)
            precondition(peer.answers() == [.data([1])])
            unsafe hasNoMemory = true
            precondition(peer.write([2]) == nil)
            // It was announced, but no record may follow it.
            precondition(peer.answers(following: false) == [.keyUpdate])
            precondition(peer.write([3]) == nil)
            peer.close()
            _ = peer.read([1, 2, 3, 4, 5])
            precondition(peer.sentCount == 0)
        }
    }
}

private nonisolated(unsafe) var hasNoMemory = false

/// Lets libcrypto run out of memory from when ``hasNoMemory`` is set.
private func takeOverMemory() -> Bool {
    unsafe CRYPTO_set_mem_functions(
        { count, _, _ in unsafe hasNoMemory ? nil : malloc(count) },
        { place, count, _, _ in unsafe hasNoMemory ? nil : realloc(place, count) },
        { place, _, _ in unsafe free(place) }) == 1
}
