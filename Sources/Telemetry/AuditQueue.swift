// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Audit lines on their way to the log writer, from any thread.
///
/// They are rare (rotations, reloads, lockouts, admin calls) and never dropped, so this queue
/// alone has no bound: what drives it is bounded where it happens.
package final class AuditQueue: Sendable {
    private let lines = Mutex<[UInt8]>([])

    package init() {}

    package func append(_ line: [UInt8]) {
        lines.withLock { $0.append(contentsOf: line) }
    }

    package var isEmpty: Bool { lines.withLock { $0.isEmpty } }

    package func takeAll() -> [UInt8] {
        lines.withLock { lines in
            let taken = lines
            lines = []
            return taken
        }
    }
}
