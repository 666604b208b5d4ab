// SPDX-License-Identifier: Apache-2.0

import CLinux

/// Wakes an event loop from another thread (eventfd).
package final class Wakeup: Sendable {
    package let descriptor: Descriptor

    package init() throws(SystemError) {
        let number = cl_eventfd()
        guard number >= 0 else { throw SystemError("eventfd") }
        descriptor = Descriptor(owning: number)
    }

    /// Safe from any thread; several calls before the loop turns count as one.
    package func signal() {
        var one: UInt64 = 1
        // SAFETY: eight bytes are read from `one`.
        _ = unsafe write(descriptor.rawValue, &one, 8)
    }

    /// Called by the loop when the descriptor is readable.
    package func acknowledge() {
        var count: UInt64 = 0
        // SAFETY: eight bytes are written to `count`.
        _ = unsafe read(descriptor.rawValue, &count, 8)
    }
}
