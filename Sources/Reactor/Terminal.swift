// SPDX-License-Identifier: Apache-2.0

import CLinux

/// What the standard streams of a command lead to.
package enum Terminal {
    package static var isInput: Bool { isatty(STDIN_FILENO) == 1 }
    package static var isOutput: Bool { isatty(STDOUT_FILENO) == 1 }
}
