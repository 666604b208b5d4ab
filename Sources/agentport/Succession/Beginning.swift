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

    /// Keeps other processes away from the state directory.
    let lock: StateLock?
    /// When the process's own time begins.
    let started: Instant

    /// A clock this far behind what was kept is told of.
    private static let clockSlackMilliseconds: UInt64 = 60_000

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
        do throws(ConfigurationFault) {
            lock = try configuration.stateDirectory.map { path throws(ConfigurationFault) in
                try StateLock(path)
            }
        } catch {
            throw ConfigurationFaults([error])
        }
        started = .read()
        let now = Moment.ofStart(started)
        var custody: Custody
        do throws(ConfigurationFault) {
            custody = try Custody.open(configuration, for: .serving, at: now)
        } catch {
            throw ConfigurationFaults([error])
        }
        let saved = custody.state.savedAt
        let settlement = Settlement(custody.state, configuration, secrets, now: now)
        guard settlement.faults.isEmpty else { throw ConfigurationFaults(settlement.faults) }
        if custody.isFirst || settlement.hasChanged || saved > now.wall {
            do throws(StateStoreFault) {
                if custody.isFirst {
                    try custody.keepFirst(settlement.state, now: now)
                } else {
                    try custody.keep(settlement.state, now: now)
                }
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
        events = settlement.events
        warnings =
            others + custody.warnings + settlement.warnings + Self.clockWarnings(now.wall, saved)
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

extension Moment {
    /// The clock of the process begins with the time of day.
    static func ofStart(_ instant: Instant = .read()) -> Moment {
        Moment(wall: instant.wallMilliseconds, steady: instant.wallMilliseconds)
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
