// SPDX-License-Identifier: Apache-2.0

import Crypto
import HTTP1

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

    func with(_ body: SecretBytes) -> SmallRequest {
        SmallRequest(method: method, path: path, fields: fields, body: body, client: client)
    }

    /// The field of that name, in lower case; several are one list (RFC 9110 §5.3).
    package func field(_ name: String) -> String? {
        let values = fields.lazy.filter { $0.name == name }.map(\.value)
        return values.isEmpty ? nil : values.joined(separator: ", ")
    }
}

/// What cannot be taken for a ``SmallRequest``.
package enum SmallFault: Error, Equatable, Sendable {
    case malformed, uriTooLong, headersTooLarge, versionUnsupported
    case bodyTooLarge

    package var status: Int {
        switch self {
        case .malformed: 400
        case .bodyTooLarge: 413
        case .uriTooLong: 414
        case .headersTooLarge: 431
        case .versionUnsupported: 505
        }
    }

    init(_ fault: HeadFault) {
        self =
            switch fault {
            case .malformed: .malformed
            case .uriTooLong: .uriTooLong
            case .headersTooLarge: .headersTooLarge
            case .versionUnsupported: .versionUnsupported
            }
    }
}

/// Who answers a small server's requests.
package struct SmallService {
    let answer: (SmallRequest) -> SmallResponse
    /// How long a body may be, in bytes, asked once the head is there; `nil`: it is answered
    /// without, and the connection ends.
    let bodyMax: (SmallRequest) -> Int?
    /// Answers what is none; the connection ends then.
    let refuse: (SmallFault, _ client: String) -> SmallResponse

    package init(
        answer: @escaping (SmallRequest) -> SmallResponse,
        bodyMax: @escaping (SmallRequest) -> Int? = { _ in 1 << 20 },
        refuse: @escaping (SmallFault, _ client: String) -> SmallResponse = { fault, _ in
            SmallResponse(
                status: fault.status, type: "text/plain",
                body: Array("\(Status.reason(fault.status))\n".utf8))
        }
    ) {
        self.answer = answer
        self.bodyMax = bodyMax
        self.refuse = refuse
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
