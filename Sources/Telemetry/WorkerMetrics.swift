// SPDX-License-Identifier: Apache-2.0

import Bytes

/// One worker's counters: the worker alone writes them, with plain stores, and the admin thread
/// reads them whenever it likes.
///
/// Indices are those of the ``MetricsSchema``. A counter that wraps does so after centuries; sums
/// of nanoseconds likewise.
package final class WorkerMetrics: Sendable {
    package let schema: MetricsSchema
    let layout: MetricsLayout
    let words: SharedWords
    private let requestBounds = HistogramBounds.request
    private let ownBounds = HistogramBounds.own
    private let filterBounds = HistogramBounds.filter

    package init(schema: MetricsSchema) {
        self.schema = schema
        layout = MetricsLayout(schema)
        words = SharedWords(count: layout.count)
    }

    /// Counters that go on from where those of `old` stand, name by name.
    ///
    /// To be called by the worker that writes to `old`, which it then writes to no more.
    package convenience init(schema: MetricsSchema, carrying old: WorkerMetrics) {
        self.init(schema: schema)
        old.forEachWord(in: layout, of: schema) { source, target in
            words.store(target, old.words.load(source))
        }
    }

    // MARK: Requests

    /// Counts one answered request.
    ///
    /// - Parameters:
    ///   - route: an index of the schema or ``MetricsSchema/unrouted``.
    ///   - code: an index of the schema; 0 where nothing was refused.
    ///   - status: what the client was answered; one outside 100…599 counts as the nearest.
    ///   - durationNanoseconds: from the first byte of the head to the last of the answer.
    ///   - gatewayNanoseconds: the part of it that was not the upstream's.
    package func request(
        route: Int, code: Int, status: Int, durationNanoseconds: UInt64,
        gatewayNanoseconds: UInt64
    ) {
        precondition(route >= MetricsSchema.unrouted && route < layout.routeCount)
        precondition(code >= 0 && code < layout.codeCount)
        let status = min(max(status, 100), 599)
        if code == 0 {
            words.addUnshared(layout.passed(route: route, status: status))
        } else {
            words.addUnshared(layout.refused(route: route, code: code))
            let place = layout.codeStatus + code
            if words.load(place) != status { words.store(place, UInt64(status)) }
        }
        observe(layout.request, durationNanoseconds)
        observe(layout.gateway, gatewayNanoseconds)
    }

    /// Counts one filter's run over one request.
    package func filter(_ filter: Int, nanoseconds: UInt64) {
        observe(layout.filters[filter], nanoseconds)
    }

    package func rejection(filter: Int, code: Int, mode: RejectionMode = .enforce) {
        precondition(filter >= 0 && filter < layout.filterCount)
        precondition(code >= 0 && code < layout.codeCount)
        words.addUnshared(layout.rejection(filter: filter, code: code, mode: mode))
    }

    package func totp(result: TOTPResult) {
        words.addUnshared(layout.totp + result.rawValue)
    }

    package func jwtSigned(nanoseconds: UInt64) {
        observe(layout.sign, nanoseconds)
    }

    // MARK: Connections

    package func connectionOpened(as state: ConnectionState = .handshaking) {
        words.addUnshared(layout.connections + state.rawValue)
    }

    package func connectionMoved(from old: ConnectionState, to new: ConnectionState) {
        guard old != new else { return }
        words.addUnshared(layout.connections + old.rawValue, .max)
        words.addUnshared(layout.connections + new.rawValue)
    }

    package func connectionClosed(from state: ConnectionState) {
        words.addUnshared(layout.connections + state.rawValue, .max)
    }

    package func tlsHandshake(result: TLSHandshakeResult, nanoseconds: UInt64) {
        words.addUnshared(layout.handshakes + result.rawValue)
        observe(layout.handshake, nanoseconds)
    }

    /// Plaintext bytes, from and to clients.
    package func bytes(in received: Int, out sent: Int) {
        words.addUnshared(layout.bytesIn, UInt64(max(received, 0)))
        words.addUnshared(layout.bytesOut, UInt64(max(sent, 0)))
    }

    // MARK: Upstreams

    package func upstream(_ upstream: Int, result: UpstreamResult) {
        precondition(upstream >= 0 && upstream < layout.upstreamCount)
        words.addUnshared(layout.upstream(upstream, result))
    }

    // MARK: The worker itself

    /// A line of the access log that found its ring full.
    package func logDropped() {
        words.addUnshared(layout.logDropped)
    }

    /// How long an event had waited when its turn came.
    package func loopLag(nanoseconds: UInt64) {
        observe(layout.lag, nanoseconds)
    }

    private func observe(_ histogram: Histogram, _ nanoseconds: UInt64) {
        let bucket =
            switch histogram.scale {
            case .request: requestBounds.bucket(nanoseconds: nanoseconds)
            case .own: ownBounds.bucket(nanoseconds: nanoseconds)
            case .filter: filterBounds.bucket(nanoseconds: nanoseconds)
            }
        words.addUnshared(histogram.base + bucket)
        words.addUnshared(histogram.sum, nanoseconds)
    }
}
