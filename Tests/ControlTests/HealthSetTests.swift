// SPDX-License-Identifier: Apache-2.0

import Control
import Reactor
import TLS
import TestSupport
import Testing

/// Sets of targets: many of them, and other ones while checks run.
@Suite("Sets of health checks")
struct HealthSetTests {
    // MARK: Many

    @Test func manyDoNotRunInOneTurnAndStayApart() throws {
        let upstream = try Upstream()
        let bench = try Bench(upstream)
        let ward = Ward()
        bench.check((0..<50).map { ward.target(upstream, id: $0) })
        var begun: [[Int]] = []
        for _ in 0..<2 {
            var counts: [Int] = []
            // Fifty targets, ten milliseconds apart.
            for _ in 0..<50 {
                let before = upstream.acceptedCount
                bench.run { bench.fetcher.count == 0 && bench.fetcher.wakeAt == nil }
                counts.append(upstream.acceptedCount - before)
                bench.pass(milliseconds: 10)
            }
            begun.append(counts)
            bench.pass(milliseconds: 4500 - 1)
            bench.run { bench.fetcher.count == 0 }
            bench.pass(milliseconds: 1)
        }
        #expect(begun.allSatisfy { $0.max() ?? 0 <= 2 }, "\(begun)")
        #expect(upstream.requests.count >= 100)
        #expect(ward.reports.isEmpty)
    }

    /// However many there are, each is asked within its interval.
    @Test func aShortIntervalHoldsForMany() throws {
        let upstream = try Upstream()
        let bench = try Bench(upstream)
        bench.check((0..<40).map { Ward().target(upstream, id: $0, interval: 100) })
        for _ in 0..<10 {
            bench.pass(milliseconds: 10)
            bench.run { bench.fetcher.count == 0 && bench.fetcher.wakeAt == nil }
        }
        #expect(upstream.requests.count >= 40)
        #expect(upstream.requests.count <= 80)
    }

    @Test func noMoreRunAtOnceThanTheBound() throws {
        let upstream = try Upstream(.nothing)
        let bench = try Bench(upstream)
        let ward = Ward()
        let count = 100
        bench.check((0..<count).map { ward.target(upstream, id: $0, unhealthyAfter: 1) })
        bench.pass(milliseconds: 1000)
        bench.run { upstream.requests.count == HealthChecker.checksMax }
        bench.settle()
        #expect(bench.fetcher.count == HealthChecker.checksMax)
        #expect(bench.checker.wakeAt == nil)
        // The others have their turn when these have ended.
        bench.pass(milliseconds: 5000)
        #expect(ward.reports.count == HealthChecker.checksMax)
        bench.run { upstream.requests.count >= count }
        #expect(bench.fetcher.count <= HealthChecker.checksMax)
    }

    @Test func aFetcherThatIsFullIsNoFailure() throws {
        let upstream = try Upstream(.nothing)
        let bench = try Bench(upstream)
        let ward = Ward()
        for _ in 0..<Fetcher.fetchesMax {
            let request = FetchRequest(path: "/", host: "h", timeoutMilliseconds: 300)
            _ = bench.start(request, from: upstream.address) { _ in }
        }
        bench.check([ward.target(upstream, unhealthyAfter: 1)])
        bench.turn()
        #expect(bench.checker.wakeAt == bench.now + 100)
        bench.run { upstream.requests.count == Fetcher.fetchesMax }
        bench.pass(milliseconds: 300)
        upstream.act = .say(Upstream.ok)
        bench.run { upstream.requests.count == Fetcher.fetchesMax + 1 }
        bench.run { bench.fetcher.count == 0 && bench.fetcher.wakeAt == nil }
        #expect(ward.reports.isEmpty)
    }

    // MARK: Replacing

    /// A target that has failed twice, with one failure to go.
    private func failedTwice(
        _ upstream: Upstream, _ bench: Bench, _ ward: Ward
    ) {
        upstream.act = Upstream.status(500)
        bench.check([ward.target(upstream)])
        for count in 1...2 {
            bench.run { upstream.requests.count == count && bench.fetcher.count == 0 }
            if count == 1 { bench.pass(milliseconds: 5000) }
        }
        bench.settle()
        #expect(ward.reports.isEmpty)
    }

