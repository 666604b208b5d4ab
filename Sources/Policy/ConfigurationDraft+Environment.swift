// SPDX-License-Identifier: Apache-2.0

import Bytes

/// One variable or flag that is set.
struct EnvironmentEntry {
    let text: String
    let source: ConfigurationSource
    let place: ConfigurationFault.Place
}

/// What is set from outside the policy; a flag hides the variable of the same meaning.
struct EnvironmentSettings {
    private(set) var entries: [EnvironmentVariable: EnvironmentEntry] = [:]

    /// An empty variable counts as unset: that is what `${NAME:-}` of a Compose file makes.
    init(environment: [String: String], flags: [EnvironmentVariable: String]) {
        for variable in EnvironmentVariable.allCases {
            if let text = flags[variable] {
                entries[variable] = EnvironmentEntry(
                    text: text, source: .flag(variable.flag), place: .flag(variable.flag))
            } else if let text = environment[variable.rawValue], !text.isEmpty {
                entries[variable] = EnvironmentEntry(
                    text: text, source: .environment(variable.rawValue),
                    place: .environment(variable.rawValue))
            }
        }
    }

    subscript(_ variable: EnvironmentVariable) -> EnvironmentEntry? { entries[variable] }
}

extension ConfigurationDraft {
    mutating func warnOfUnknown(_ environment: [String: String]) {
        let known = EnvironmentVariable.allCases.map(\.rawValue)
        for (name, value) in environment.sorted(by: { $0.key < $1.key })
        where name.hasPrefix(EnvironmentVariable.prefix) && !known.contains(name)
            && !EnvironmentVariable.isServiceLink(name, value: value)
        {
            // What they have in common would make any two of them near.
            let own = String(name.dropFirst(EnvironmentVariable.prefix.count))
            let nearest = NearestName.of(
                own, in: known.map { String($0.dropFirst(EnvironmentVariable.prefix.count)) })
            warn(
                .environment(name),
                "unknown variable"
                    + (nearest.map {
                        "; did you mean `\(EnvironmentVariable.prefix)\($0)`?"
                    } ?? ""))
        }
    }

    /// Everything but mode, policy and directories, which were needed before.
    mutating func applyEnvironment(_ settings: EnvironmentSettings) {
        refuseFixed(settings)
        let listening = { (text: String) in SocketAddressText(binding: text) }
        take(settings[.listen], .listenAddress, \.listen.address, Expected.address, listening)
        applyAdmin(settings[.adminListen])
        take(settings[.workers], .workers, \.workers, Self.whole(Bounds.workers)) {
            Self.integer($0, in: Bounds.workers).map { .some($0) }
        }
        take(
            settings[.logLevel], .logLevel, \.logLevel, Expected.choice(Configuration.LogLevel.self)
        ) {
            Configuration.LogLevel(rawValue: $0)
        }
        take(settings[.issuer], .issuerName, \.issuer.name, Expected.claim, Self.claim)
        take(settings[.audience], .issuerAudience, \.issuer.audience, Expected.claim, Self.claim)
        take(
            settings[.connections], .connections, \.listen.limits.connections,
            Self.whole(Bounds.connections)
        ) { Self.integer($0, in: Bounds.connections) }
        take(
            settings[.connectionsPerIP], .connectionsPerIP, \.listen.limits.connectionsPerIP,
            Self.whole(Bounds.connections)
        ) { Self.integer($0, in: Bounds.connections) }
        take(settings[.totpOneTime], .totpOneTime, \.totp.oneTime, "must be `true` or `false`") {
            Bool($0)
        }
        take(
            settings[.drainGrace], .drainGrace, \.drain.graceMilliseconds,
            Expected.duration(Bounds.drainGrace)
        ) { Self.duration($0, in: Bounds.drainGrace) }
        take(
            settings[.drainDeadline], .drainDeadline, \.drain.deadlineMilliseconds,
            Expected.duration(Bounds.drainDeadline)
        ) { Self.duration($0, in: Bounds.drainDeadline) }
        applySessionLifetime(settings[.sessionLifetime])
        applyIPRate(settings[.ipRate])
        applyAgentRate(settings[.agentRate])
        applyUpstream(settings[.upstream])
    }

