// SPDX-License-Identifier: Apache-2.0

import Bytes
import Control
import Reactor
import Synchronization
import Testing

@Suite("The control loop")
struct ControlLoopTests {
    private struct Outcome {
        var requests: [String] = []
        var body: [UInt8]?
        var missing: [UInt8]? = []
        var within: [UInt8]?
        var reports: [Bool] = []
        var milliseconds: UInt64 = 0
    }

    private final class Box: Sendable {
        let outcome = Mutex(Outcome())
        let fault = Mutex("")
    }

    /// Checks at an interval well below its tick of a second, and fetches, on a thread of its own.
    @Test func wakesForChecksAndFetches() throws {
        let box = Box()
        let thread = try Thread(name: "control") {
            do {
                let outcome = try Self.run()
                box.outcome.withLock { $0 = outcome }
            } catch {
                box.fault.withLock { $0 = "\(error)" }
            }
        }
        thread.join()
        #expect(box.fault.withLock { $0 } == "")
        let outcome = box.outcome.withLock { $0 }
        #expect(outcome.body == Array("document".utf8))
        #expect(outcome.missing == nil)
        #expect(outcome.within == Array("document".utf8))
        #expect(outcome.requests.filter { $0 == "/healthz" }.count == 10)
        // Nine intervals of 20 ms, not nine ticks.
        #expect(outcome.milliseconds < 5000)
        #expect(outcome.reports == [false, true])
    }

    private static func run() throws -> Outcome {
        let control = try ControlLoop(signals: Signals(), wakeup: Wakeup())
        var outcome = Outcome()
        let listener = try Listener(Upstream.loopback, isShared: false)
        let address = listener.address
        let service = SmallService(answer: { request in
            outcome.requests.append(request.path)
            let checks = outcome.requests.filter { $0 == "/healthz" }.count
            if checks == 10 { control.end() }
            // From within an answer, while the loop is at work.
            if checks == 1, request.path == "/healthz" {
                control.get("/within", from: address) { outcome.within = $0 }
            }
            let status = request.path == "/missing" || checks == 3 ? 503 : 200
            return SmallResponse(status: status, type: "text/plain", body: Array("document".utf8))
        })
        let server = SmallServer(listener, kind: 10, service: service)
        try control.add(server)
        control.get("/document", from: server.address) { document in
            outcome.body = document
            control.get("/missing", from: server.address) { outcome.missing = $0 }
        }
        control.checkHealth(of: [
            HealthTarget(
                id: 1, address: { _ in server.address }, host: "h", path: "/healthz",
                intervalMilliseconds: 20, timeoutMilliseconds: 5000, unhealthyAfter: 1
            ) { isHealthy, _ in outcome.reports.append(isHealthy) }
        ])
        let start = Clock.monotonicNanoseconds()
        control.run(
            ControlLoop.Actions(
                onTerminate: {}, onHangUp: {},
                // A loop that hangs ends all the same.
                onTick: {
                    if Clock.monotonicNanoseconds() - start > 20_000_000_000 { control.end() }
                },
                onWakeup: {}))
        outcome.milliseconds = (Clock.monotonicNanoseconds() - start) / 1_000_000
        return outcome
    }
}
