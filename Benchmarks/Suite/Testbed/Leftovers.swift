// SPDX-License-Identifier: Apache-2.0

import Bytes
import CBenchmarks
import Reactor
import Synchronization

/// What has to be gone when this program ends, however it ends.
enum Leftovers {
    private struct Things {
        var processes: Set<Int32> = []
        var folders: Set<String> = []
    }

    private static let things = Mutex(Things())

    static func add(process: Int32) { _ = things.withLock { $0.processes.insert(process) } }
    static func remove(process: Int32) { _ = things.withLock { $0.processes.remove(process) } }
    static func add(folder: String) { _ = things.withLock { $0.folders.insert(folder) } }

    static func remove(folder: String) {
        Files.removeFolder(folder)
        _ = things.withLock { $0.folders.remove(folder) }
    }

    static func clear() {
        things.withLock {
            for process in $0.processes { cb_kill_group(process) }
            for folder in $0.folders { Files.removeFolder(folder) }
            $0 = Things()
        }
    }

    /// From now on SIGINT and SIGTERM clear up and end the program.
    static func clearWhenInterrupted() throws(SystemError) {
        let signals = try Signals()
        let loop = try EventLoop()
        try loop.add(
            signals.descriptor, .readable, token: SlotToken(kind: 1, index: 0, generation: 1))
        let watch = Watch(signals, loop)
        _ = try Thread(name: "signals") { watch.run() }
    }

    private final class Watch: @unchecked Sendable {
        private static let interruptedStatus: Int32 = 130

        private let signals: Signals
        /// Invariant: used by one thread.
        private var loop: EventLoop

        init(_ signals: consuming Signals, _ loop: consuming EventLoop) {
            self.signals = signals
            self.loop = loop
        }

        func run() {
            while true {
                guard loop.wait(milliseconds: -1) > 0, signals.next() == .terminate else {
                    continue
                }
                Leftovers.clear()
                Process.exitNow(Self.interruptedStatus)
            }
        }
    }
}
