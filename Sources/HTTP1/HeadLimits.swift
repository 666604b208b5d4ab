// SPDX-License-Identifier: Apache-2.0
import Bytes

/// How large a head may be.
package struct HeadLimits: Sendable {
    /// What a head's field table holds.
    @inlinable package static var fieldCountMax: Int { 128 }
    /// A head lies in one slab, and its offsets in 16 bits.
    @inlinable package static var headBytesMax: Int { Slab.capacity }
    /// A field name longer than this is refused (431) whatever the other limits say, so that an
    /// unfinished name is cheap to look at again.
    @inlinable package static var fieldNameBytesMax: Int { 255 }

    /// The request line without its CRLF.
    package let requestLineBytes: Int
    /// The whole head, with the empty line that ends it.
    package let headBytes: Int
    package let fieldCount: Int

    package init(requestLineBytes: Int = 8192, headBytes: Int = 32768, fieldCount: Int = 100) {
        precondition(requestLineBytes > 0 && headBytes > 0 && fieldCount > 0)
        precondition(headBytes <= Self.headBytesMax && fieldCount <= Self.fieldCountMax)
        self.requestLineBytes = requestLineBytes
        self.headBytes = headBytes
        self.fieldCount = fieldCount
    }
}

/// What one call to a head parser learned.
package enum HeadProgress: Equatable {
    case needMore
    /// The head is the first `count` bytes.
    case complete(count: Int)
}
