// SPDX-License-Identifier: Apache-2.0

import Control
import Gateway
import Policy
import Telemetry

extension Gateway {
    /// The key sets that the control loop is to fetch.
    var keySetTargets: [KeySetTarget] {
        generation.keySets.map { source in
            let endpoint = source.endpoint
            return KeySetTarget(
                id: endpoint.number, address: { endpoint.address(attempt: $0) },
                isKnown: { !endpoint.isResolving }, tls: endpoint.tls,
                host: endpoint.url.authority, path: source.rules.keySet.path, keys: source.keys
            ) { news in
                self.tell(news, of: source.rules.issuer)
            }
        }
    }

    private func tell(_ news: KeySetNews, of issuer: String) {
        switch news {
        case .fetched(let keys, let leftOut):
            audit(
                .info, "keys of a token issuer fetched",
                [("issuer", issuer), ("keys", "\(keys)"), ("left_out", "\(leftOut)")])
        case .failed(let reason):
            log(
                .warn, "keys of a token issuer not fetched",
                [("issuer", issuer), ("reason", reason)])
        }
        wakeAll()
    }
}
