// SPDX-License-Identifier: Apache-2.0

/// Where a value came from, the strongest first.
package enum ConfigurationSource: Sendable, Equatable {
    case flag(String)
    case environment(String)
    case policy
    case builtIn
}

extension ConfigurationSource: CustomStringConvertible {
    package var description: String {
        switch self {
        case .flag(let name), .environment(let name): name
        case .policy: "policy"
        case .builtIn: "default"
        }
    }
}

/// What `check` tells the source of, by the name it has in the policy file.
package enum ConfigurationSetting: String, Sendable, CaseIterable {
    case mode, workers
    case stateDirectory = "state_dir"
    case secretsDirectory = "secrets_dir"
    case logLevel = "log_level"
    case policyFile = "policy"
    case listenAddress = "listen.address"
    case certificate = "listen.tls.certificate"
    case key = "listen.tls.key"
    case clientCertificate = "listen.tls.client_certificate"
    case clientAuthority = "listen.tls.client_ca"
    case clientPins = "listen.tls.client_pins_sha256"
    case publicURL = "listen.public_url"
    case plaintextJWKS = "listen.plaintext_jwks"
    case trustedProxies = "listen.trusted_proxies"
    case requestLine = "listen.limits.request_line"
    case headerBytes = "listen.limits.header_bytes"
    case headerFields = "listen.limits.header_fields"
    case body = "listen.limits.body"
    case connections = "listen.limits.connections"
    case connectionsPerIP = "listen.limits.connections_per_ip"
    case headerTimeout = "listen.limits.header_timeout"
    case bodyTimeout = "listen.limits.body_timeout"
    case keepaliveTimeout = "listen.limits.keepalive_timeout"
    case adminAddress = "admin.address"
    case adminToken = "admin.token_file"
    case upstreams
    case upstreamEndpoint = "upstreams.endpoints"
    case issuerName = "issuer.name"
    case issuerAudience = "issuer.audience"
    case issuerAlgorithm = "issuer.algorithm"
    case issuerRotation = "issuer.rotate_every"
    case issuerLifetime = "issuer.lifetime"
    case issuerReuse = "issuer.reuse"
    case issuerLegacyHeader = "issuer.legacy_header"
    case oauth
    case agents
    case agentRate = "agents.rate"
    case totpSkew = "totp.skew"
    case totpOneTime = "totp.one_time"
    case totpMaxFailures = "totp.max_failures"
    case totpLockout = "totp.lockout"
    case totpDisableAfter = "totp.disable_after"
    case totpRotationGrace = "totp.rotation_grace"
    case sessionsEnabled = "sessions.enabled"
    case sessionsLifetime = "sessions.lifetime"
    case sessionsBind = "sessions.bind"
    case filters
    case ipRate = "filters.ip_rate_limit"
    case routes
    case drainGrace = "drain.grace"
    case drainDeadline = "drain.deadline"
}

/// The source of each setting that is not the built-in default.
package struct ConfigurationSources: Sendable, Equatable {
    private var noted: [ConfigurationSetting: ConfigurationSource] = [:]

    package internal(set) subscript(setting: ConfigurationSetting) -> ConfigurationSource {
        get { noted[setting] ?? .builtIn }
        set { noted[setting] = newValue }
    }
}
