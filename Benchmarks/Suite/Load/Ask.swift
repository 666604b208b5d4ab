// SPDX-License-Identifier: Apache-2.0

import Reactor

/// One request on a connection of its own, waited for.
enum Ask {
    struct Answer {
        let status: Int
        /// The text up to the empty line.
        let head: String

        /// - Parameter name: in lower case.
        func field(_ name: String) -> String? {
            for line in head.split(separator: "\r\n").dropFirst() {
                guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == name
                else { continue }
                return String(line[line.index(after: colon)...].drop { $0 == " " })
            }
            return nil
        }
    }

    /// - Returns: `nil` where there is no connection, or it ended without an answer in time.
    static func once(
        _ target: LoadTarget, _ request: [UInt8], milliseconds: UInt64 = 2000
    ) throws(BenchmarkFault) -> Answer? {
        var pool = try ClientPool(target, capacity: 1, keepsHeadText: true)
        defer { pool.closeAll() }
        guard (try? pool.open()) != nil else { return nil }
        let end = Clock.monotonicNanoseconds() + milliseconds * 1_000_000
        while Clock.monotonicNanoseconds() < end {
            for event in 0..<pool.wait(until: end) {
                guard let (index, progress) = pool.advance(event) else { continue }
                switch progress {
                case .pending: break
                case .connected: guard pool.send(request, on: index, dueAt: 0) else { return nil }
                case .answered(let status): return Answer(status: status, head: pool.headText)
                case .ended: return nil
                }
            }
        }
        return nil
    }

    /// Asks again until the answer is 200.
    static func untilReady(
        _ target: LoadTarget, path: String, _ what: String, milliseconds: UInt64 = 5000,
        isAlive: () -> Bool
    ) throws(BenchmarkFault) {
        let request = Array("GET \(path) HTTP/1.1\r\nhost: localhost\r\n\r\n".utf8)
        let end = Clock.monotonicNanoseconds() + milliseconds * 1_000_000
        while Clock.monotonicNanoseconds() < end, isAlive() {
            if try once(target, request)?.status == 200 { return }
            Process.pause(milliseconds: 2)
        }
        throw .failed("\(what) did not get ready")
    }
}
