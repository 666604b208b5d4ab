// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// One secret of a key schedule (RFC 8446 §7.1), wiped when dropped.
@safe
struct Secret: ~Copyable {
    static let countMax = 48

    /// Invariant: `countMax` bytes owned by this value, of which the first `count` count.
    let bytes: UnsafeMutablePointer<UInt8>
    private(set) var count: Int

    /// So many zeros, `countMax` at most: to be filled, or for where the schedule has no secret.
    init(count: Int) {
        precondition(count <= Self.countMax)
        unsafe bytes = .allocate(capacity: Self.countMax)
        unsafe bytes.initialize(repeating: 0, count: Self.countMax)
        self.count = count
    }

    init(_ content: Span<UInt8>) {
        self.init(count: content.count)
        for index in content.indices { unsafe bytes[index] = content[index] }
    }

    deinit {
        unsafe OPENSSL_cleanse(bytes, Self.countMax)
        unsafe bytes.deallocate()
    }

    /// Takes the place of what is there.
    mutating func set(_ other: consuming Secret) {
        unsafe bytes.update(from: other.bytes, count: Self.countMax)
        count = other.count
    }
}
