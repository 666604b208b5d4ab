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
    let previous: Place?
    /// Milliseconds since the epoch.
    let previousEndsAt: UInt64

    /// The seed of before, while it still counts.
    func previous(at now: UInt64) -> Place? { now < previousEndsAt ? previous : nil }

    var records: [Int] { [current.record] + (previous.map { [$0.record] } ?? []) }

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
                return SeedPlaces(current: current, previous: nil, previousEndsAt: 0)
            }
            defer { next += 1 }
            return SeedPlaces(
                current: current, previous: Place(number: next, record: records[next]),
                previousEndsAt: previous.endsAt)
        }
    }
}
