// SPDX-License-Identifier: Apache-2.0

import Bytes
import Synchronization
import Testing

@Suite struct SharedWordsTests {
    @Test func wordsBeginAtZeroAndKeepWhatIsStored() {
        let words = SharedWords(count: 3)
        #expect((0..<3).map { words.load($0) } == [0, 0, 0])
        words.store(1, .max)
        words.addUnshared(2, 5)
        words.addUnshared(2)
        #expect((0..<3).map { words.load($0) } == [0, .max, 6])
        words.add(1)
        #expect(words.load(1) == 0, "a counter wraps, it does not trap")
    }

    @Test func compareExchangeTellsWhatWasThere() {
        let words = SharedWords(count: 1)
        let first = words.compareExchange(0, expected: 0, desired: 7)
        #expect(first == (true, 0))
        let second = words.compareExchange(0, expected: 0, desired: 9)
        #expect(second == (false, 7))
        #expect(words.load(0) == 7)
    }

    @Test func sharedAddsLoseNothing() async {
        let words = SharedWords(count: 2)
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for _ in 0..<20_000 { words.add(task % 2) }
                }
            }
        }
        #expect(words.load(0) == 80_000)
        #expect(words.load(1) == 80_000)
    }

    /// Of many that want to take a step, exactly one takes each.
    @Test func oneThreadWinsEachExchange() async {
        let words = SharedWords(count: 1)
        let wins = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var wins = 0
                    for step in 0..<5000 as Range<UInt64> {
                        let result = words.compareExchange(0, expected: step, desired: step + 1)
                        if result.exchanged { wins += 1 }
                    }
                    return wins
                }
            }
            return await group.reduce(0, +)
        }
        #expect(words.load(0) == UInt64(wins))
        #expect(wins > 0)
    }

    @Test func aStoreIsSeenAfterTheFlagThatFollowsIt() async {
        let words = SharedWords(count: 2)
        let rounds: UInt64 = 2000
        async let writing: Void = {
            for round in 1...rounds {
                words.store(0, round)
                words.store(1, round)
            }
        }()
        async let reading: Bool = {
            var isInOrder = true
            var flag: UInt64 = 0
            while flag < rounds {
                flag = words.load(1)
                if words.load(0) < flag { isInOrder = false }
                await Task.yield()
            }
            return isInOrder
        }()
        await writing
        #expect(await reading)
    }

    @Test func mappedWordsAreWrittenThroughAndUnmappedOnce() {
        let region = UnsafeMutableRawBufferPointer.allocate(byteCount: 32, alignment: 8)
        unsafe region.initializeMemory(as: UInt8.self, repeating: 0)
        let address = UInt(bitPattern: region.baseAddress)
        let unmapped = Counter()
        do {
            let words = unsafe SharedWords(region: region) { base in
                #expect(UInt(bitPattern: base) == address)
                unmapped.value.add(1, ordering: .relaxed)
            }
            #expect(words.count == 4)
            words.store(2, 0x1122)
            #expect(unsafe region.load(fromByteOffset: 16, as: UInt64.self) == 0x1122)
        }
        #expect(unmapped.value.load(ordering: .relaxed) == 1)
        unsafe region.deallocate()
    }

    private final class Counter: Sendable {
        let value = Atomic<Int>(0)
    }
}
