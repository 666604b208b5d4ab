// SPDX-License-Identifier: Apache-2.0

import COpenSSL

extension [UInt8] {
    /// Overwrites the bytes, which may be a secret. Not a loop of our own: the compiler may drop
    /// stores to memory that nobody reads again.
    package mutating func wipe() {
        // SAFETY: the region is the array's own storage.
        unsafe withUnsafeMutableBytes { unsafe OPENSSL_cleanse($0.baseAddress, $0.count) }
    }
}
