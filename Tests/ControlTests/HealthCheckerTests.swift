// SPDX-License-Identifier: Apache-2.0

import Control
import Reactor
import TLS
import TestSupport
import Testing

/// One target and its upstream, or few.
@Suite("Health checks")
struct HealthCheckerTests {
    @Test func theFirstCheckIsAtOnceAndSaysWhoAsks() throws {
        let upstream = try Upstream()
        let bench = try Bench(upstream)
        let ward = Ward()
        bench.check([ward.target(upstream)])
        #expect(bench.checker.wakeAt == bench.now)
        bench.run { upstream.requests.count == 1 }
        let sent =
            "GET /healthz HTTP/1.1\r\nhost: claw.example\r\n"
            + "user-agent: agentport-health/1\r\naccept: */*\r\nconnection: close\r\n\r\n"
        #expect(upstream.requests == [sent])
        bench.run { bench.fetcher.count == 0 }
        bench.settle()
        #expect(ward.reports.isEmpty)
    }

    @Test func theNextIsAtItsIntervalAndNotBefore() throws {
        let upstream = try Upstream()
        let bench = try Bench(upstream)
        bench.check([Ward().target(upstream)])
        for round in 1...4 {
            bench.run { upstream.requests.count == round && bench.fetcher.count == 0 }
            bench.pass(milliseconds: 4999)
            bench.settle()
            #expect(upstream.requests.count == round)
            #expect(bench.checker.wakeAt == bench.now + 1)
            bench.pass(milliseconds: 1)
        }
    }

    /// Fails until it is unhealthy, and recovers.
    private func expectFall(
        _ bench: Bench, _ target: HealthTarget, _ ward: Ward, _ reason: String,
        recover: () throws -> Void, _ location: SourceLocation = #_sourceLocation
    ) throws {
        bench.check([target])
        for round in 1...5 {
            // A check that nobody answers ends with its interval.
            bench.run(location) {
                bench.turn()
                return bench.fetcher.count == 0 && bench.fetcher.wakeAt == nil
            }
            let expected: [Ward.Report] = round < 3 ? [] : [.init(isHealthy: false, reason)]
            #expect(ward.reports == expected, "round \(round)", sourceLocation: location)
            bench.pass(milliseconds: 5000)
        }
        try recover()
        bench.pass(milliseconds: 5000)
        bench.run(location) { ward.reports.count == 2 }
        #expect(ward.reports.last == .init(isHealthy: true, "status 200"), sourceLocation: location)
        bench.pass(milliseconds: 5000)
        bench.run(location) { bench.fetcher.count == 0 }
        #expect(ward.reports.count == 2, sourceLocation: location)
    }

    @Test(arguments: [
        (Upstream.status(503), "status 503"),
        (Upstream.status(404), "status 404"),
        (.say("garbage without end\r\n"), "malformed answer: HTTP version"),
        (.sayAndClose(""), "connection ended before the answer did"),
        (
            .sayAndClose("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"),
            "connection ended before the answer did"
        ),
        (.reset, "connection ended before the answer did"),
        (.flood("HTTP/1.1 200 OK\r\n\r\n"), "answer is larger than 262144 bytes"),
    ])
    func threeFailuresInARowAreToldOnceAndOneSuccessToo(act: Upstream.Act, reason: String) throws {
        let upstream = try Upstream(act)
        let ward = Ward()
        try expectFall(Bench(upstream), ward.target(upstream), ward, reason) {
            upstream.act = .say(Upstream.ok)
        }
    }

    @Test func whoeverDoesNotListenIsUnhealthy() throws {
        let upstream = try Upstream()
        upstream.stop()
        let ward = Ward()
        let reason = "connect: Connection refused"
        try expectFall(Bench(upstream), ward.target(upstream), ward, reason) {
            try upstream.restart()
        }
    }

    @Test func aNameThatIsNotResolvedIsUnhealthy() throws {
        let upstream = try Upstream()
        let ward = Ward()
        var address: SocketAddress?
        let target = ward.target(upstream, address: { _ in address })
        try expectFall(Bench(upstream), target, ward, "connect: name is not resolved") {
            address = upstream.address
        }
    }

