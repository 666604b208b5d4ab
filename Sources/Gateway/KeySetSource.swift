// SPDX-License-Identifier: Apache-2.0

import Identity
import Policy

/// A token issuer: what is configured of it, where its keys are fetched from, and those there are.
package final class KeySetSource: Sendable {
    package let rules: Configuration.OAuthIssuer
    package let endpoint: Endpoint
    package let keys: IssuerKeys

    package init(_ rules: Configuration.OAuthIssuer, endpoint: Endpoint, keys: IssuerKeys) {
        self.rules = rules
        self.endpoint = endpoint
        self.keys = keys
    }

    /// Whether the keys of one are those of the other: another audience needs no others.
    package func hasKeys(of other: Configuration.OAuthIssuer) -> Bool {
        rules.issuer == other.issuer && rules.keySet == other.keySet
    }
}
