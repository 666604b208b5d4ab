// SPDX-License-Identifier: Apache-2.0

import Bytes
import Reactor

/// Instructions a call, by running this program under callgrind.
///
/// Each case is run twice with different numbers of calls; the difference is theirs alone, since
/// the start, the preparation and the first call's extra work are in both.
enum InstructionCounter {
    private static let logBytesMax = 64 * 1024

    static func instructionsPerCall(_ microCase: MicroCase) throws(MicroFault) -> Double {
        let calls = microCase.callsCounted
        let few = try instructions(microCase, calls)
        let many = try instructions(microCase, calls * 3)
        return Double(many - few) / Double(calls * 2)
    }

    private static func instructions(
        _ microCase: MicroCase, _ count: Int
    ) throws(MicroFault) -> Int {
        let folder: String
        do throws(SystemError) {
            folder = try Files.makeTemporaryFolder(prefix: "microbenchmarks")
        } catch {
            throw .failed("\(error)")
        }
        defer { Files.removeFolder(folder) }
        let log = folder + "/callgrind.log"
        let nothing: [UInt8] = []
        let status = Subprocess.run(
            [
                // Else each process hashes in its own way, and some collide more often.
                "env", "SWIFT_DETERMINISTIC_HASHING=1", "valgrind", "--tool=callgrind",
                "--cache-sim=no", "--callgrind-out-file=/dev/null", "--log-file=" + log,
                Process.executable, "--case", microCase.name, "--count", String(count),
            ], input: nothing.span)
        guard status == 0 else {
            throw .failed("\(microCase.name) fails under valgrind, or there is no valgrind")
        }
        guard let content = try? Files.read(log, limit: logBytesMax),
            let collected = collected(String(decoding: content.bytes, as: UTF8.self))
        else { throw .failed("valgrind's log has no line \"Collected\"") }
        return collected
    }

    /// The number of a line like `==12== Collected : 9731256`.
    private static func collected(_ log: String) -> Int? {
        for line in log.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 4, words[1] == "Collected", words[2] == ":" { return Int(words[3]) }
        }
        return nil
    }
}
