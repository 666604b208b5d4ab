// SPDX-License-Identifier: Apache-2.0

import Identity
import Policy

/// One agent's claims by upstream, for each first factor that it has; those of access tokens are
/// known only with the token.
struct AgentClaims {
    private let password: [Claims]
    private let softwareKey: [Claims]

    init(_ agent: Configuration.Agent, _ configuration: Configuration) {
        func claims(_ factor: FirstFactor) -> [Claims] {
            configuration.upstreams.map { upstream in
                Claims(
                    issuer: configuration.issuer.name,
                    audience: configuration.audience(of: upstream), user: agent.user,
                    agent: agent.name, scopes: agent.scopes, firstFactor: factor)
            }
        }
        password = claims(.password)
        softwareKey = agent.clientPins.isEmpty ? [] : claims(.softwareKey)
    }

    func claims(_ factor: FirstFactor, upstream: Int) -> Claims {
        switch factor {
        case .password: password[upstream]
        case .softwareKey: softwareKey[upstream]
        }
    }
}
