// SPDX-License-Identifier: Apache-2.0

/// Names one tenancy of a slot: what epoll carries, so that a late event for a slot that has
/// since changed hands is dropped.
///
/// Layout, from the highest bit: kind (8), index (24), generation (32).
@usableFromInline
package struct SlotToken: Equatable, Sendable {
    @usableFromInline
    package let rawValue: UInt64

    @inlinable
    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    @inlinable
    package init(kind: UInt8, index: Int, generation: UInt32) {
        rawValue = UInt64(kind) << 56 | UInt64(index & 0xFF_FFFF) << 32 | UInt64(generation)
    }

    @inlinable
    package var kind: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 56) }

    @inlinable
    package var index: Int { Int(truncatingIfNeeded: rawValue >> 32) & 0xFF_FFFF }

    @inlinable
    package var generation: UInt32 { UInt32(truncatingIfNeeded: rawValue) }
}
