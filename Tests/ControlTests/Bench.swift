// SPDX-License-Identifier: Apache-2.0

import Bytes
import Control
import Crypto
import Reactor
import TLS
import TestSupport
import Testing

/// What the control loop does with fetches and checks, moved by hand under a clock of its own.
final class Bench {
    let fetcher: Fetcher
    let checker: HealthChecker
    let keySets: KeySetFetcher
    /// Milliseconds.
    private(set) var now: UInt64 = 1_000_000
    private var loop: EventLoop
    private let upstreams: [Upstream]

    init(_ upstreams: Upstream...) throws {
        loop = try EventLoop()
        fetcher = Fetcher(kind: 3)
        checker = HealthChecker(fetcher: fetcher)
        keySets = KeySetFetcher(fetcher: fetcher)
        self.upstreams = upstreams
    }

    func turn() {
        for upstream in upstreams { upstream.turn() }
        fetcher.watch(on: &loop)
        for index in 0..<loop.wait(milliseconds: 1) {
            #expect(fetcher.handle(loop.event(at: index), on: &loop))
        }
        fetcher.expire(now: now)
        fetcher.deliver()
        checker.advance(now: now)
        keySets.advance(now: now)
    }

    /// Takes turns until `isDone`, for three seconds at most; the clock stands.
    @discardableResult
    func run(
        _ location: SourceLocation = #_sourceLocation, until isDone: () -> Bool
    ) -> Bool {
        let end = Clock.monotonicNanoseconds() + 3_000_000_000
        while !isDone() {
            guard Clock.monotonicNanoseconds() < end else {
                Issue.record("it does not come", sourceLocation: location)
                return false
            }
            turn()
        }
        return true
    }

    /// Takes some turns in which nothing is expected to happen.
    func settle() { for _ in 0..<10 { turn() } }

    /// Lets time pass, and what is then due begin.
    func pass(milliseconds: UInt64) {
        now += milliseconds
        turn()
    }

    // MARK: Fetches

    func start(
        _ request: FetchRequest, from address: SocketAddress?, tls: TLSClientContext? = nil,
        completion: @escaping Fetcher.Completion
    ) -> Fetcher.ID? {
        fetcher.start(
            request, from: address, tls: tls, now: now, completion: completion)
    }

    /// One fetch, to its end.
    func fetch(
        _ request: FetchRequest = .plain, from address: SocketAddress?,
        tls: TLSClientContext? = nil, _ location: SourceLocation = #_sourceLocation
    ) -> Result<FetchResponse, FetchFault>? {
        var outcome: Result<FetchResponse, FetchFault>?
        let id = start(request, from: address, tls: tls) { outcome = $0 }
        #expect(id != nil, sourceLocation: location)
        run(location) { outcome != nil }
        return outcome
    }

    // MARK: Checks

    func check(_ targets: [HealthTarget]) { checker.replace(targets, now: now) }
}

extension FetchRequest {
    static let plain = FetchRequest(path: "/x?y", host: "claw:80", bodyBytesMax: 1000)
}

extension TLSClientContext {
    static func trusting(
        _ identity: ThrowAwayIdentity, name: String = "claw", pins: [ThrowAwayIdentity] = []
    ) throws -> TLSClientContext {
        try TLSClientContext(
            serverName: name, trust: .authorities(Array(identity.certificate.utf8)),
            pins: pins.compactMap { SHA256Digest(bytes: $0.publicKeyDigest.span) },
            isResuming: false)
    }
}

/// A folder for a Unix socket, removed at the end.
final class Place {
    private let folder: String
    var path: String { folder + "/socket" }
    var address: SocketAddress { .unix(path: path) }

    init() throws { folder = try Files.makeTemporaryFolder(prefix: "agentport-test") }

    deinit {
        Files.remove(path)
        Files.removeFolder(folder)
    }
}
