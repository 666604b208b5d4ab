// SPDX-License-Identifier: Apache-2.0

import TestSupport

/// The world's chance, all of it from one seed.
struct Dice {
    private var random: SeededRandom

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    mutating func word() -> UInt64 { random.next() }

    /// From 0 up to, not including.
    mutating func below(_ bound: Int) -> Int {
        bound < 2 ? 0 : Int(truncatingIfNeeded: random.next() % UInt64(bound))
    }

    mutating func range(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + below(range.count)
    }

    /// Once in so many; never for 0.
    mutating func oneIn(_ chance: Int) -> Bool { chance > 0 && below(chance) == 0 }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[below(elements.count)]
    }

    /// Mostly small, now and then as large as allowed.
    mutating func size(atMost most: Int) -> Int {
        switch below(20) {
        case 0...3: 0
        case 4...13: below(min(most, 1500) + 1)
        case 14...17: below(min(most, 20_000) + 1)
        case 18: below(min(most, 70_000) + 1)
        default: oneIn(3) ? below(most + 1) : below(min(most, 70_000) + 1)
        }
    }
}

/// What bodies are made of: any two ids give other bytes, and each byte can be checked where it
/// comes.
enum Pattern {
    static let bodyBytesMax = 200_000
    private static let table: [UInt8] = {
        var random = SeededRandom(seed: 0x0B0D_1E5)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(1 << 20)
        for _ in 0..<(1 << 17) {
            var word = random.next()
            for _ in 0..<8 {
                bytes.append(UInt8(truncatingIfNeeded: word))
                word >>= 8
            }
        }
        return bytes
    }()

    private static func start(_ id: Int, isAnswer: Bool) -> Int {
        var random = SeededRandom(seed: UInt64(id) << 1 | (isAnswer ? 1 : 0))
        return Int(random.next() % UInt64((1 << 20) - bodyBytesMax))
    }

    static func body(of id: Int, isAnswer: Bool, count: Int) -> ArraySlice<UInt8> {
        let start = start(id, isAnswer: isAnswer)
        return table[start..<start + count]
    }

    /// Whether these bytes are those of the body from `offset` on.
    static func matches(
        _ bytes: ArraySlice<UInt8>, of id: Int, isAnswer: Bool, at offset: Int
    ) -> Bool {
        guard offset + bytes.count <= bodyBytesMax else { return false }
        let start = start(id, isAnswer: isAnswer) + offset
        return table[start..<start + bytes.count].elementsEqual(bytes)
    }
}
