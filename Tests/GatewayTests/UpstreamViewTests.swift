// SPDX-License-Identifier: Apache-2.0

import Bytes
import Policy
import Testing

@testable import Gateway

@Suite("What a worker knows of an upstream")
struct UpstreamViewTests {
    private func upstream(
        _ troubles: Troubles, after previous: Upstream? = nil
    ) throws -> Upstream {
        let url = try UpstreamURL("http://127.0.0.1:1")
        var rules = Configuration.Upstream(name: "u", endpoints: [url])
        rules.maxPending = 1
        let endpoint = Endpoint(
            EndpointIdentity(upstream: "u", url: url, trust: nil),
            troubles: troubles)
        return Upstream(
            rules, endpoints: [endpoint], workers: 1, troubles: troubles, after: previous)
    }

    private func view(of upstream: Upstream) -> UpstreamView {
        var view = UpstreamView(upstream)
        #expect(view.share.enterLine())
        _ = view.line.enter(SlotToken(kind: 3, index: 0, generation: 1), now: 5)
        view.isHungry = view.share.setHungry(true, worker: 0, since: 5)
        return view
    }

    /// One reload has taken it away, and the next has brought it back.
    @Test func whoStandsInLineIsCountedWhereTheUpstreamIsBack() throws {
        let troubles = Troubles()
        let old = try upstream(troubles)
        let new = try upstream(troubles)
        var view = view(of: old)
        view.follow(new, worker: 0)
        #expect(!troubles.areWorkersHungry)
        #expect(!new.share.enterLine())
        #expect(old.share.enterLine())
        new.share.leaveLine()
        #expect(new.share.enterLine())
    }

    @Test func whoStandsInLineStaysWhereTheUpstreamStays() throws {
        let troubles = Troubles()
        let old = try upstream(troubles)
        var view = view(of: old)
        view.follow(try upstream(troubles, after: old), worker: 0)
        #expect(troubles.areWorkersHungry)
        #expect(!old.share.enterLine())
    }

    /// Two workers would else wake each other without end while descriptors are short.
    @Test func aPermitThatNobodyCanUseIsHandedToNobody() {
        let troubles = Troubles()
        let share = UpstreamShare(connections: 1, pending: 2, workers: 2, troubles: troubles)
        #expect(share.take(worker: 0))
        #expect(share.setHungry(true, worker: 0, since: 5))
        #expect(share.setHungry(true, worker: 1, since: 6))
        share.drop()
        #expect(!share.hasGrant(worker: 0))
        #expect(!share.hasGrant(worker: 1))
        #expect(!share.isFull)
        // That they are hungry is no news to anybody.
        #expect(!share.setHungry(true, worker: 0, since: 5))
        #expect(share.take(worker: 1))
        #expect(share.giveBack() == 0)
    }
}
