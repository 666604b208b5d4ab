// SPDX-License-Identifier: Apache-2.0

import Identity
import Policy
import Reactor

extension Command {
    static let check = Command(
        words: ["check"],
        summary: "validates the configuration and its secrets, opening no socket",
        flags: Flag.settings,
        notes: """
            Prints `ok` and what holds, with the source of each value, and exits 0; or prints every
            fault on standard error, those of the policy as FILE:LINE:COLUMN: /json/pointer: reason,
            and exits 1. It writes nothing and shows no secret.

            example:
              agentport check --policy policy.json
            """
    ) { arguments throws(CommandFailure) in
        CheckCommand.run(flags: arguments.settings)
    }
}

enum CheckCommand {
    static func run(flags: [EnvironmentVariable: String]) -> Int32 {
        let outcome = ConfigurationLoader.load(
            environment: Process.environment(), flags: flags, files: DiskFiles())
        switch outcome {
        case .invalid(let faults, let warnings): return refuse(faults, warnings)
        case .valid(let configuration, let warnings):
            switch Secrets.load(configuration, for: .checking) {
            case .refused(let faults, let more): return refuse(faults, warnings + more)
            case .loaded(let secrets, let more):
                return check(configuration, secrets, warnings + more)
            }
        }
    }

    /// Holds the secrets against what an earlier process has kept, as a start would.
    private static func check(
        _ configuration: Configuration, _ secrets: Secrets, _ warnings: [ConfigurationFault]
    ) -> Int32 {
        do throws(ConfigurationFault) {
            let now = Moment.ofStart()
            let kept = try Custody.open(configuration, for: .checking, at: now).state
            let settlement = Settlement(kept, configuration, secrets, now: now)
            guard settlement.faults.isEmpty else {
                return refuse(settlement.faults, warnings + settlement.warnings)
            }
            warn(warnings + settlement.warnings)
            return Console.show("ok\n\(EffectiveSummary(configuration))")
        } catch {
            return refuse([error], warnings)
        }
    }

    private static func refuse(
        _ faults: [ConfigurationFault], _ warnings: [ConfigurationFault]
    ) -> Int32 {
        for fault in faults { Console.complain(fault.description) }
        warn(warnings)
        return 1
    }

    private static func warn(_ warnings: [ConfigurationFault]) {
        for warning in warnings { Console.complain("warning: \(warning)") }
    }
}
