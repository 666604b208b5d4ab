// SPDX-License-Identifier: Apache-2.0

import Bytes
import Reactor
import Synchronization
import Telemetry

/// Writes what workers and others have logged, on a thread of its own: a reader of standard output
/// that stalls, stalls nobody else.
package final class LogWriter: Sendable {
    /// After the last line the writer lingers this long before it sleeps, so that a steady flow of
    /// requests costs some wake-ups a second rather than one a request.
    private static let lingerMilliseconds = 20

    private let channel: LogChannel
    private let wakeup: Wakeup
    private let isStopping = Atomic<Bool>(false)
    private let isDone = Atomic<Bool>(false)
    /// Takes bytes of whole or partial lines; false where they can't be written.
    private let write: @Sendable (Span<UInt8>) -> Bool

    package init(
        _ channel: LogChannel, wakeup: Wakeup,
        write: @escaping @Sendable (Span<UInt8>) -> Bool = { Files.writeAll(1, $0) }
    ) {
        self.channel = channel
        self.wakeup = wakeup
        self.write = write
    }

    /// Makes ``run()`` return once all that was logged is written.
    package func stop() {
        isStopping.store(true, ordering: .sequentiallyConsistent)
        wakeup.signal()
    }

    /// Waits for ``run()`` to return, but not for ever: whoever reads standard output may not.
    package func waitUntilDone(milliseconds: Int) {
        for _ in 0..<(milliseconds / 10) where !isDone.load(ordering: .acquiring) {
            Process.pause(milliseconds: 10)
        }
    }

    package func run() {
        var reader = LogReader()
        while true {
            let isStopping = isStopping.load(ordering: .sequentiallyConsistent)
            let hadLines = !channel.isEmpty
            _ = reader.drain(channel) { bytes in
                // A standard output that is gone takes everything: there is nobody to tell.
                _ = write(bytes)
                return bytes.count
            }
            if isStopping, channel.isEmpty {
                isDone.store(true, ordering: .releasing)
                return
            }
            if hadLines {
                Process.pause(milliseconds: Self.lingerMilliseconds)
                continue
            }
            guard channel.prepareToSleep() else { continue }
            wakeup.wait(milliseconds: -1)
            channel.wokeUp()
        }
    }
}
