// SPDX-License-Identifier: Apache-2.0

/// Why nothing was measured.
struct MicroFault: Error {
    let reason: String
    /// The command line was at fault.
    var isUsage = false

    static func usage(_ reason: String) -> MicroFault { MicroFault(reason: reason, isUsage: true) }
    static func failed(_ reason: String) -> MicroFault { MicroFault(reason: reason) }
}
