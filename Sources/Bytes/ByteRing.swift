// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A bounded queue of bytes from one writing thread to one reading thread, without locks.
///
/// What does not fit whole is refused: the writer never waits.
@safe
package final class ByteRing: @unchecked Sendable {
    package let capacity: Int
    /// Invariant: `capacity` bytes; `read..<written` (modulo capacity) belong to the reader, the
    /// rest to the writer.
    private let base: UnsafeMutablePointer<UInt8>
    private let written = Atomic<Int>(0)
    private let read = Atomic<Int>(0)

    /// - Parameter capacity: a power of two.
    package init(capacity: Int) {
        precondition(capacity > 0 && capacity & (capacity - 1) == 0)
        self.capacity = capacity
        unsafe base = .allocate(capacity: capacity)
    }

    deinit {
        unsafe base.deallocate()
    }

    /// Bytes that wait for the reader, as of some recent moment.
    package var count: Int {
        // In this order, so that a third thread never sees more read than written.
        let head = read.load(ordering: .acquiring)
        return min(written.load(ordering: .acquiring) - head, capacity)
    }

    /// Writer's side. False where the bytes do not fit; then nothing was taken.
    package func append(_ bytes: borrowing Span<UInt8>) -> Bool {
        let tail = written.load(ordering: .relaxed)
        let used = tail - read.load(ordering: .acquiring)
        guard bytes.count <= capacity - used else { return false }
        let offset = tail & (capacity - 1)
        let first = min(bytes.count, capacity - offset)
        // SAFETY: both pieces lie in the writer's part of the ring.
        unsafe bytes.withUnsafeBufferPointer { source in
            guard let address = source.baseAddress else { return }
            unsafe (base + offset).update(from: address, count: first)
            unsafe base.update(from: address + first, count: source.count - first)
        }
        written.store(tail + bytes.count, ordering: .releasing)
        return true
    }

    /// Reader's side: hands over what lies contiguously, then drops as many bytes as `body` says
    /// it took.
    ///
    /// - Returns: what `body` returned; 0 with nothing to hand over.
    @discardableResult
    package func take<Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Int
    ) throws(Failure) -> Int {
        let head = read.load(ordering: .relaxed)
        let available = written.load(ordering: .acquiring) - head
        guard available > 0 else { return 0 }
        let offset = head & (capacity - 1)
        let count = min(available, capacity - offset)
        // SAFETY: the range is the reader's until `read` moves, which is after body has returned.
        let span = unsafe Span(_unsafeStart: UnsafePointer(base + offset), count: count)
        let taken = try body(span)
        precondition(taken >= 0 && taken <= count)
        read.store(head + taken, ordering: .releasing)
        return taken
    }
}
