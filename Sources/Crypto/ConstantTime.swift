// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// Equality whose time tells nothing but whether the lengths agree.
package func constantTimeEquals(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    // SAFETY: both spans have `count` bytes and outlive the call.
    return unsafe left.withUnsafeBytes { left in
        unsafe right.withUnsafeBytes { right in
            unsafe CRYPTO_memcmp(left.baseAddress, right.baseAddress, left.count) == 0
        }
    }
}
