// SPDX-License-Identifier: Apache-2.0

import Reactor
import Synchronization

/// Resolves host names again and again, on a thread of its own, since getaddrinfo blocks.
package final class EndpointResolver: Sendable {
    private static let againMilliseconds = 10_000
    private static let againAfterFailureMilliseconds = 1000

    package struct Name: Sendable {
        let host: String
        let port: UInt16
        /// Called with the addresses found, or with why there are none.
        let update: @Sendable (Result<[SocketAddress], ResolverFault>) -> Void

        package init(
            host: String, port: UInt16,
            update: @escaping @Sendable (Result<[SocketAddress], ResolverFault>) -> Void
        ) {
            self.host = host
            self.port = port
            self.update = update
        }
    }

    private let names = Mutex<[Name]>([])
    private let wakeup: Wakeup

    package init() throws(SystemError) {
        wakeup = try Wakeup()
    }

    /// From now on these, and each of them at once; from any thread.
    package func resolve(_ names: [Name]) {
        self.names.withLock { $0 = names }
        wakeup.signal()
    }

    /// Never returns; the thread ends with the process.
    package func run() {
        while true {
            var hasFailed = false
            for name in names.withLock({ $0 }) {
                do throws(ResolverFault) {
                    let found = try Resolver.resolve(host: name.host, port: name.port)
                    name.update(.success(found))
                } catch {
                    hasFailed = true
                    name.update(.failure(error))
                }
            }
            wakeup.wait(
                milliseconds: hasFailed
                    ? Self.againAfterFailureMilliseconds : Self.againMilliseconds)
        }
    }
}
