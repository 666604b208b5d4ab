// SPDX-License-Identifier: Apache-2.0

/// The variables that are read, and the flags of the same meaning (`AGENTPORT_ADMIN_LISTEN` is
/// `--admin-listen`) for commands that offer them.
package enum EnvironmentVariable: String, Sendable, CaseIterable {
    case upstream = "AGENTPORT_UPSTREAM"
    case tlsMinVersion = "AGENTPORT_TLS_MIN_VERSION"
    case listen = "AGENTPORT_LISTEN"
    case adminListen = "AGENTPORT_ADMIN_LISTEN"
    case mode = "AGENTPORT_MODE"
    case workers = "AGENTPORT_WORKERS"
    case policy = "AGENTPORT_POLICY"
    case secretsDirectory = "AGENTPORT_SECRETS_DIR"
    case stateDirectory = "AGENTPORT_STATE_DIR"
    case issuer = "AGENTPORT_ISSUER"
    case audience = "AGENTPORT_AUDIENCE"
    case ipRate = "AGENTPORT_IP_RATE"
    case agentRate = "AGENTPORT_AGENT_RATE"
    case totpOneTime = "AGENTPORT_TOTP_ONE_TIME"
    case sessionLifetime = "AGENTPORT_SESSION_LIFETIME"
    case connections = "AGENTPORT_CONNECTIONS"
    case connectionsPerIP = "AGENTPORT_CONNECTIONS_PER_IP"
    case stateURL = "AGENTPORT_STATE_URL"
    case logLevel = "AGENTPORT_LOG_LEVEL"
    case drainGrace = "AGENTPORT_DRAIN_GRACE"
    case drainDeadline = "AGENTPORT_DRAIN_DEADLINE"

    static let prefix = "AGENTPORT_"

    package var flag: String {
        "--" + rawValue.dropFirst(Self.prefix.count).lowercased().map { $0 == "_" ? "-" : $0 }
    }

    /// What Kubernetes sets in every container next to a service named `agentport`, or one whose
    /// name begins so: not a mistyped setting of ours.
    static func isServiceLink(_ name: String, value: String) -> Bool {
        let words = name.split(separator: "_")
        if words.count >= 3, words.contains("SERVICE"),
            words.contains("HOST") || words.contains("PORT")
        {
            return true
        }
        guard let port = words.lastIndex(of: "PORT") else { return false }
        let rest = words[(port + 1)...]
        return (rest.isEmpty && value.contains("://"))
            || (rest.count >= 2 && rest.first?.allSatisfy(\.isNumber) == true)
    }
}
