// SPDX-License-Identifier: Apache-2.0

import Glibc
import SimulatedKernel

/// A trap of the gateway ends the process: before that, it says where it was and how to see it
/// again. Not what a signal handler may do elsewhere; here nothing else runs, and the end is near.
enum Crash {
    nonisolated(unsafe) private static var command = ""
    nonisolated(unsafe) private static var world = 0

    static func watch(_ options: Options, seed: UInt64) {
        unsafe command =
            "Tests/Simulation/run --seed \(seed) --exchanges \(options.exchanges)"
        for number in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGABRT] {
            _ = signal(number) { Crash.tell($0) }
        }
    }

    static func enter(world number: Int) { unsafe world = number }

    private static func tell(_ number: Int32) {
        _ = signal(number, SIG_DFL)
        if unsafe Trace.isOn { Trace.printLast(20_000) }
        let world = unsafe world
        let command = unsafe command
        print("world \(world) at \(sk_now() / 1000) µs: the gateway has trapped")
        if let weather = unsafe World.current?.weather { print("    \(weather)") }
        print("to see it again:\n    \(command) --world \(world) --trace")
        print("0 passed, 1 failed")
        fflush(nil)
        raise(number)
    }
}
