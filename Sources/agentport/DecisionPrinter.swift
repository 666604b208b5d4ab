// SPDX-License-Identifier: Apache-2.0

import Bytes
import JSON
import Reactor
import Synchronization

/// Turns the log's lines into ones a person reads at a glance: one a decision.
final class DecisionPrinter: Sendable {
    private let partial = Mutex<[UInt8]>([])

    /// Takes log lines as they are written, whole or not.
    func take(_ bytes: Span<UInt8>) -> Bool {
        let added = bytes.array
        let lines = partial.withLock { partial in
            partial += added
            var lines: [[UInt8]] = []
            while let end = partial.firstIndex(of: .lineFeed) {
                lines.append(Array(partial[..<end]))
                partial.removeFirst(end + 1)
            }
            return lines
        }
        for line in lines { print(line) }
        return true
    }

    func show(_ text: String) {
        _ = Files.writeAll(1, Array(text.utf8).span)
    }

    private func print(_ line: [UInt8]) {
        guard let record = try? JSONReader.read(line.span) else { return }
        let time = (record["ts"]?.string ?? "").dropFirst(11).prefix(8)
        let message = record["msg"]?.string ?? ""
        guard message == "request", let status = record["status"]?.integer else {
            return show("\(time)  \(message)\n")
        }
        let code = record["code"]?.string ?? ""
        let method = record["method"]?.string ?? ""
        let path = record["path"]?.string ?? "-"
        let outcome = code == "ok" ? "passed" : "refused"
        var facts = "\(outcome)  \(status) \(Self.padded(code, 20)) \(method) \(path)"
        if let filter = record["filter"]?.string { facts += "  by \(filter)" }
        if let agent = record["agent"]?.string { facts += "  agent \(agent)" }
        if let own = record["gateway_us"]?.integer { facts += "  \(own) µs" }
        show("\(time)  \(Self.padded(facts, 0))\n")
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        let gap = width - text.utf8.count
        return gap > 0 ? text + String(repeating: " ", count: gap) : text
    }
}
