// SPDX-License-Identifier: Apache-2.0

import Crypto

/// What has come of requests that may hold a secret: no byte of it is left behind where it grows,
/// is used up, or is dropped.
final class SmallInput {
    private static let capacityFirst = 4096

    private(set) var bytes: [UInt8] = []

    deinit { bytes.wipe() }

    var count: Int { bytes.count }

    var copied: SecretBytes {
        let bytes = bytes
        return SecretBytes(copying: bytes.span)
    }

    func append(_ more: Span<UInt8>) {
        let count = bytes.count + more.count
        if count > bytes.capacity {
            var larger: [UInt8] = []
            larger.reserveCapacity(max(Self.capacityFirst, 2 * count))
            larger.append(contentsOf: bytes)
            bytes.wipe()
            bytes = larger
        }
        for index in more.indices { bytes.append(more[index]) }
    }

    /// Nobody else may hold the bytes meanwhile.
    func consume(_ count: Int) {
        var rest: [UInt8] = []
        if count < bytes.count {
            rest.reserveCapacity(max(Self.capacityFirst, bytes.count - count))
            rest.append(contentsOf: bytes[count...])
        }
        bytes.wipe()
        bytes = rest
    }
}
