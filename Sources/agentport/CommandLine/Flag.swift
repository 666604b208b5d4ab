// SPDX-License-Identifier: Apache-2.0

import Policy

/// A flag that a command takes, besides `--help`, which all take.
struct Flag: Sendable {
    /// With its dashes.
    let name: String
    /// What stands for the value in the help; empty for a flag that has none.
    let value: String
    let meaning: String
    /// The environment variable that means the same, where there is one.
    let variable: EnvironmentVariable?

    init(_ name: String, _ value: String, _ meaning: String) {
        self.name = name
        self.value = value
        self.meaning = meaning
        variable = nil
    }

    private init(_ variable: EnvironmentVariable, _ value: String, _ meaning: String) {
        name = variable.flag
        self.value = value
        self.meaning = meaning
        self.variable = variable
    }

    /// What `serve` and `check` take: each setting of the environment, the policy first.
    static let settings: [Flag] =
        [setting(.policy)]
        + EnvironmentVariable.allCases.filter { $0 != .policy }.map { setting($0) }

    static func setting(_ variable: EnvironmentVariable) -> Flag {
        let (value, meaning) =
            switch variable {
            case .policy: ("FILE", "\(ConfigurationLoader.defaultPolicyPath), if it exists")
            case .upstream: ("URL,...", "required where there is no policy")
            case .tlsMinVersion: ("1.3", "1.3; any other value is refused")
            case .listen: ("ADDRESS", "0.0.0.0:8443")
            case .adminListen: ("ADDRESS", "127.0.0.1:9901; `unix:PATH`, `off`")
            case .mode: ("MODE", "standalone; `sidecar`")
            case .workers: ("N", "one for each core (one in a sidecar)")
            case .secretsDirectory: ("PATH", "/run/secrets")
            case .stateDirectory:
                ("PATH", "\(ConfigurationLoader.defaultStateDirectory), if writable")
            case .issuer: ("NAME", "agentport")
            case .audience: ("NAME", "openclaw-prod")
            case .ipRate: ("RATE", "1000/1s for each address; `off`")
            case .agentRate: ("RATE", "1000/1s for each agent; `off`")
            case .totpOneTime: ("BOOLEAN", "true: a code is good once; `false`")
            case .sessionLifetime: ("TIME", "5m; `off`")
            case .connections: ("N", "20000 (2000 in a sidecar)")
            case .connectionsPerIP: ("N", "256")
            case .stateURL: ("URL", "not built yet: refused")
            case .logLevel: ("LEVEL", "info; `debug`, `warn`, `error`")
            case .drainGrace: ("TIME", "0s")
            case .drainDeadline: ("TIME", "15s")
            }
        return Flag(variable, value, meaning)
    }
}
