// SPDX-License-Identifier: Apache-2.0

import Bytes
import JSON
import Reactor

/// Heap allocations a request after the warm-up, ours and libraries' apart, as `perf/allocs` counts
/// them under callgrind.
struct Allocations {
    private static let owners = ["ours", "openssl", "libc"]

    /// The gateway's.
    let program: String

    /// - Returns: what was missing, where nothing could be counted.
    func run(
        _ modes: [GatewayMode], _ report: inout Report
    ) throws(BenchmarkFault) -> String? {
        let script = PackageRoot.path("perf/allocs")
        guard Files.exists(script) else { return "\(script) is missing" }
        for needed in ["python3", "valgrind"] where SearchPath.find(needed) == nil {
            return "\(needed) is missing"
        }
        var table = Table("heap allocations a request, under callgrind", [""] + Self.owners)
        for mode in modes {
            Console.progress("cpu, \(mode.rawValue): allocations")
            let counts = try count(mode, script)
            table.add([mode.rawValue] + counts.map { NumberText.fixed($0, 2) })
            for (owner, value) in zip(Self.owners, counts) {
                report.add(
                    "cpu.\(mode.rawValue).allocations.\(owner)", value, "1/request")
            }
        }
        report.add(table)
        return nil
    }

    private func count(_ mode: GatewayMode, _ script: String) throws(BenchmarkFault) -> [Double] {
        let folder = try TemporaryFolder()
        var environment = Process.environment()
        environment["AGENTPORT"] = program
        let child = try Child(
            [script, "--json", "--mode", mode.rawValue], environment: environment,
            output: folder.path + "/counts", errors: folder.path + "/errors", core: nil)
        child.waitForEnd()
        let text = folder.text("counts")
        guard child.status == 0, let counts = Self.parse(text, mode) else {
            throw .failed("perf/allocs: \(folder.text("errors"))\(text)")
        }
        return counts
    }

    /// `{"plain": {"ours": 0.0, "openssl": 2.0, "libc": 0.0}}`, in the order of ``owners``.
    static func parse(_ text: String, _ mode: GatewayMode) -> [Double]? {
        let bytes = Array(text.utf8)
        guard let counts = try? JSONReader.read(bytes.span)[mode.rawValue] else { return nil }
        let numbers = owners.compactMap { counts[$0]?.number.flatMap { Double($0.text) } }
        return numbers.count == owners.count ? numbers : nil
    }
}
