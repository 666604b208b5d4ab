// SPDX-License-Identifier: Apache-2.0

import Crypto

/// A request to one of the control thread's small servers, whole.
package struct SmallRequest: Sendable {
    package let method: String
    /// Without the query.
    package let path: String
    package let fields: [(name: String, value: String)]
    /// It may hold a secret, so it is wiped when it is dropped.
    package let body: SecretBytes
    /// Who asks: the address without the port, or `unix`.
    package let client: String

    package init(
        method: String, path: String, fields: [(name: String, value: String)], body: SecretBytes,
        client: String
    ) {
        self.method = method
        self.path = path
        self.fields = fields
        self.body = body
        self.client = client
    }

    /// The first field of that name, in lower case.
    package func field(_ name: String) -> String? {
        fields.first { $0.name == name }?.value
    }
}

/// The answer to a ``SmallRequest``.
package struct SmallResponse: Sendable {
    package var status: Int
    package var fields: [(name: String, value: String)]
    package var body: [UInt8]

    package init(
        status: Int, type: String, fields: [(name: String, value: String)] = [], body: [UInt8]
    ) {
        self.status = status
        self.fields = [("content-type", type)] + fields
        self.body = body
    }
}
