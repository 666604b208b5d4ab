// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import JSON
import Reactor

/// Instructions a call that a case must not exceed, in a file of the repository.
struct MicroThresholds {
    private static let tolerancePercent = 3
    private static let bytesMax = 64 * 1024

    private let limits: [String: Int]
    private let tolerancePercent: Int
    private let measuredWith: String

    static func read(_ path: String) throws(BenchmarkFault) -> MicroThresholds {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try Files.read(path, limit: bytesMax).bytes
        } catch {
            throw .failed("\(path): \(error); --record makes it")
        }
        guard let document = try? JSONReader.read(bytes.span),
            let percent = document["tolerance_percent"]?.integer,
            let members = document["instructions_per_call"]?.object
        else { throw .failed("\(path) has not the form of thresholds") }
        var limits: [String: Int] = [:]
        for member in members { limits[member.name] = member.value.integer }
        return MicroThresholds(
            limits: limits, tolerancePercent: percent,
            measuredWith: document["measured_with"]?.string ?? "another library")
    }

    static func write(_ counted: [CountedCase], to path: String) throws(BenchmarkFault) {
        var writer = JSONWriter(.pretty)
        writer.object { writer in
            writer.member("unit", "instructions a call, under callgrind")
            writer.name("tolerance_percent")
            writer.integer(tolerancePercent)
            writer.member("measured_with", library)
            writer.name("instructions_per_call")
            writer.object { writer in
                for item in counted {
                    writer.name(item.name)
                    writer.integer(Int(item.instructions.rounded()))
                }
            }
        }
        do throws(SystemError) {
            try Files.replace(path, with: Array((writer.text + "\n").utf8), mode: 0o644)
        } catch {
            throw .failed("\(path): \(error)")
        }
    }

    /// What the counts depend on besides our code: the digests and signatures are its.
    private static var library: String {
        openSSLVersion().split(separator: " ").prefix(2).joined(separator: " ")
    }

    /// Holds each count against its threshold.
    func hold(_ counted: [CountedCase], _ report: inout Report) {
        if measuredWith != Self.library {
            report.note("the thresholds are of \(measuredWith), this is \(Self.library)")
        }
        for item in counted {
            // A case without a threshold is held by nothing, and that must show.
            let limit = Double(limits[item.name] ?? 0) * (1 + Double(tolerancePercent) / 100)
            report.add(
                Budget(
                    kind: .hard, subject: "\(item.name), instructions", value: item.instructions,
                    limit: limit))
        }
    }
}
