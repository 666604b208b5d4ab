// SPDX-License-Identifier: Apache-2.0

import Crypto

/// A call of the admin listener, whole.
package struct AdminRequest {
    package let method: String
    /// Without the query.
    package let path: String
    /// Fields by name, in lower case; a repeated one is a list.
    package let field: (String) -> String?
    /// It may hold a secret, so it is wiped when it is dropped.
    package let body: SecretBytes
    /// Who calls, for limits and the log.
    package let client: String

    package init(
        method: String, path: String, field: @escaping (String) -> String?, body: SecretBytes,
        client: String
    ) {
        self.method = method
        self.path = path
        self.field = field
        self.body = body
        self.client = client
    }
}

package struct AdminAnswer: Sendable, Equatable {
    package var status: Int
    package var type: String
    package var body: [UInt8]
    /// Methods for `Allow`; empty where that is not the fault.
    package var allow = ""
    /// Seconds for `Retry-After`; 0 for none.
    package var retryAfter = 0
    /// A challenge for `WWW-Authenticate`; empty for none.
    package var challenge = ""
    /// For the audit log: what of ``AdminProblem`` it was, or `ok`.
    package var code = "ok"
}