    @Test func whatStaysKeepsStateAndSchedule() throws {
        let upstream = try Upstream()
        let bench = try Bench(upstream)
        let (before, after) = (Ward(), Ward())
        failedTwice(upstream, bench, before)
        bench.pass(milliseconds: 2000)
        bench.check([after.target(upstream)])
        bench.settle()
        #expect(upstream.requests.count == 2)
        #expect(bench.checker.wakeAt == bench.now + 3000)
        bench.pass(milliseconds: 3000)
        bench.run { after.reports.count == 1 }
        #expect(after.reports == [.init(isHealthy: false, "status 500")])
        #expect(before.reports.isEmpty)
    }

    @Test func whatHasOtherSettingsBeginsAnew() throws {
        let upstream = try Upstream()
        let bench = try Bench(upstream)
        let (before, after) = (Ward(), Ward())
        failedTwice(upstream, bench, before)
        bench.check([after.target(upstream, path: "/other")])
        bench.run { upstream.requests.count == 3 && bench.fetcher.count == 0 }
        bench.settle()
        #expect(upstream.requests.last?.hasPrefix("GET /other ") == true)
        #expect(after.reports.isEmpty)
    }

    @Test func whoTakesOverIsToldOfWhoIsUnhealthy() throws {
        let upstream = try Upstream(Upstream.status(500))
        let bench = try Bench(upstream)
        let (before, after) = (Ward(), Ward())
        bench.check([before.target(upstream, unhealthyAfter: 1)])
        bench.run { before.reports.count == 1 }
        bench.check([after.target(upstream, unhealthyAfter: 1)])
        #expect(after.reports == [.init(isHealthy: false, "status 500")])
        upstream.act = .say(Upstream.ok)
        bench.pass(milliseconds: 5000)
        bench.run { after.reports.count == 2 }
        #expect(after.reports.last == .init(isHealthy: true, "status 200"))
        #expect(before.reports.count == 1)
    }

    @Test(arguments: [false, true])
    func ofWhatIsGoneNothingIsHeard(isReplaced: Bool) throws {
        let upstream = try Upstream(.nothing)
        let other = try Upstream()
        let bench = try Bench(upstream, other)
        let (gone, new) = (Ward(), Ward())
        bench.check([gone.target(upstream, unhealthyAfter: 1)])
        bench.run { upstream.requests.count == 1 }
        bench.check(isReplaced ? [new.target(other, path: "/new", unhealthyAfter: 1)] : [])
        bench.run { upstream.openCount == 0 }
        if isReplaced { bench.run { other.requests.count == 1 } }
        bench.pass(milliseconds: 60_000)
        bench.settle()
        #expect(upstream.requests.count == 1)
        #expect(gone.reports.isEmpty)
        #expect(new.reports.isEmpty)
        if !isReplaced { #expect(bench.checker.wakeAt == nil) }
    }

    /// A check that failed in the same turn in which its target went.
    @Test func aResultThatWaitsIsDroppedToo() throws {
        let upstream = try Upstream()
        let bench = try Bench(upstream)
        let ward = Ward()
        bench.check([ward.target(upstream, address: { _ in nil }, unhealthyAfter: 1)])
        bench.turn()
        #expect(bench.fetcher.wakeAt == 0)
        bench.check([])
        bench.settle()
        #expect(ward.reports.isEmpty)
    }

    @Test func aCheckThatRunsGoesOnForWhatStays() throws {
        let upstream = try Upstream(.nothing)
        let bench = try Bench(upstream)
        let ward = Ward()
        let tls: TLSClientContext? = nil
        bench.check([ward.target(upstream, unhealthyAfter: 1, tls: tls)])
        bench.run { upstream.requests.count == 1 }
        let successor = Ward()
        bench.check([successor.target(upstream, unhealthyAfter: 1, tls: tls)])
        bench.settle()
        #expect(upstream.openCount == 1)
        bench.pass(milliseconds: 5000)
        #expect(successor.reports == [.init(isHealthy: false, "timed out after 5s")])
        #expect(ward.reports.isEmpty)
    }

    /// The set may change in the midst of a report.
    @Test func aReportMayReplaceTheSet() throws {
        let upstream = try Upstream(Upstream.status(500))
        let bench = try Bench(upstream)
        var reports = 0
        let target = HealthTarget(
            id: 1, address: { _ in upstream.address }, host: "h", path: "/",
            intervalMilliseconds: 5000, unhealthyAfter: 1
        ) { [unowned bench] _, _ in
            reports += 1
            bench.check([])
        }
        bench.check([target])
        bench.run { reports == 1 }
        bench.pass(milliseconds: 10_000)
        bench.settle()
        #expect(upstream.requests.count == 1)
    }
}
