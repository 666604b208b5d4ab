// SPDX-License-Identifier: Apache-2.0

import Identity
import Policy

/// Which agent an access token stands for, by its issuer and its client.
struct TokenBindings {
    private struct Issuer {
        let name: String
        var agents: [String: Int] = [:]
        /// The agent of all other clients.
        var rest: Int?
    }

    /// In the order of the configuration.
    private let issuers: [Issuer]

    init(_ configuration: Configuration, _ roster: AgentRoster) {
        var issuers = configuration.oauth.map { Issuer(name: $0.issuer) }
        for agent in configuration.agents {
            let number = roster.number(of: agent)
            for binding in agent.oauth {
                if let client = binding.client {
                    issuers[binding.issuerIndex].agents[client] = number
                } else {
                    issuers[binding.issuerIndex].rest = number
                }
            }
        }
        self.issuers = issuers
    }

    /// - Parameter place: of the issuer.
    func agent(of token: VerifiedToken, at place: Int) -> Int? {
        issuers[place].agents[token.agent] ?? issuers[place].rest
    }

    /// The agents that some tokens stand for here, and no more under others.
    func agentsWithLess(in others: TokenBindings) -> Set<Int> {
        var agents: Set<Int> = []
        for issuer in issuers {
            let other = others.issuers.first { $0.name == issuer.name }
            for (client, agent) in issuer.agents where other?.agents[client] != agent {
                agents.insert(agent)
            }
            if let rest = issuer.rest, other?.rest != rest { agents.insert(rest) }
        }
        return agents
    }
}
