// SPDX-License-Identifier: Apache-2.0

import Bytes
import Reactor

/// Instructions a call, by running this program under callgrind.
///
/// Each case is run twice with different numbers of calls; the difference is theirs alone, since
/// the start, the preparation and the first call's extra work are in both.
package struct InstructionCounter {
    private static let logBytesMax = 64 * 1024

    private let valgrind: String

    init() throws(BenchmarkFault) {
        guard let path = SearchPath.find("valgrind") else {
            throw .failed("`valgrind` is not installed, and nothing else counts instructions")
        }
        valgrind = path
    }

    func instructionsPerCall(_ microCase: MicroCase) throws(BenchmarkFault) -> Double {
        let calls = microCase.callsCounted
        let few = try instructions(microCase, calls)
        let many = try instructions(microCase, calls * 3)
        return Double(many - few) / Double(calls * 2)
    }

    private func instructions(
        _ microCase: MicroCase, _ count: Int
    ) throws(BenchmarkFault) -> Int {
        let folder = try TemporaryFolder()
        let log = folder.path + "/callgrind.log"
        var environment = Process.environment()
        // Else each process hashes in its own way, and some collide more often.
        environment["SWIFT_DETERMINISTIC_HASHING"] = "1"
        let child = try Child(
            [
                valgrind, "--tool=callgrind", "--cache-sim=no",
                "--callgrind-out-file=/dev/null", "--log-file=" + log,
                Process.executable, "micro", "--case", microCase.name, "--count", "\(count)",
            ], environment: environment, output: folder.path + "/output", core: nil)
        child.waitForEnd()
        let text = folder.text("callgrind.log")
        guard child.status == 0, let collected = Self.collected(text) else {
            throw .failed("\(microCase.name) fails under valgrind: \(folder.text("output"))\(text)")
        }
        return collected
    }

    /// The number of a line like `==12== Collected : 9731256`.
    package static func collected(_ log: String) -> Int? {
        for line in log.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 4, words[1] == "Collected", words[2] == ":" { return Int(words[3]) }
        }
        return nil
    }
}
