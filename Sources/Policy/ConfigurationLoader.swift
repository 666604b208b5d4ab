// SPDX-License-Identifier: Apache-2.0

/// What the loader came to. Warnings are for the log whatever else happened.
package enum ConfigurationOutcome: Sendable {
    case valid(Configuration, warnings: [ConfigurationFault])
    /// Every fault there is, the environment's first, then the policy's from top to bottom.
    case invalid([ConfigurationFault], warnings: [ConfigurationFault])
}

/// Text to one validated, immutable configuration: flag, environment, policy, default, in that
/// order of precedence.
package enum ConfigurationLoader {
    package static let defaultPolicyPath = "/etc/agentport/policy.json"
    package static let defaultStateDirectory = "/var/lib/agentport"

    /// - Parameters:
    ///   - policyPath: what `--policy` says.
    ///   - flags: other values of the command line; each hides the variable it stands for.
    package static func load(
        environment: [String: String], policyPath: String? = nil,
        flags: [EnvironmentVariable: String] = [:], files: some FileReading
    ) -> ConfigurationOutcome {
        var flags = flags
        if let policyPath { flags[.policy] = policyPath }
        let settings = EnvironmentSettings(environment: environment, flags: flags)
        let mode = settings[.mode].map { Configuration.Mode(rawValue: $0.text) } ?? .standalone
        var draft = ConfigurationDraft(mode: mode ?? .standalone)
        draft.warnOfUnknown(environment)
        if let entry = settings[.mode] {
            if mode == nil {
                draft.fault(entry.place, Expected.choice(Configuration.Mode.self))
            } else {
                draft.note(.mode, from: entry.source, at: entry.place)
            }
        }
        draft.settleDirectories(settings, files)
        let isReadable: Bool
        if let path = draft.policyPath(settings, files) {
            isReadable = draft.readPolicy(path, files)
        } else {
            isReadable = true
            draft.addDefaultAgent(files)
        }
        draft.settleAdminToken(files)
        draft.applyEnvironment(settings)
        if isReadable {
            draft.checkWhole()
            draft.checkSecrets(files)
        }
        guard draft.sortedFaults.isEmpty else {
            return .invalid(draft.sortedFaults, warnings: draft.sortedWarnings)
        }
        return .valid(draft.configuration, warnings: draft.sortedWarnings)
    }
}