    private mutating func take<Value>(
        _ entry: EnvironmentEntry?, _ setting: ConfigurationSetting,
        _ path: WritableKeyPath<Configuration, Value>, _ expected: String,
        _ parse: (String) -> Value?
    ) {
        guard let entry else { return }
        guard let value = parse(entry.text) else { return fault(entry.place, expected) }
        set(setting, path, to: value, from: entry.source, at: entry.place)
    }

    private mutating func refuseFixed(_ settings: EnvironmentSettings) {
        if let entry = settings[.tlsMinVersion], entry.text != "1.3" {
            fault(entry.place, "must be `1.3`: the gateway speaks no older version of TLS")
        }
        if let entry = settings[.stateURL] {
            fault(entry.place, Self.notBuilt("shared state for several replicas"))
        }
    }

    private mutating func applyAdmin(_ entry: EnvironmentEntry?) {
        guard let entry else { return }
        switch Configuration.Admin.parse(entry.text) {
        case .success(let admin):
            set(.adminAddress, \.admin, to: admin, from: entry.source, at: entry.place)
        case .failure(let error): fault(entry.place, error.reason)
        }
    }

    private mutating func applySessionLifetime(_ entry: EnvironmentEntry?) {
        guard let entry else { return }
        guard entry.text != "off" else {
            set(
                .sessionsEnabled, \.sessions.enabled, to: false, from: entry.source, at: entry.place
            )
            return
        }
        take(
            entry, .sessionsLifetime, \.sessions.lifetimeMilliseconds,
            Expected.duration(Bounds.sessionLifetime) + ", or `off`"
        ) {
            Self.duration($0, in: Bounds.sessionLifetime)
        }
    }

    private mutating func applyIPRate(_ entry: EnvironmentEntry?) {
        guard let entry else { return }
        let index = configuration.filters.firstIndex { $0.name == "ip_rate_limit" }
        if entry.text == "off" {
            if let index { removeFilter(at: index) }
        } else if let rate = Rate(entry.text) {
            guard let index else {
                warn(entry.place, "the chain has no `ip_rate_limit`, so this has no effect")
                return
            }
            configuration.filters[index] = .ipRateLimit(rate, configuration.filters[index].mode)
        } else {
            return fault(entry.place, Expected.rate + ", or `off`")
        }
        note(.ipRate, from: entry.source, at: entry.place)
    }

    private mutating func applyAgentRate(_ entry: EnvironmentEntry?) {
        guard let entry else { return }
        let index = configuration.filters.firstIndex { $0.name == "agent_rate_limit" }
        if entry.text == "off" {
            if let index { removeFilter(at: index) }
        } else if let rate = Rate(entry.text) {
            guard index != nil else {
                warn(entry.place, "the chain has no `agent_rate_limit`, so this has no effect")
                return
            }
            for agent in configuration.agents.indices { configuration.agents[agent].rate = rate }
        } else {
            return fault(entry.place, Expected.rate + ", or `off`")
        }
        note(.agentRate, from: entry.source, at: entry.place)
    }

    private mutating func removeFilter(at index: Int) {
        configuration.filters.remove(at: index)
        if places.filters.indices.contains(index) { places.filters.remove(at: index) }
    }

    private mutating func applyUpstream(_ entry: EnvironmentEntry?) {
        guard let entry else {
            if policy == nil, configuration.mode == .standalone {
                fault(
                    .environment(EnvironmentVariable.upstream.rawValue),
                    "required without a policy; for example `http://openclaw:8080`")
            }
            return
        }
        guard configuration.upstreams.count == 1 else {
            return fault(entry.place, "the policy has several upstreams, and this cannot say which")
        }
        guard let endpoints = endpoints(entry) else {
            places.endpointVariableIsBroken = true
            return
        }
        configuration.upstreams[0].endpoints = endpoints
        note(.upstreamEndpoint, from: entry.source, at: entry.place)
    }

    private static func claim(_ text: String) -> String? {
        Expected.isClaim(text.utf8) ? text : nil
    }

    private static func whole(_ range: ClosedRange<Int>) -> String {
        "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
    }

    private static func integer(_ text: String, in range: ClosedRange<Int>) -> Int? {
        guard let value = Array(text.utf8).span.decimal else { return nil }
        return Int(exactly: value).flatMap { range.contains($0) ? $0 : nil }
    }

    private static func duration(_ text: String, in range: ClosedRange<Int>) -> Int? {
        DurationText.parse(text).flatMap { range.contains($0) ? $0 : nil }
    }
}
