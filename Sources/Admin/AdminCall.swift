// SPDX-License-Identifier: Apache-2.0

/// What can be asked of the admin listener.
enum AdminCall: Equatable {
    case live, ready, metrics
    case status
    case listSecrets, rotateSeed
    case setEnabled(agent: String, isEnabled: Bool)
    case revokeSessions
    case listKeys, rotateKey
    case reload, drain

    enum Found: Equatable {
        case call(AdminCall)
        /// The path is known, by other methods.
        case otherMethods(String)
        case unknown
        /// The finished product has it.
        case notBuilt
    }

    private enum Verb {
        case read, write
    }

    static func find(method: String, path: String) -> Found {
        if ["/", "/admin/decisions"].contains(path) { return .notBuilt }
        let read = reading(path)
        let write = writing(path)
        guard read != nil || write != nil else { return .unknown }
        switch method {
        case "GET", "HEAD":
            if let read { return .call(read) }
        case "POST":
            if let write { return .call(write) }
        default: break
        }
        let methods = (read == nil ? [] : ["GET", "HEAD"]) + (write == nil ? [] : ["POST"])
        return .otherMethods(methods.joined(separator: ", "))
    }

    private static func reading(_ path: String) -> AdminCall? {
        switch path {
        case "/livez": .live
        case "/readyz": .ready
        case "/metrics": .metrics
        case "/admin/status": .status
        case "/admin/secrets": .listSecrets
        case "/admin/keys": .listKeys
        default: nil
        }
    }

    private static func writing(_ path: String) -> AdminCall? {
        switch path {
        case "/admin/secrets": return .rotateSeed
        case "/admin/sessions/revoke": return .revokeSessions
        case "/admin/keys/rotate": return .rotateKey
        case "/admin/reload": return .reload
        case "/admin/drain": return .drain
        default: break
        }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[1] == "admin", parts[2] == "agents", !parts[3].isEmpty else {
            return nil
        }
        switch parts[4] {
        case "enable": return .setEnabled(agent: String(parts[3]), isEnabled: true)
        case "disable": return .setEnabled(agent: String(parts[3]), isEnabled: false)
        default: return nil
        }
    }

    /// Probes and scrapers have no token.
    func needsToken(onLoopback isLoopback: Bool) -> Bool {
        switch self {
        case .live, .ready: false
        case .metrics: !isLoopback
        default: true
        }
    }

    /// Probes and scrapers come every few seconds; all else is for the audit log.
    var isAudited: Bool {
        switch self {
        case .live, .ready, .metrics: false
        default: true
        }
    }
}
