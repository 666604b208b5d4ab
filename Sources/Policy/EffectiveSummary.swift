// SPDX-License-Identifier: Apache-2.0

/// What `agentport check` prints after `ok`: what holds, and who said so. Short enough to be
/// reviewed in half a minute, and without a secret or the hash of one.
package struct EffectiveSummary: CustomStringConvertible {
    let configuration: Configuration
    private var rows: [Row] = []

    private struct Row {
        let name: String
        let value: String
        let source: String
    }

    package init(_ configuration: Configuration) {
        self.configuration = configuration
        describeProcess()
        describeListener()
        describeIdentity()
        describeChain()
        describeRoutes()
        describeUpstreams()
        describeOAuth()
        describeAgents()
    }

    /// One setting a line in three columns: name, value, source.
    package var description: String {
        let nameWidth = rows.map(\.name.count).max() ?? 0
        let valueWidth = min(rows.map(\.value.count).max() ?? 0, 60)
        return rows.map { row in
            if row.value.isEmpty, row.source.isEmpty { return row.name + "\n" }
            let head = Self.pad(row.name, nameWidth) + "  "
            if row.source.isEmpty { return head + Printable.escaped(row.value) + "\n" }
            return head + Self.pad(Printable.escaped(row.value), valueWidth) + "  \(row.source)\n"
        }.joined()
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    mutating func add(_ name: String, _ value: String, _ setting: ConfigurationSetting) {
        add(name, value, configuration.sources[setting].description)
    }

    mutating func add(_ name: String, _ value: String = "", _ source: String = "") {
        rows.append(Row(name: name, value: value, source: source))
    }

    // MARK: Sections, in the order they are printed

    private mutating func describeProcess() {
        add("mode", configuration.mode.rawValue, .mode)
        add("workers", configuration.workers.map(String.init) ?? "one per core", .workers)
        add("policy", configuration.policy?.path ?? "none", .policyFile)
        add("secrets", configuration.secretsDirectory, .secretsDirectory)
        add(
            "state", configuration.stateDirectory ?? "none: nothing survives a restart",
            .stateDirectory)
        add("log level", configuration.logLevel.rawValue, .logLevel)
        let drain = configuration.drain
        add("drain grace", DurationText.text(drain.graceMilliseconds), .drainGrace)
        add("drain deadline", DurationText.text(drain.deadlineMilliseconds), .drainDeadline)
    }

    private mutating func describeListener() {
        let listen = configuration.listen
        let limits = listen.limits
        add("listen", "\(listen.address), TLS 1.3", .listenAddress)
        add("  certificate", listen.certificatePath, .certificate)
        add("  key", listen.keyPath, .key)
        describeClientCertificates()
        add("  plaintext jwks", listen.plaintextJWKS.rawValue, .plaintextJWKS)
        if let url = listen.publicURL { add("  public url", url, .publicURL) }
        let proxies = listen.trustedProxies.map(\.description).joined(separator: ", ")
        add("  trusted proxies", proxies.isEmpty ? "none" : proxies, .trustedProxies)
        add("  connections", String(limits.connections), .connections)
        add("  connections per ip", String(limits.connectionsPerIP), .connectionsPerIP)
        add("  request line", SizeText.text(limits.requestLineBytes), .requestLine)
        add("  header bytes", SizeText.text(limits.headerBytes), .headerBytes)
        add("  header fields", String(limits.headerFields), .headerFields)
        add("  body", SizeText.text(Int(clamping: limits.bodyBytes)), .body)
        add("  header timeout", DurationText.text(limits.headerTimeoutMilliseconds), .headerTimeout)
        add("  body timeout", DurationText.text(limits.bodyTimeoutMilliseconds), .bodyTimeout)
        add(
            "  keepalive timeout", DurationText.text(limits.keepaliveTimeoutMilliseconds),
            .keepaliveTimeout)
        let admin =
            switch configuration.admin {
            case .off: "off"
            case .tcp(let address): address.description
            case .unix(let path): "unix:\(path)"
            }
        add("admin", admin, .adminAddress)
        if configuration.admin != .off {
            add("  token", configuration.adminTokenPath ?? "made at first start", .adminToken)
        }
    }

    private mutating func describeClientCertificates() {
        let rules = configuration.listen.clientCertificates
        let demand = rules.demand == .none ? "not asked for" : rules.demand.rawValue
        add("  client certificate", demand, .clientCertificate)
        guard rules.demand != .none else { return }
        add("  client ca", rules.authorityPath ?? "none: pins decide", .clientAuthority)
        let count = configuration.clientPins.count
        let ofAgents = count - rules.pins.count
        add(
            "  client pins",
            count == 0 ? "none" : "\(count)\(ofAgents == 0 ? "" : ", \(ofAgents) of agents")",
            .clientPins)
    }

    private mutating func describeIdentity() {
        let issuer = configuration.issuer
        add("issuer", issuer.name, .issuerName)
        add("  audience", issuer.audience, .issuerAudience)
        add("  algorithm", issuer.algorithm.rawValue, .issuerAlgorithm)
        let rotation = issuer.rotateEveryMilliseconds.map { "every \(DurationText.text($0))" }
        add("  key rotation", rotation ?? "when asked for", .issuerRotation)
        add("  lifetime", DurationText.text(issuer.lifetimeMilliseconds), .issuerLifetime)
        add("  reuse", issuer.reuse ? "yes" : "no", .issuerReuse)
        if issuer.legacyHeader { add("  legacy header", "yes", .issuerLegacyHeader) }
        let totp = configuration.totp
        add("totp one time", totp.oneTime ? "yes" : "no: a code may be used again", .totpOneTime)
        add("  skew", "\(totp.skew) steps", .totpSkew)
        add("  lockout", DurationText.text(totp.lockoutMilliseconds), .totpLockout)
        add("  max failures", String(totp.maxFailures), .totpMaxFailures)
        add("  disable after", String(totp.disableAfter), .totpDisableAfter)
        add(
            "  rotation grace", DurationText.text(totp.rotationGraceMilliseconds),
            .totpRotationGrace)
        let sessions = configuration.sessions
        guard sessions.enabled else { return add("sessions", "off", .sessionsEnabled) }
        add("sessions", DurationText.text(sessions.lifetimeMilliseconds), .sessionsLifetime)
        add("  bound to", sessions.bindAddress ? "agent, client address" : "agent", .sessionsBind)
    }

    private mutating func describeChain() {
        add("chain", Self.chain(configuration.filters), .filters)
        for case .ipRateLimit(let rate, let mode) in configuration.filters {
            add("  ip rate", rate.description + Self.suffix(mode), .ipRate)
        }
    }

    /// What does not enforce must not be overlooked.
    private static func suffix(_ mode: Configuration.FilterMode) -> String {
        switch mode {
        case .enforce: ""
        case .shadow: ", SHADOW: lets through"
        case .off: ", OFF"
        }
    }

    static func chain(_ filters: [Configuration.FilterUse]) -> String {
        guard !filters.isEmpty else { return "nothing" }
        return filters.map { filter in
            filter.mode == .enforce ? filter.name : "\(filter.name) (\(filter.mode.rawValue))"
        }.joined(separator: " > ")
    }

    private mutating func describeOAuth() {
        guard !configuration.oauth.isEmpty else { return }
        add("oauth", "\(configuration.oauth.count)", .oauth)
        for issuer in configuration.oauth {
            add(
                "  \(issuer.issuer)",
                "audience \(issuer.audience), keys from \(issuer.keySet), agent "
                    + "\(issuer.agentClaim), user \(issuer.userClaim)",
                .oauth)
        }
    }

    private mutating func describeAgents() {
        add("agents", "\(configuration.agents.count)", .agents)
        let isLimited = configuration.filters.contains { $0.name == "agent_rate_limit" }
        for agent in configuration.agents {
            let scopes = agent.scopes.isEmpty ? "none" : agent.scopes.joined(separator: " ")
            let factors = Self.firstFactors(agent)
            add(
                "  \(agent.name)",
                (agent.user == agent.name ? "" : "user \(agent.user), ")
                    + "scopes \(scopes), \(factors), "
                    + (isLimited ? agent.rate.description : "no rate limit"),
                .agentRate)
        }
    }

    /// Keys and pins by their number: a hash can be compared by no one at a glance.
    static func count(_ items: [some Any], _ noun: String) -> String {
        switch items.count {
        case 0: "no \(noun)s"
        case 1: "1 \(noun)"
        default: "\(items.count) \(noun)s"
        }
    }

    private static func firstFactors(_ agent: Configuration.Agent) -> String {
        let keys: String? =
            switch agent.keys {
            case .hashes(let hashes): hashes.isEmpty ? nil : count(hashes, "key")
            case .apiKeyFromSecret: "key from its secret"
            case .madeAtFirstStart: "key made at first start"
            }
        let others: [String?] = [
            agent.clientPins.isEmpty ? nil : count(agent.clientPins, "pin"),
            agent.oauth.isEmpty ? nil : count(agent.oauth, "OAuth binding"),
        ]
        return ([keys] + others).compactMap { $0 }.joined(separator: ", ")
    }
}
