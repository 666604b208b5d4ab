// SPDX-License-Identifier: Apache-2.0

import CLinux

/// Signals as readable events (signalfd) instead of interruptions.
package struct Signals: ~Copyable {
    package enum Kind: Equatable, Sendable {
        case hangUp
        case terminate
    }

    package let descriptor: Descriptor

    /// Blocks SIGHUP, SIGINT and SIGTERM for the calling thread and all it starts from now on, so
    /// it must run before any other thread does; and ignores SIGPIPE.
    package init() throws(SystemError) {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for number in [SIGHUP, SIGINT, SIGTERM] { unsafe sigaddset(&set, number) }
        guard unsafe pthread_sigmask(SIG_BLOCK, &set, nil) == 0 else {
            throw SystemError("pthread_sigmask")
        }
        cl_ignore_broken_pipes()
        let number = unsafe cl_signalfd(&set)
        guard number >= 0 else { throw SystemError("signalfd") }
        descriptor = Descriptor(owning: number)
    }

    /// The next signal that has arrived, or `nil`.
    package func next() -> Kind? {
        var info = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        // SAFETY: at most `size` bytes are written to `info`.
        guard unsafe read(descriptor.rawValue, &info, size) == size else { return nil }
        return info.ssi_signo == UInt32(SIGHUP) ? .hangUp : .terminate
    }
}
