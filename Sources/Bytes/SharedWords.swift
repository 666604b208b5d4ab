// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A fixed array of 64-bit atomics that threads, and through a mapped file processes, share.
///
/// Counters, rate limits and accepted TOTP steps live in such words: a store is seen by every
/// worker, and one into a mapped file outlives a kill of the process without a system call.
@safe
@usableFromInline
package final class SharedWords: @unchecked Sendable {
    @usableFromInline
    package let count: Int
    /// Invariant: `count` initialised atomics, valid until deinit.
    @usableFromInline
    let words: UnsafeMutablePointer<Atomic<UInt64>>
    private let unmap: (@Sendable (UnsafeMutableRawPointer) -> Void)?

    /// Zeroed words on the heap.
    package init(count: Int) {
        self.count = count
        unsafe words = .allocate(capacity: max(count, 1))
        for index in 0..<count { unsafe (words + index).initialize(to: Atomic(0)) }
        unsafe unmap = nil
    }

    /// Words in memory that someone else mapped.
    ///
    /// - Parameter region: eight-byte aligned, valid until `unmap` is called with it.
    package init(
        region: UnsafeMutableRawBufferPointer,
        unmap: @escaping @Sendable (UnsafeMutableRawPointer) -> Void
    ) {
        count = region.count / 8
        // SAFETY: Atomic<UInt64> has the layout of UInt64; the mapping is page-aligned.
        guard let base = region.baseAddress else { preconditionFailure("empty region") }
        unsafe words = base.bindMemory(to: Atomic<UInt64>.self, capacity: count)
        unsafe self.unmap = unmap
    }

    deinit {
        if let unmap = unsafe unmap {
            unsafe unmap(UnsafeMutableRawPointer(words))
        } else {
            unsafe words.deallocate()
        }
    }

    @inlinable
    package func load(_ index: Int) -> UInt64 {
        precondition(index >= 0 && index < count)
        return unsafe words[index].load(ordering: .acquiring)
    }

    @inlinable
    package func store(_ index: Int, _ value: UInt64) {
        precondition(index >= 0 && index < count)
        unsafe words[index].store(value, ordering: .releasing)
    }

    /// For counters with one writer: readers see some recent value, and no bus lock is paid.
    @inlinable
    package func addUnshared(_ index: Int, _ amount: UInt64 = 1) {
        precondition(index >= 0 && index < count)
        let value = unsafe words[index].load(ordering: .relaxed)
        unsafe words[index].store(value &+ amount, ordering: .relaxed)
    }

    /// For counters with many writers.
    @inlinable
    package func add(_ index: Int, _ amount: UInt64 = 1) {
        precondition(index >= 0 && index < count)
        unsafe words[index].wrappingAdd(amount, ordering: .relaxed)
    }

    /// - Returns: whether the word was `expected` and is now `desired`, and what it was.
    @inlinable
    package func compareExchange(
        _ index: Int, expected: UInt64, desired: UInt64
    ) -> (exchanged: Bool, original: UInt64) {
        precondition(index >= 0 && index < count)
        return unsafe words[index].compareExchange(
            expected: expected, desired: desired, ordering: .acquiringAndReleasing)
    }
}
