// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// The library's generator of unpredictable bytes.
package enum Random {
    /// Fills the span; ends the process where the system gives no randomness, since every secret
    /// made after that would be guessable.
    package static func fill(_ bytes: inout MutableSpan<UInt8>) {
        guard bytes.count > 0 else { return }
        // SAFETY: the library writes `count` bytes of the span; counts stay far below Int32.max.
        let done = unsafe bytes.withUnsafeMutableBufferPointer {
            unsafe RAND_bytes($0.baseAddress, Int32($0.count))
        }
        precondition(done == 1, "no randomness from the system")
    }

    package static func bytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var span = bytes.mutableSpan
        fill(&span)
        return bytes
    }
}
