// SPDX-License-Identifier: Apache-2.0

import Control
import Identity
import Policy
import Reactor

/// What the first generation is made of: configuration, secrets, and what an earlier process kept.
final class Beginning {
    let configuration: Configuration
    /// Without their seeds.
    let secrets: Secrets
    /// `nil` once somebody else has it: seeds must be nowhere when they are over.
    private var custody: Custody?
    let warnings: [ConfigurationFault]
    /// For the audit log, once there is one.
    let events: [SuccessionEvent]
    /// Files that were made, for the log to name.
    let made: [Secrets.MadeFile]

    /// A clock this far behind what was kept is told of.
    private static let clockSlackMilliseconds: UInt64 = 60_000
    /// What was kept by a clock that was ahead by more is not believed: no seed in its grace ends
    /// later than that.
    private static let clockStepMax: UInt64 = 24 * 60 * 60 * 1000
    /// When the state was kept last.
    private let savedAt: UInt64

    /// Reads the secrets that the configuration names, and opens what was kept.
    convenience init(_ configuration: Configuration) throws(ConfigurationFaults) {
        switch Secrets.load(configuration, for: .serving) {
        case .refused(let faults, _): throw ConfigurationFaults(faults)
        case .loaded(let secrets, let warnings):
            try self.init(configuration, secrets, warnings)
        }
    }

    private init(
        _ configuration: Configuration, _ secrets: Secrets, _ others: [ConfigurationFault]
    ) throws(ConfigurationFaults) {
        var custody: Custody
        do throws(ConfigurationFault) {
            custody = try Custody.open(configuration, for: .serving)
        } catch {
            throw ConfigurationFaults([error])
        }
        let wall = Instant.read().wallMilliseconds
        let saved = custody.state.savedAt
        let now = max(wall, saved)
        let settlement = Settlement(custody.state, configuration, secrets, now: now)
        guard settlement.faults.isEmpty else { throw ConfigurationFaults(settlement.faults) }
        if settlement.hasChanged {
            do throws(StateStoreFault) {
                try custody.keep(settlement.state, now: now, isSynced: false)
            } catch {
                throw ConfigurationFaults([
                    ConfigurationFault(.file(configuration.stateDirectory ?? ""), "state \(error)")
                ])
            }
        }
        self.configuration = configuration
        self.secrets = secrets.withoutSeeds
        made = secrets.made + custody.made
        self.custody = custody
        savedAt = saved
        events = settlement.events
        warnings = others + settlement.warnings + Self.clockWarnings(wall, saved)
    }

    /// What time is surely over: a clock that was set back must not bring a seed back.
    ///
    /// - Parameter code: the time of the last code that was accepted.
    func past(_ code: UInt64) -> UInt64 {
        min(max(savedAt, code), Instant.read().wallMilliseconds + Self.clockStepMax)
    }

    /// To be called once.
    func handOver() -> Custody {
        guard let custody else { preconditionFailure("handed over already") }
        self.custody = nil
        return custody
    }

    private static func clockWarnings(_ wall: UInt64, _ saved: UInt64) -> [ConfigurationFault] {
        guard saved > wall + clockSlackMilliseconds else { return [] }
        return [
            ConfigurationFault(
                .environment("clock"),
                "the clock is \((saved - wall) / 1000) seconds behind what was kept before this "
                    + "start: codes may be refused until it is right")
        ]
    }
}

/// Several faults at once.
struct ConfigurationFaults: Error, CustomStringConvertible {
    let list: [ConfigurationFault]

    init(_ list: [ConfigurationFault]) {
        self.list = list
    }

    var description: String { list.map(\.description).joined(separator: "\n") }
}
