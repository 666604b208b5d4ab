// SPDX-License-Identifier: Apache-2.0

/// Connections that wait for a request; the one that has waited longest is taken first, so that
/// all of them are in use, as those of many clients are.
struct FreeList {
    private var ring: [Int]
    private var first = 0
    private(set) var count = 0

    init(capacity: Int) {
        ring = Array(repeating: 0, count: capacity)
    }

    mutating func add(_ index: Int) {
        precondition(count < ring.count)
        ring[(first + count) % ring.count] = index
        count += 1
    }

    mutating func take() -> Int? {
        guard count > 0 else { return nil }
        defer {
            first = (first + 1) % ring.count
            count -= 1
        }
        return ring[first]
    }

    /// For one that is gone.
    mutating func remove(_ index: Int) {
        for _ in 0..<count {
            guard let other = take() else { return }
            if other != index { add(other) }
        }
    }
}
