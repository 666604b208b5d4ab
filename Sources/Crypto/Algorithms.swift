// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// Algorithms fetched once for the life of the process: an implicit fetch costs 0.2 µs a use and
/// takes a lock that threads share.
enum Algorithms {
    // SAFETY: fetched algorithms are immutable, counted by reference, and never freed here; the
    // library lets threads share them.
    nonisolated(unsafe) static let sha256: OpaquePointer? = unsafe EVP_MD_fetch(nil, "SHA256", nil)
    nonisolated(unsafe) static let aes256GCM: OpaquePointer? =
        unsafe EVP_CIPHER_fetch(nil, "AES-256-GCM", nil)
    nonisolated(unsafe) static let hmac: OpaquePointer? = unsafe EVP_MAC_fetch(nil, "HMAC", nil)
}
