// SPDX-License-Identifier: Apache-2.0

/// How much a line matters; lines below the configured level are not written.
package enum LogLevel: UInt8, Sendable, Comparable, CaseIterable {
    case debug, info, warn, error

    /// The level that a setting names (`AGENTPORT_LOG_LEVEL`), or `nil`.
    package init?(name: String) {
        switch name {
        case "debug": self = .debug
        case "info": self = .info
        case "warn": self = .warn
        case "error": self = .error
        default: return nil
        }
    }

    package var name: StaticString {
        switch self {
        case .debug: "debug"
        case .info: "info"
        case .warn: "warn"
        case .error: "error"
        }
    }

    package static func < (left: LogLevel, right: LogLevel) -> Bool {
        left.rawValue < right.rawValue
    }
}
