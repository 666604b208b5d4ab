// SPDX-License-Identifier: Apache-2.0

/// What the list `filters` can name.
enum FilterName: String, CaseIterable {
    case tlsInspector = "tls_inspector"
    case clientPins = "client_pins"
    case ipRateLimit = "ip_rate_limit"
    case identity
    case totp
    case agentRateLimit = "agent_rate_limit"
    case inspect
    case jwt

    fileprivate static let plain: [FilterName] = [
        .tlsInspector, .clientPins, .identity, .totp, .jwt,
    ]
    fileprivate static let built = allCases.filter { $0 != .inspect }
}

/// Of a filter that is told nothing.
struct PlainFilterKeys: PolicyKeys {
    let use = PolicyKey.use(FilterName.plain)

    var all: [any AnyPolicyKey] { [use] }
}

struct AgentRateLimitKeys: PolicyKeys {
    let use = PolicyKey.use([.agentRateLimit])
    let mode = PolicyKey.mode

    var all: [any AnyPolicyKey] { [use, mode] }
}

struct IPRateLimitKeys: PolicyKeys {
    let use = PolicyKey.use([.ipRateLimit])
    let requests = PolicyKey("requests", RateKeys().requests.form, RateKeys().requests.meaning)
    let per = PolicyKey("per", RateKeys().per.form, RateKeys().per.meaning)
    let burst = RateKeys().burst
    let mode = PolicyKey.mode

    var all: [any AnyPolicyKey] { [use, requests, per, burst, mode] }

    /// Whoever says something of the rate says the whole of it.
    var rules: ValueSchema {
        .dependencies([
            (requests.name, [per.name]), (per.name, [requests.name]),
            (burst.name, [requests.name, per.name]),
        ])
    }
}

extension PolicyKey<String> {
    fileprivate static func use(_ filters: [FilterName]) -> PolicyKey {
        PolicyKey(
            required: "use",
            PolicyForm(schema: .choice(filters.map(\.rawValue))) { $0.string($1) },
            "The filter's name.")
    }
}

extension PolicyKey<Configuration.FilterMode> {
    fileprivate static var mode: PolicyKey {
        PolicyKey(
            "mode", .choice,
            "`shadow` lets through, counts and logs what would have been refused.")
    }
}

extension PolicyForm<[PolicyNode]> {
    /// Each filter once. Which members an item has depends on its name, so the reader looks at
    /// that first.
    static var filters: PolicyForm {
        let item = ValueSchema.anyOf([
            PlainFilterKeys().schema, AgentRateLimitKeys().schema, IPRateLimitKeys().schema,
        ])
        let repetitions = FilterName.built.map { name in
            ValueSchema.atMostOne(
                .required("use").and(.member("use", .constant(name.rawValue))))
        }
        return PolicyForm(
            schema: ValueSchema.list(of: item, 0...Bounds.filtersMax, isUnique: false)
                .and(.allOf(repetitions))
        ) { $0.items($1, max: Bounds.filtersMax) }
    }
}
