// SPDX-License-Identifier: Apache-2.0

import Bytes

/// Which claim may name somebody.
enum TokenIdentity {
    static let countMax = 256

    /// Printable ASCII without space at either end, so that no two names look alike, and none
    /// means something else where it is written into a header or a log.
    static func text(_ bytes: [UInt8]?) -> String? {
        guard let bytes, let first = bytes.first, let last = bytes.last,
            bytes.count <= countMax, first != .space, last != .space,
            bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F })
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
