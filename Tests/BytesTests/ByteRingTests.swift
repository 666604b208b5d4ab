// SPDX-License-Identifier: Apache-2.0

import Bytes
import TestSupport
import Testing

@Suite struct ByteRingTests {
    @Test func takesWhatFitsWholeAndNothingElse() {
        let ring = ByteRing(capacity: 8)
        #expect(ring.append([1, 2, 3, 4, 5].span) == true)
        #expect(ring.append([6, 7, 8, 9].span) == false)
        #expect(ring.count == 5)
        #expect(ring.append([6, 7, 8].span) == true)
        #expect(ring.append([UInt8]().span) == true)
        #expect(ring.append([9].span) == false)
        let taken = ring.take { bytes in
            #expect(bytes.array == [1, 2, 3, 4, 5, 6, 7, 8])
            return bytes.count
        }
        #expect(taken == 8)
        #expect(ring.take { _ in 1 } == 0, "nothing waits, nobody is called")
    }

    @Test func whatBodyLeavesComesAgain() {
        let ring = ByteRing(capacity: 8)
        _ = ring.append([1, 2, 3].span)
        #expect(ring.take { _ in 0 } == 0)
        #expect(ring.take { _ in 2 } == 2)
        #expect(ring.count == 1)
        ring.take { bytes in
            #expect(bytes.array == [3])
            return 1
        }
    }

    @Test func wrapsAround() {
        let ring = ByteRing(capacity: 8)
        _ = ring.append([0, 0, 0, 0, 0, 0].span)
        ring.take { $0.count }
        #expect(ring.append([1, 2, 3, 4, 5].span) == true)
        var pieces: [[UInt8]] = []
        while ring.count > 0 {
            ring.take { bytes in
                pieces.append(bytes.array)
                return bytes.count
            }
        }
        #expect(pieces == [[1, 2], [3, 4, 5]])
    }

    @Test func aFailingReaderTakesNothing() {
        struct Failure: Error {}
        let ring = ByteRing(capacity: 8)
        _ = ring.append([1, 2].span)
        #expect(throws: Failure.self) {
            try ring.take { (_) throws(Failure) in throw Failure() }
        }
        #expect(ring.count == 2)
    }

    /// One writer, one reader, random sizes: the bytes arrive in order and none is lost.
    @Test(arguments: 1...6 as ClosedRange<UInt64>) func writerAndReader(seed: UInt64) async {
        let ring = ByteRing(capacity: 1 << (4 + seed))
        let total = 60_000
        async let writing: Void = {
            var random = SeededRandom(seed: seed)
            var next = 0
            while next < total {
                let most = min(ring.capacity, total - next)
                let size = Int.random(in: 1...most, using: &random)
                let bytes = (next..<(next + size)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
                while !ring.append(bytes.span) { await Task.yield() }
                next += size
            }
        }()
        async let reading: Int? = {
            var random = SeededRandom(seed: seed + 100)
            var next = 0
            var firstFault: Int?
            while next < total {
                let taken = ring.take { bytes in
                    let count = Int.random(in: 0...bytes.count, using: &random)
                    for index in 0..<count
                    where bytes[index] != UInt8(truncatingIfNeeded: (next + index) &* 31) {
                        firstFault = firstFault ?? next + index
                    }
                    return count
                }
                next += taken
                if taken == 0 { await Task.yield() }
            }
            return firstFault
        }()
        await writing
        let fault = await reading
        #expect(fault == nil, "seed \(seed)")
        #expect(ring.count == 0)
    }
}
