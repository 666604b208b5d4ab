// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Which counters each worker writes to now: swapped at a reload, read by the admin thread.
package final class MetricsRegistry: Sendable {
    private let workers: Mutex<[WorkerMetrics]>

    package init(workers: [WorkerMetrics]) {
        self.workers = Mutex(workers)
    }

    package var all: [WorkerMetrics] { workers.withLock { $0 } }

    package func replace(worker: Int, with metrics: WorkerMetrics) {
        workers.withLock { $0[worker] = metrics }
    }
}
