// SPDX-License-Identifier: Apache-2.0

import Reactor

/// A folder that nobody else can read, gone with this value or with the program.
final class TemporaryFolder {
    private static let secretMode: UInt32 = 0o600
    private static let textBytesMax = 64 * 1024

    let path: String

    init() throws(BenchmarkFault) {
        do throws(SystemError) {
            path = try Files.makeTemporaryFolder(prefix: "agentport-benchmarks")
        } catch {
            throw .failed("no temporary folder: \(error)")
        }
        Leftovers.add(folder: path)
    }

    deinit { Leftovers.remove(folder: path) }

    func file(_ name: String) -> String { path + "/" + name }

    func write(_ name: String, _ bytes: [UInt8]) throws(SystemError) {
        try Files.replace(file(name), with: bytes, mode: Self.secretMode)
    }

    /// What a small file says; nothing where it is not there.
    func text(_ name: String) -> String {
        let content = try? Files.read(file(name), limit: Self.textBytesMax)
        return String(decoding: content?.bytes ?? [], as: UTF8.self)
    }
}
