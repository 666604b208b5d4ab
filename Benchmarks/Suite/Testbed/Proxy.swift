// SPDX-License-Identifier: Apache-2.0

import Reactor

/// What listens with TLS in front of the upstream: the gateway in one of its modes, or another
/// program that does such work.
protocol Proxy {
    /// As sentences name it: `the gateway`, `nginx`.
    var name: String { get }

    /// Writes what it is started with.
    ///
    /// - Parameter isPinned: it is to have one core for itself, so one worker is enough.
    func prepare(
        listen: SocketAddress, upstream: SocketAddress, isPinned: Bool
    ) throws(BenchmarkFault) -> ProxyLaunch

    /// What it answers where it is asked whether it is ready; 200 means yes.
    ///
    /// - Parameter through: leads to it.
    /// - Returns: `nil` where it does not answer.
    func readiness(_ through: LoadTarget) throws(BenchmarkFault) -> Int?

    /// What a request proves who it is with, once it is ready.
    func credentials(_ through: LoadTarget) throws(BenchmarkFault) -> RequestMaker.Credentials
}
