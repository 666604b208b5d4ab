// SPDX-License-Identifier: Apache-2.0

import CLinux

/// An open file descriptor, closed when the value ends.
package struct Descriptor: ~Copyable {
    package let rawValue: Int32

    package init(owning rawValue: Int32) {
        self.rawValue = rawValue
    }

    deinit {
        // Linux has closed the descriptor even where close reports EINTR or EIO.
        _ = close(rawValue)
    }
}

/// A system call's refusal: what was tried, and errno.
package struct SystemError: Error, Equatable, CustomStringConvertible {
    package let call: String
    package let number: Int32

    package init(_ call: String, number: Int32 = cl_errno()) {
        self.call = call
        self.number = number
    }

    package var description: String { "\(call): \(Self.text(number))" }

    package static func text(_ number: Int32) -> String {
        // SAFETY: strerror returns a terminated string, valid until the thread's next call.
        unsafe String(cString: strerror(number))
    }
}
