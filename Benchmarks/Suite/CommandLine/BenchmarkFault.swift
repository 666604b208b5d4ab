// SPDX-License-Identifier: Apache-2.0

/// Why there is no figure; always one line or more that say so.
package enum BenchmarkFault: Error {
    /// The command line is wrong: exit 2.
    case usage(String)
    /// Something that was needed is missing or went wrong: exit 1.
    case failed(String)

    package var reason: String {
        switch self {
        case .usage(let reason), .failed(let reason): reason
        }
    }

    package var status: Int32 {
        switch self {
        case .usage: 2
        case .failed: 1
        }
    }
}
