// SPDX-License-Identifier: Apache-2.0

import Identity
import Policy

/// The numbers that agents are known by, for the life of the process.
///
/// A configuration lists agents in any order and the next one in another, while sessions,
/// failures, limits and requests on their way go on. So each name has a number that it keeps; the
/// numbers of those who have gone are given to nobody else.
package struct AgentRoster: Sendable {
    /// By number, as bytes for comparing and logging.
    package private(set) var names: [[UInt8]] = []
    package private(set) var users: [[UInt8]] = []
    /// By number: the place in the configuration's list; -1 for one that is not there.
    package private(set) var places: [Int] = []
    private var numbers: [String: Int] = [:]

    init() {}

    /// Takes the places of a new configuration.
    mutating func seat(_ agents: [Configuration.Agent]) {
        places = Array(repeating: -1, count: places.count)
        for (place, agent) in agents.enumerated() {
            let number = numbers[agent.name] ?? names.count
            if number == names.count {
                numbers[agent.name] = number
                names.append(Array(agent.name.utf8))
                users.append([])
                places.append(-1)
            }
            users[number] = Array(agent.user.utf8)
            places[number] = place
        }
    }

    package var count: Int { names.count }

    /// - Parameter agent: one that the configuration has.
    func number(of agent: Configuration.Agent) -> Int {
        guard let number = numbers[agent.name] else { preconditionFailure("not seated") }
        return number
    }

    package func number(named name: String) -> Int? {
        numbers[name].flatMap { places[$0] >= 0 ? $0 : nil }
    }
}
