// SPDX-License-Identifier: Apache-2.0

import Reactor

/// From starting a process to the first answered request, over TLS and up to the upstream.
enum FirstAnswer {
    private static let nanosecondsMax: UInt64 = 10_000_000_000

    /// - Parameter proxy: one that asks for no credentials.
    static func milliseconds(
        of proxy: some Proxy, on testbed: Testbed
    ) throws(BenchmarkFault) -> Double {
        var maker = RequestMaker(.none)
        try maker.prepare(wallSeconds: 0)
        let request = maker.next()
        try testbed.prepare(proxy)
        let target = try testbed.through()
        let began = Clock.monotonicNanoseconds()
        try testbed.startUnready()
        while Clock.monotonicNanoseconds() < began + nanosecondsMax, testbed.isProxyRunning {
            if try Ask.once(target, request)?.status == 200 {
                return Double(Clock.monotonicNanoseconds() - began) / 1e6
            }
        }
        throw .failed("no answer from \(proxy.name); it said: \(testbed.complaints)")
    }
}
