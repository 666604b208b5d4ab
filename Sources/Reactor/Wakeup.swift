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

    /// For a thread without a loop: sleeps until signalled, or for so long (negative: without end).
    package func wait(milliseconds: Int) {
        var waiting = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        // SAFETY: one entry is read and written.
        let ready = unsafe poll(&waiting, 1, Int32(clamping: milliseconds))
        if ready > 0 { acknowledge() }
    }

    /// Called by the loop when the descriptor is readable.
    package func acknowledge() {
        var count: UInt64 = 0
        // SAFETY: eight bytes are written to `count`.
        _ = unsafe read(descriptor.rawValue, &count, 8)
    }
}
