// SPDX-License-Identifier: Apache-2.0

/// Bytes on their way: appended at the end, consumed from the front, in a slab that is attached
/// only while there is something to hold.
///
/// An append beyond the room left changes nothing and sets ``overflowed``: a peer's bytes can
/// make a message too long, and that must be an answer, not a trap.
@safe
@usableFromInline
package struct Buffer: ~Copyable {
    @usableFromInline
    var base: UnsafeMutablePointer<UInt8>?
    /// Of the slab; 0 without one.
    @usableFromInline
    var capacity: Int32 = 0
    /// Invariant: 0 ≤ start ≤ end ≤ capacity.
    @usableFromInline
    var start: Int32 = 0
    @usableFromInline
    var end: Int32 = 0
    /// Some append since the slab was attached did not fit.
    @usableFromInline
    package var overflowed = false

    @inlinable
    package init() {
        unsafe base = nil
    }

    deinit {
        // A buffer dropped with its slab would leak it out of the pool's count.
        assert(unsafe base == nil, "buffer dropped with a slab attached")
    }

    /// Whether a slab is attached.
    @inlinable
    package var isAttached: Bool { unsafe base != nil }

    /// Bytes that wait to be consumed.
    @inlinable
    package var count: Int { Int(end - start) }

    @inlinable
    package var isEmpty: Bool { start == end }

    /// Bytes that can be appended now, without ``compact()``.
    @inlinable
    package var room: Int { Int(capacity - end) }

    /// Bytes that can be appended after ``compact()``.
    @inlinable
    package var roomAfterCompaction: Int { Int(capacity) - count }

    // MARK: Slabs

    /// Sees to it that a slab is attached; false when the pool is at its bound.
    @inlinable
    package mutating func attach(from pool: inout SlabPool) -> Bool {
        if isAttached { return true }
        guard let slab = pool.lend() else { return false }
        unsafe base = slab.base
        capacity = Int32(truncatingIfNeeded: pool.slabCapacity)
        overflowed = false
        return true
    }

    /// Drops the content and gives the slab back.
    @inlinable
    package mutating func release(to pool: inout SlabPool) {
        guard let slab = unsafe base else { return }
        unsafe base = nil
        capacity = 0
        start = 0
        end = 0
        unsafe pool.giveBack(Slab(base: slab))
    }

    /// Gives the slab back if nothing is in it.
    @inlinable
    package mutating func releaseIfEmpty(to pool: inout SlabPool) {
        if isEmpty { release(to: &pool) }
    }

    // MARK: Reading

    /// What waits to be consumed.
    @inlinable
    package var readable: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            // SAFETY: start..<end lies in the slab and is initialised by append and fill; the
            // span borrows self, so the slab can be neither given back nor moved under it.
            let bytes = unsafe UnsafeBufferPointer(
                start: base.map { unsafe UnsafePointer($0 + Int(start)) }, count: count)
            return unsafe _overrideLifetime(Span(_unsafeElements: bytes), borrowing: self)
        }
    }

    /// What waits to be consumed, to be changed in place.
    @inlinable
    package var writable: MutableSpan<UInt8> {
        @_lifetime(&self)
        mutating get {
            // SAFETY: as for `readable`; the access is exclusive.
            let bytes = unsafe UnsafeMutableBufferPointer(
                start: base.map { unsafe $0 + Int(start) }, count: count)
            return unsafe _overrideLifetime(MutableSpan(_unsafeElements: bytes), mutating: &self)
        }
    }

    @inlinable
    package mutating func consume(_ amount: Int) {
        precondition(amount >= 0 && amount <= count)
        start += Int32(truncatingIfNeeded: amount)
        if start == end {
            start = 0
            end = 0
        }
    }

    /// Drops what waits, keeps the slab.
    @inlinable
    package mutating func clear() {
        start = 0
        end = 0
        overflowed = false
    }

    /// Takes back bytes from the end, down to `count`; for a message that is given up half written.
    @inlinable
    package mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= self.count)
        end = start + Int32(truncatingIfNeeded: count)
    }

    /// Moves what waits to the front of the slab, so that all room lies behind it.
    @inlinable
    package mutating func compact() {
        guard start > 0, let base = unsafe base else { return }
        // SAFETY: both ranges lie in the slab; update(from:) allows overlap.
        unsafe base.update(from: base + Int(start), count: count)
        end -= start
        start = 0
    }

    // MARK: For the rim

    /// Lets a system call or libssl write into the room, and counts the bytes it says it wrote.
    ///
    /// - Parameter limit: the most that may be written.
    @inlinable
    @discardableResult
    package mutating func fill<Failure: Error>(
        limit: Int = Slab.capacity,
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) -> Int {
        guard let base = unsafe base else { return 0 }
        let room = min(self.room, limit)
        // SAFETY: the range is the slab's unused end; a count beyond it is refused.
        let region = unsafe UnsafeMutableRawBufferPointer(start: base + Int(end), count: room)
        let written = unsafe try body(region)
        precondition(written >= 0 && written <= room)
        end += Int32(truncatingIfNeeded: written)
        return written
    }
}
