// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import Crypto

extension SHA256Digest {
    /// Of a certificate's SubjectPublicKeyInfo (RFC 7469 §2.4); `nil` when memory has run out.
    init?(publicKeyOf certificate: OpaquePointer) {
        guard var hasher = try? Hasher256() else { return nil }
        let key = unsafe X509_get_X509_PUBKEY(certificate)
        let count = unsafe Int(i2d_X509_PUBKEY(key, nil))
        guard count > 0 else { return nil }
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { room, used in
            // SAFETY: it writes as many bytes as it said, and moves the pointer behind them.
            var end = room.baseAddress
            used = unsafe max(0, Int(i2d_X509_PUBKEY(key, &end)))
        }
        self = hasher.digest(bytes.span)
    }
}
