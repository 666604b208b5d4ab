// SPDX-License-Identifier: Apache-2.0

/// A fixed number of 64-bit words in memory of their own, allocated once.
///
/// It does what `InlineArray` is for. That one, in a noncopyable struct, is copied whole to the
/// stack for each element read (Swift 6.3), which cost more than parsing what was in it; and a
/// generic type over a pointer is not specialised across modules.
@safe
@usableFromInline
package struct WordTable: ~Copyable {
    @usableFromInline
    let capacity: Int
    /// Invariant: `capacity` initialised words, owned by this value alone.
    @usableFromInline
    let base: UnsafeMutablePointer<UInt64>

    package init(capacity: Int) {
        precondition(capacity > 0)
        self.capacity = capacity
        unsafe base = .allocate(capacity: capacity)
        unsafe base.initialize(repeating: 0, count: capacity)
    }

    deinit {
        // SAFETY: allocated in init; words need no deinitialisation.
        unsafe base.deallocate()
    }

    @inlinable
    package subscript(index: Int) -> UInt64 {
        @inline(__always)
        get {
            precondition(index >= 0 && index < capacity)
            // SAFETY: index < capacity, checked above.
            return unsafe base[index]
        }
        @inline(__always)
        set {
            precondition(index >= 0 && index < capacity)
            // SAFETY: index < capacity, checked above.
            unsafe base[index] = newValue
        }
    }
}
