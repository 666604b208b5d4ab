// SPDX-License-Identifier: Apache-2.0

import Bytes
import Telemetry
import Testing

@Suite struct LogChannelTests {
    @Test func aFullRingDropsAndAnAuditLineNever() {
        let channel = LogChannel(workers: 1, ringCapacity: 8)
        #expect(channel.append(worker: 0, line: "12345\n".bytes.span) == .taken)
        #expect(channel.append(worker: 0, line: "123\n".bytes.span) == .dropped)
        for _ in 0..<100 { _ = channel.append(audit: "audit\n".bytes) }
        #expect(channel.takeAudit().count == 600)
        channel.drain(worker: 0) { $0.count }
        #expect(channel.append(worker: 0, line: "123\n".bytes.span) == .taken)
    }

    @Test func oneAppendWakesASleepingWriter() {
        let channel = LogChannel(workers: 2)
        #expect(channel.prepareToSleep())
        #expect(channel.append(worker: 1, line: "a\n".bytes.span) == .takenWakeWriter)
        #expect(channel.append(worker: 0, line: "b\n".bytes.span) == .taken)
        #expect(!channel.append(audit: "c\n".bytes))
        #expect(!channel.prepareToSleep(), "lines wait")
        channel.drain(worker: 0) { $0.count }
        channel.drain(worker: 1) { $0.count }
        #expect(!channel.prepareToSleep(), "an audit line waits")
        _ = channel.takeAudit()
        #expect(channel.prepareToSleep())
        #expect(channel.append(audit: "d\n".bytes))
        _ = channel.takeAudit()
        #expect(channel.prepareToSleep())
        channel.wokeUp()
        #expect(channel.append(worker: 0, line: "e\n".bytes.span) == .taken)
    }

    @Test func aDroppedLineWakesNobody() {
        let channel = LogChannel(workers: 1, ringCapacity: 4)
        #expect(channel.prepareToSleep())
        #expect(channel.append(worker: 0, line: "12345\n".bytes.span) == .dropped)
        #expect(channel.append(worker: 0, line: "1\n".bytes.span) == .takenWakeWriter)
    }

    /// However little the output takes at a time, and wherever the rings wrap, lines stay whole.
    @Test(arguments: 1...12) func linesStayWhole(step: Int) {
        let channel = LogChannel(workers: 3, ringCapacity: 64)
        var reader = LogReader()
        var output: [UInt8] = []
        var expected: [String] = []
        var calls = 0
        for round in 0..<50 {
            for worker in 0..<3 {
                let line = "w\(worker)-\(round)-" + String(repeating: "x", count: round % 9)
                guard channel.append(worker: worker, line: (line + "\n").bytes.span) != .dropped
                else { continue }
                expected.append(line)
            }
            if round % 7 == 0 {
                _ = channel.append(audit: "audit-\(round)\n".bytes)
                expected.append("audit-\(round)")
            }
            for _ in 0..<(round % 5) {
                _ = reader.drain(channel) { bytes in
                    calls += 1
                    let taken = min(bytes.count, calls % (step + 1))
                    for index in 0..<taken { output.append(bytes[index]) }
                    return taken
                }
            }
        }
        let end = reader.drain(channel) { bytes in
            for index in bytes.indices { output.append(bytes[index]) }
            return bytes.count
        }
        #expect(end == .empty)
        #expect(channel.isEmpty)
        let lines = String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init)
        #expect(lines.sorted() == expected.sorted())
        for source in ["w0", "w1", "w2", "audit"] {
            #expect(
                lines.filter { $0.hasPrefix(source) }
                    == expected.filter { $0.hasPrefix(source) }, "each source's lines in order")
        }
    }

    @Test func aStalledOutputIsToldApartFromAnEmptyChannel() {
        let channel = LogChannel(workers: 1)
        var reader = LogReader()
        let empty = reader.drain(channel) { $0.count }
        #expect(empty == .empty)
        _ = channel.append(audit: "audit\n".bytes)
        let audit = reader.drain(channel) { _ in 0 }
        #expect(audit == .stalled)
        _ = reader.drain(channel) { $0.count }
        _ = channel.append(worker: 0, line: "line\n".bytes.span)
        let ring = reader.drain(channel) { _ in 2 }
        #expect(ring == .stalled)
        let rest = reader.drain(channel) { bytes in
            #expect(bytes.string == "ne\n")
            return bytes.count
        }
        #expect(rest == .empty)
    }

    /// A writer that sleeps whenever it may, and workers that wake it when told to: no line is
    /// left lying, or this never ends.
    @Test func noWakeUpIsLost() async {
        let channel = LogChannel(workers: 2, ringCapacity: 256)
        let wakes = SharedWords(count: 1)
        let linesEach = 3000
        let read = await withTaskGroup(of: Int.self) { group in
            for worker in 0..<2 {
                group.addTask {
                    for _ in 0..<linesEach {
                        while true {
                            let result = channel.append(worker: worker, line: "x\n".bytes.span)
                            if result == .takenWakeWriter {
                                wakes.add(0)
                            }
                            if result != .dropped { break }
                            await Task.yield()
                        }
                        // Now and then the writer gets the time to fall asleep.
                        if Int.random(in: 0..<4) == 0 { await Task.yield() }
                    }
                    return 0
                }
            }
            group.addTask {
                var count = 0
                var seen: UInt64 = 0
                while count < 2 * 2 * linesEach {
                    for worker in 0..<2 { count += channel.drain(worker: worker) { $0.count } }
                    guard count < 2 * 2 * linesEach, channel.prepareToSleep() else { continue }
                    while wakes.load(0) == seen { await Task.yield() }
                    seen += 1
                }
                return count
            }
            return await group.reduce(0, +)
        }
        #expect(read == 2 * 2 * linesEach)
    }
}
