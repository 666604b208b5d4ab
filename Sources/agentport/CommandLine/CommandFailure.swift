// SPDX-License-Identifier: Apache-2.0

/// Why a command did not do what was asked; always one line.
enum CommandFailure: Error {
    /// The command line is wrong: exit 2.
    case usage(String)
    /// Something that it names is: exit 1.
    case failed(String)

    var reason: String {
        switch self {
        case .usage(let reason), .failed(let reason): reason
        }
    }

    var status: Int32 {
        switch self {
        case .usage: 2
        case .failed: 1
        }
    }
}
