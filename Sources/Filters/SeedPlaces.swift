// SPDX-License-Identifier: Apache-2.0

import Identity

/// Where an agent's seeds are found: by number in a checker of codes, and by record among the
/// accepted steps.
struct SeedPlaces {
    struct Place {
        let number: Int
        let record: Int
    }

    let current: Place
    let previous: Ending?

    struct Ending {
        let place: Place
        let end: Deadline
    }

    /// The seed of before, while it still counts.
    func previous(at now: Moment) -> Place? {
        guard let previous, !previous.end.hasPassed(at: now) else { return nil }
        return previous.place
    }

    /// Whether the seed of that record still does, whose code has opened a session.
    func counts(record: Int, at now: Moment) -> Bool {
        record == current.record || previous(at: now)?.record == record
    }

    var records: [Int] { [current.record] + (previous.map { [$0.place.record] } ?? []) }

    /// Those of all agents, their seeds numbered in the order of ``AgentSeeds/all``; `nil` where
    /// there is no room for so many records.
    static func list(of agents: [AgentSeeds], in steps: AcceptedSteps) -> [SeedPlaces]? {
        let fingerprints = agents.flatMap { $0.all.map(\.fingerprint) }
        guard let records = steps.records(for: fingerprints) else { return nil }
        var next = 0
        return agents.map { seeds in
            let current = Place(number: next, record: records[next])
            next += 1
            guard let previous = seeds.previous else {
                return SeedPlaces(current: current, previous: nil)
            }
            defer { next += 1 }
            return SeedPlaces(
                current: current,
                previous: Ending(
                    place: Place(number: next, record: records[next]), end: previous.end))
        }
    }
}
