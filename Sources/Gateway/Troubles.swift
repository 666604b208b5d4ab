// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Whether anything is out of the ordinary with any upstream: what every request has to know, in
/// one look, so that it need not ask each endpoint and share.
package final class Troubles: Sendable {
    /// Workers, by upstream, that have requests in line.
    private let hungry = Atomic<Int>(0)
    /// Endpoints whose last word was a failure.
    private let failing = Atomic<Int>(0)

    package init() {}

    var areWorkersHungry: Bool { hungry.load(ordering: .relaxed) > 0 }
    var areEndpointsFailing: Bool { failing.load(ordering: .relaxed) > 0 }

    func countHungry(_ change: Int) { hungry.wrappingAdd(change, ordering: .relaxed) }
    func countFailing(_ change: Int) { failing.wrappingAdd(change, ordering: .relaxed) }
}
