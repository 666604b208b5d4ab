// SPDX-License-Identifier: Apache-2.0

import Identity
import Reactor
import TLS

/// One issuer's key set: where it is, and who is to have it.
package struct KeySetTarget {
    /// No other target has it; the same issuer keeps it.
    package let id: Int
    /// Where to fetch from; `nil` where the name does not resolve.
    package let address: (_ attempt: Int) -> SocketAddress?
    /// Whether it is known by now if the name resolves.
    package let isKnown: () -> Bool
    /// `nil` for plain HTTP.
    package let tls: TLSClientContext?
    /// What the Host field says.
    package let host: String
    package let path: String
    package let keys: IssuerKeys
    /// Called when fetching begins to fail, with why, or works again, with how many keys there
    /// are; and when there are other keys than before.
    package let report: (KeySetNews) -> Void

    package init(
        id: Int, address: @escaping (_ attempt: Int) -> SocketAddress?,
        isKnown: @escaping () -> Bool, tls: TLSClientContext?, host: String, path: String,
        keys: IssuerKeys, report: @escaping (KeySetNews) -> Void
    ) {
        self.id = id
        self.address = address
        self.isKnown = isKnown
        self.tls = tls
        self.host = host
        self.path = path
        self.keys = keys
        self.report = report
    }
}

package enum KeySetNews: Equatable {
    /// The first keys, or others than before.
    case fetched(keys: Int, leftOut: Int)
    /// It worked before.
    case failed(String)
}