    @Test func ofSeveralAddressesTheOneThatAnswersIsKept() throws {
        let gone = try Upstream()
        gone.stop()
        let upstream = try Upstream()
        let bench = try Bench(upstream)
        let ward = Ward()
        var asked: [Int] = []
        bench.check([
            ward.target(
                upstream,
                address: { attempt in
                    asked.append(attempt)
                    return attempt % 2 == 0 ? gone.address : upstream.address
                })
        ])
        bench.settle()
        for _ in 0..<3 {
            bench.pass(milliseconds: 5000)
            bench.settle()
        }
        #expect(asked == [0, 1, 1, 1])
        #expect(ward.reports.isEmpty)
    }

    @Test func aUnixSocketIsCheckedLikeAnyOther() throws {
        let place = try Place()
        let upstream = try Upstream(at: place.address)
        let bench = try Bench(upstream)
        let ward = Ward()
        try expectFall(bench, stopped(upstream, ward), ward, "connect: Connection refused") {
            try upstream.restart()
        }
    }

    private func stopped(_ upstream: Upstream, _ ward: Ward) -> HealthTarget {
        upstream.stop()
        return ward.target(upstream)
    }

    @Test(arguments: [(1000, nil, "1s"), (60_000, nil, "5s"), (60_000, 2500, "2500ms")])
    func whoDoesNotAnswerInTimeFails(interval: Int, timeout: Int?, text: String) throws {
        let upstream = try Upstream(.nothing)
        let bench = try Bench(upstream)
        let ward = Ward()
        bench.check([
            ward.target(upstream, interval: interval, timeout: timeout, unhealthyAfter: 1)
        ])
        bench.run { upstream.requests.count == 1 }
        let time = UInt64(timeout ?? min(interval, 5000))
        bench.pass(milliseconds: time - 1)
        bench.settle()
        #expect(ward.reports.isEmpty)
        bench.pass(milliseconds: 1)
        #expect(ward.reports == [.init(isHealthy: false, "timed out after \(text)")])
    }

    @Test func overTLSTheCertificateCounts() throws {
        let authority = ThrowAwayIdentity.make(name: "authority", isAuthority: true)
        let expired = try Upstream(identity: .make(seconds: -30, issuer: authority))
        let good = try Upstream(identity: .make(issuer: authority))
        let bench = try Bench(expired, good)
        let tls = try TLSClientContext.trusting(authority)
        let (first, second) = (Ward(), Ward())
        bench.check([
            first.target(expired, id: 1, unhealthyAfter: 1, tls: tls),
            second.target(good, id: 2, unhealthyAfter: 1, tls: tls),
        ])
        bench.run { !first.reports.isEmpty }
        bench.pass(milliseconds: 10)
        bench.run { good.requests.count == 1 && bench.fetcher.count == 0 }
        bench.settle()
        #expect(first.reports == [.init(isHealthy: false, "tls: certificate has expired")])
        #expect(second.reports.isEmpty)
        #expect(expired.requests.isEmpty)
    }
}

/// What has been told of one target.
final class Ward {
    struct Report: Equatable {
        let isHealthy: Bool
        let reason: String

        init(isHealthy: Bool, _ reason: String) {
            self.isHealthy = isHealthy
            self.reason = reason
        }
    }

    private(set) var reports: [Report] = []

    func target(
        _ upstream: Upstream, id: Int = 1, address: ((Int) -> SocketAddress?)? = nil,
        path: String = "/healthz", interval: Int = 5000, timeout: Int? = nil,
        unhealthyAfter: Int = 3, tls: TLSClientContext? = nil
    ) -> HealthTarget {
        HealthTarget(
            id: id, address: address ?? { _ in upstream.address }, tls: tls, host: "claw.example",
            path: path, intervalMilliseconds: interval, timeoutMilliseconds: timeout,
            unhealthyAfter: unhealthyAfter
        ) { self.reports.append(Report(isHealthy: $0, $1)) }
    }
}
