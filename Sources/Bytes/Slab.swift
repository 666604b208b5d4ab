// SPDX-License-Identifier: Apache-2.0

/// A fixed-size block of memory, lent by a ``SlabPool`` and always given back to it.
@safe
@usableFromInline
package struct Slab: ~Copyable {
    /// Two whole TLS records with their overhead (2 × 16,406), or the largest head that limits
    /// allow (32 KiB) with 4 KiB of room for what the gateway adds to it.
    @inlinable package static var capacity: Int { 36 * 1024 }

    /// Invariant: `capacity` bytes, owned by this value alone while it exists.
    @usableFromInline
    let base: UnsafeMutablePointer<UInt8>

    @inlinable
    init(base: UnsafeMutablePointer<UInt8>) {
        unsafe self.base = base
    }
}

/// A worker's stock of slabs: last in, first out, so that the warmest memory is lent first.
///
/// The pool allocates up to its bound on demand and frees nothing until ``trim(keeping:)``. At
/// the bound ``lend()`` answers `nil`, and the caller stops reading: back-pressure, never growth.
@safe
@usableFromInline
package struct SlabPool: ~Copyable {
    package let bound: Int
    /// Bytes of each slab.
    @usableFromInline package let slabCapacity: Int
    /// Slabs that are with a borrower now.
    package private(set) var lent = 0
    private var free: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>>
    private var freeCount = 0

    package init(bound: Int, slabCapacity: Int = Slab.capacity) {
        precondition(bound > 0 && slabCapacity > 0)
        self.bound = bound
        self.slabCapacity = slabCapacity
        unsafe free = .allocate(capacity: bound)
    }

    deinit {
        for index in 0..<freeCount { unsafe free[index].deallocate() }
        unsafe free.deallocate()
    }

    /// Memory that the pool holds, lent or not, in slabs.
    package var held: Int { lent + freeCount }

    @usableFromInline
    package mutating func lend() -> Slab? {
        guard lent < bound else { return nil }
        lent += 1
        guard freeCount > 0 else { return unsafe Slab(base: .allocate(capacity: slabCapacity)) }
        freeCount -= 1
        // SAFETY: entries below freeCount were stored by giveBack and are owned by the pool.
        return unsafe Slab(base: free[freeCount])
    }

    @usableFromInline
    package mutating func giveBack(_ slab: consuming Slab) {
        precondition(lent > 0)
        lent -= 1
        // SAFETY: lent + freeCount never exceeds bound, the capacity of the free list.
        unsafe free[freeCount] = slab.base
        freeCount += 1
    }

    /// Frees what a burst left behind, down to `count` idle slabs.
    package mutating func trim(keeping count: Int) {
        precondition(count >= 0)
        while freeCount > count {
            freeCount -= 1
            unsafe free[freeCount].deallocate()
        }
    }
}
