// SPDX-License-Identifier: Apache-2.0

/// Where a client connection stands; their sum is what is open.
package enum ConnectionState: Int, Sendable, CaseIterable {
    case handshaking, active, idle, closing

    var label: String {
        switch self {
        case .handshaking: "handshaking"
        case .active: "active"
        case .idle: "idle"
        case .closing: "closing"
        }
    }
}

/// How an evaluated code ended.
package enum TOTPResult: Int, Sendable, CaseIterable {
    case accepted, invalid, reused, locked, malformed

    var label: String {
        switch self {
        case .accepted: "ok"
        case .invalid: "invalid"
        case .reused: "reused"
        case .locked: "locked"
        case .malformed: "malformed"
        }
    }
}

/// How a call of an upstream ended, whatever its status was.
package enum UpstreamResult: Int, Sendable, CaseIterable {
    case answered, connectFailed, timedOut, reset, badResponse, overloaded, abandoned

    var label: String {
        switch self {
        case .answered: "ok"
        case .connectFailed: "connect_failed"
        case .timedOut: "timeout"
        case .reset: "reset"
        case .badResponse: "bad_response"
        case .overloaded: "overloaded"
        case .abandoned: "abandoned"
        }
    }
}

package enum TLSHandshakeResult: Int, Sendable, CaseIterable {
    case full, resumed, failed, timedOut

    var label: String {
        switch self {
        case .full: "full"
        case .resumed: "resumed"
        case .failed: "failed"
        case .timedOut: "timeout"
        }
    }
}

/// Whether what a filter would refuse was refused.
package enum RejectionMode: Int, Sendable, CaseIterable {
    case enforce, shadow

    var label: String {
        switch self {
        case .enforce: "enforce"
        case .shadow: "shadow"
        }
    }
}
