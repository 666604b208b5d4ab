// SPDX-License-Identifier: Apache-2.0

import JSON

/// A configuration in the making: defaults first, then what the policy says over them, then the
/// environment, then flags; every fault and every value's source is noted on the way.
struct ConfigurationDraft {
    var configuration: Configuration
    private(set) var faults: [ConfigurationFault] = []
    private(set) var warnings: [ConfigurationFault] = []
    /// The policy as it was read; `nil` without one.
    var policy: Configuration.PolicyFile?
    /// Where the items of the lists stand, for checks that compare them.
    var places = PolicyPlaces()
    /// Where each setting that is not a default was set.
    private var settingPlaces: [ConfigurationSetting: ConfigurationFault.Place] = [:]

    init(mode: Configuration.Mode) {
        configuration = Configuration(defaultsFor: mode)
    }

    mutating func fault(_ place: ConfigurationFault.Place, _ reason: String) {
        faults.append(ConfigurationFault(place, reason))
    }

    mutating func fault(_ node: PolicyNode, _ reason: String) {
        fault(place(of: node), reason)
    }

    mutating func warn(_ place: ConfigurationFault.Place, _ reason: String) {
        warnings.append(ConfigurationFault(place, reason))
    }

    mutating func warn(_ node: PolicyNode, _ reason: String) {
        warn(place(of: node), reason)
    }

    /// Notes a value together with who gave it.
    mutating func set<Value>(
        _ setting: ConfigurationSetting, _ path: WritableKeyPath<Configuration, Value>,
        to value: Value, from source: ConfigurationSource, at place: ConfigurationFault.Place
    ) {
        configuration[keyPath: path] = value
        note(setting, from: source, at: place)
    }

    mutating func note(
        _ setting: ConfigurationSetting, from source: ConfigurationSource,
        at place: ConfigurationFault.Place
    ) {
        configuration.sources[setting] = source
        settingPlaces[setting] = place
    }

    /// Where a setting was set; `nil` for a default.
    func place(of setting: ConfigurationSetting) -> ConfigurationFault.Place? {
        settingPlaces[setting]
    }

    func place(of node: PolicyNode) -> ConfigurationFault.Place {
        guard let policy else { preconditionFailure("a node without a policy") }
        return .policy(
            file: policy.path, position: TextPosition(of: node.offset, in: policy.bytes.span),
            pointer: node.pointer)
    }

    /// Faults of the environment first, then those of the policy from top to bottom, then files.
    var sortedFaults: [ConfigurationFault] { Self.sorted(faults) }
    var sortedWarnings: [ConfigurationFault] { Self.sorted(warnings) }

    private static func sorted(_ faults: [ConfigurationFault]) -> [ConfigurationFault] {
        func rank(_ fault: ConfigurationFault) -> (Int, TextPosition) {
            let none = TextPosition(line: 0, column: 0)
            return switch fault.place {
            case .flag: (0, none)
            case .environment: (1, none)
            case .policy(_, let position, _): (2, position)
            case .file: (3, none)
            }
        }
        // The index keeps equals in the order they were found.
        return faults.enumerated().sorted { left, right in
            let (leftRank, rightRank) = (rank(left.element), rank(right.element))
            return (leftRank.0, leftRank.1, left.offset) < (rightRank.0, rightRank.1, right.offset)
        }.map(\.element)
    }
}

/// One value of the policy and the way to it.
struct PolicyNode {
    let value: JSONValue
    let pointer: JSONPointer
    /// Where a fault of it is shown: at the value, or at its name where the name is the fault.
    var offset: Int

    init(_ value: JSONValue, _ pointer: JSONPointer = JSONPointer()) {
        self.value = value
        self.pointer = pointer
        offset = value.offset
    }
}

/// Invariant: each array of nodes is as long as the list of the configuration that it tells of, or
/// empty where that list is a default.
struct PolicyPlaces {
    var root: PolicyNode?
    var upstreams: [PolicyNode] = []
    var endpoints: [EndpointPlaces] = []
    /// True where the variable that sets the endpoints could not be read: those of the policy
    /// would not hold, so they cannot be judged.
    var endpointVariableIsBroken = false
    var agents: [PolicyNode] = []
    var seeds: [PolicyNode?] = []
    var oauth: [PolicyNode] = []
    /// False once an issuer could not be read: whoever names one unknown may mean that.
    var oauthIsWhole = true
    /// The agent of each binding to an issuer and a client.
    var bindingOwners: [Configuration.OAuthBinding: String] = [:]
    /// The agent of each key, by its hash.
    var keyOwners: [[UInt8]: String] = [:]
    /// The agent of each pin.
    var pinOwners: [[UInt8]: String] = [:]
    var routes: [PolicyNode] = []
    var filters: [PolicyNode] = []
    /// False once a filter or a route could not be read: its neighbours cannot be judged then.
    var chainIsWhole = true
    /// Likewise for what is asked of clients' certificates, and for all pins.
    var clientRulesAreWhole = true
    /// Likewise for the names and audiences of upstreams.
    var upstreamsAreWhole = true
}

/// Where the endpoints of one upstream stand.
struct EndpointPlaces {
    /// One for each endpoint that could be read; empty where the configuration has a placeholder.
    var nodes: [PolicyNode] = []
    /// False where one is missing or could not be read: no rule for all of them can be judged.
    var areWhole = false
}
