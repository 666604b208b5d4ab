// SPDX-License-Identifier: Apache-2.0

import Policy
import Reactor
import Synchronization
import TLS

/// What makes an endpoint the same one after a reload.
package struct EndpointIdentity: Sendable, Equatable {
    package let upstream: String
    package let url: UpstreamURL
    /// `nil` for plaintext.
    package let trust: UpstreamTrust?

    package init(upstream: String, url: UpstreamURL, trust: UpstreamTrust?) {
        self.upstream = upstream
        self.url = url
        self.trust = trust
    }
}

/// Whom an upstream's certificate has to name and who has to vouch for it.
package struct UpstreamTrust: Sendable, Equatable {
    package let serverName: String
    /// PEM; `nil`: the authorities of the system.
    package let authorities: [UInt8]?
    package let pins: [[UInt8]]

    package init(serverName: String, authorities: [UInt8]?, pins: [[UInt8]]) {
        self.serverName = serverName
        self.authorities = authorities
        self.pins = pins
    }
}

/// One endpoint of an upstream, shared by all workers: the addresses that the resolver last found
/// for it, and how well it has answered lately.
package final class Endpoint: Sendable {
    /// The first time that an endpoint is left out; each further time in a row is twice as long.
    package static let ejectionMilliseconds: UInt64 = 10_000
    package static let ejectionMillisecondsMax: UInt64 = 60_000

    private static let made = Atomic<Int>(0)

    /// No other endpoint has had it.
    package let number = made.wrappingAdd(1, ordering: .relaxed).newValue
    package let identity: EndpointIdentity
    /// `nil` for plaintext.
    package let tls: TLSClientContext?
    private let troubles: Troubles
    private let addresses: Mutex<[SocketAddress]>
    private let addressCountNow: Atomic<Int>
    private let awaitsResolver: Atomic<Bool>
    /// In a row.
    private let failures = Atomic<Int>(0)
    /// How often it was ejected since it last answered.
    private let ejections = Atomic<Int>(0)
    /// Monotonic milliseconds.
    private let leftOutUntil = Atomic<UInt64>(0)
    private let failsChecks = Atomic<Bool>(false)

    package init(
        _ identity: EndpointIdentity, tls: TLSClientContext? = nil, troubles: Troubles
    ) {
        self.identity = identity
        self.troubles = troubles
        self.tls = tls
        var known: [SocketAddress] = []
        switch identity.url.place {
        case .unix(let path): known = [.unix(path: path)]
        case .tcp(let text):
            if let address = text.address { known = [.ip(address, port: text.port)] }
        }
        addressCountNow = Atomic(known.count)
        awaitsResolver = Atomic(known.isEmpty)
        addresses = Mutex(known)
    }

    deinit {
        if failures.load(ordering: .relaxed) != 0 { troubles.countFailing(-1) }
    }

    package var url: UpstreamURL { identity.url }

    // MARK: Addresses

    /// Whether there is something to resolve.
    package var isName: Bool {
        guard case .tcp(let text) = url.place else { return false }
        return text.address == nil
    }

    /// The resolver has not said anything of the name yet.
    package var isResolving: Bool { awaitsResolver.load(ordering: .relaxed) }

    /// The resolver has found nothing; what was known before still holds.
    package func noteUnresolved() {
        awaitsResolver.store(false, ordering: .relaxed)
    }

    /// How many addresses there are; 0 while a name is not resolved.
    package var addressCount: Int { addressCountNow.load(ordering: .relaxed) }

    /// The address to connect to; `nil` while the name is not resolved.
    package func address(attempt: Int) -> SocketAddress? {
        addresses.withLock { $0.isEmpty ? nil : $0[attempt % $0.count] }
    }

    /// - Returns: whether the addresses are others than before.
    @discardableResult
    package func update(_ found: [SocketAddress]) -> Bool {
        addresses.withLock { known in
            // In another order they are the same: resolvers take turns.
            guard !found.isEmpty, Set(known) != Set(found) else { return false }
            known = found
            awaitsResolver.store(false, ordering: .relaxed)
            addressCountNow.store(found.count, ordering: .relaxed)
            return true
        }
    }

    // MARK: Health

    /// Whether requests should come here while there is another choice.
    ///
    /// - Parameter now: monotonic milliseconds.
    package func isHealthy(now: UInt64) -> Bool {
        !failsChecks.load(ordering: .relaxed) && leftOutUntil.load(ordering: .relaxed) <= now
    }

    /// It has answered.
    func noteAnswer() {
        if failures.exchange(0, ordering: .relaxed) != 0 { troubles.countFailing(-1) }
        ejections.store(0, ordering: .relaxed)
    }

    /// It could not be reached, or has not answered, or what it said was no answer.
    ///
    /// - Returns: how many failures there were in a row.
    func noteFailure() -> Int {
        let count = failures.wrappingAdd(1, ordering: .relaxed).newValue
        if count == 1 { troubles.countFailing(1) }
        return count
    }

    /// Leaves the endpoint out for a while. Then one more failure ejects it again.
    ///
    /// - Returns: for how long, in milliseconds; `nil` where another worker has just done so.
    func eject(now: UInt64) -> UInt64? {
        let until = leftOutUntil.load(ordering: .relaxed)
        guard until <= now else { return nil }
        let times = ejections.load(ordering: .relaxed)
        let length = min(
            Self.ejectionMilliseconds << UInt64(min(times, 8)), Self.ejectionMillisecondsMax)
        let (exchanged, _) = leftOutUntil.compareExchange(
            expected: until, desired: now + length, ordering: .relaxed)
        guard exchanged else { return nil }
        ejections.store(times + 1, ordering: .relaxed)
        return length
    }

    /// What the active checks have come to. One that has passed ends an ejection.
    package func noteChecks(arePassed: Bool) {
        failsChecks.store(!arePassed, ordering: .relaxed)
        guard arePassed else { return }
        noteAnswer()
        leftOutUntil.store(0, ordering: .relaxed)
    }

    /// Nobody checks it any more.
    package func forgetChecks() {
        failsChecks.store(false, ordering: .relaxed)
    }
}
