// SPDX-License-Identifier: Apache-2.0

import Reactor

/// The gateway's resident memory: idle, with many idle connections, and when they have gone.
struct Memory {
    private static let settleMilliseconds: UInt64 = 2000
    private static let goneSeconds = 15
    private static let megabyte = 1_000_000.0

    var counts = [1000, 5000, 10_000]

    func run(on testbed: Testbed, _ report: inout Report) throws(BenchmarkFault) {
        report.note(testbed.cores.description)
        var table = Table(
            "resident memory, mode plain", ["", "MB", "without files, MB", "bytes a connection"])
        try testbed.start(testbed.gateway(.plain))
        Process.pause(milliseconds: Int(Self.settleMilliseconds))
        let idle = try testbed.memory()
        tell("idle", idle, nil, "memory.idle", &table, &report)
        var crowd = try Crowd(testbed.through(), capacity: counts.max() ?? 1)
        for count in counts {
            Console.progress("memory: \(count) connections")
            try crowd.grow(to: count)
            try crowd.rest(milliseconds: Self.settleMilliseconds)
            let resident = try testbed.memory()
            let each = Double(resident.bytes - idle.bytes) / Double(count)
            tell("\(count) idle", resident, each, "memory.connections.\(count)", &table, &report)
            judge(count, resident.bytes, each, &report)
        }
        crowd.leave()
        try gone(testbed, &table, &report)
        report.add(table)
        report.add(
            Budget(
                kind: .own, subject: "resident when idle, MB",
                value: Double(idle.bytes) / Self.megabyte, limit: 12))
        testbed.endProxy()
    }

    private func gone(
        _ testbed: Testbed, _ table: inout Table, _ report: inout Report
    ) throws(BenchmarkFault) {
        Console.progress("memory: all have gone")
        var least = try testbed.memory()
        var leastAfter = 0.0
        for half in 1...2 * Self.goneSeconds {
            Process.pause(milliseconds: 500)
            let resident = try testbed.memory()
            // What changes by less than a tenth is not worth having waited for.
            if Double(resident.bytes) < 0.9 * Double(least.bytes) { leastAfter = Double(half) / 2 }
            if resident.bytes < least.bytes { least = resident }
        }
        tell(
            "all gone, after \(NumberText.fixed(leastAfter, 1)) s", least, nil, "memory.gone",
            &table, &report)
        report.add("memory.gone.after", leastAfter, "s")
    }

    private func tell(
        _ label: String, _ memory: ResidentMemory, _ each: Double?, _ name: String,
        _ table: inout Table, _ report: inout Report
    ) {
        table.add(
            label, NumberText.fixed(Double(memory.bytes) / Self.megabyte, 1),
            NumberText.fixed(Double(memory.ownBytes) / Self.megabyte, 1),
            each.map { NumberText.fixed($0, 0) } ?? "")
        report.add(name, Double(memory.bytes), "bytes")
        report.add(name + ".own", Double(memory.ownBytes), "bytes")
        if let each { report.add(name + ".each", each, "bytes") }
    }

    private func judge(_ count: Int, _ bytes: Int, _ each: Double, _ report: inout Report) {
        guard count == 5000 else { return }
        report.add(
            Budget(
                kind: .own, subject: "an idle connection of 5000, KB", value: each / 1000,
                limit: 15))
        report.add(
            Budget(
                kind: .own, subject: "resident with 5000 connections, MB",
                value: Double(bytes) / Self.megabyte, limit: 90))
    }
}

extension Command {
    static let memory = Command(
        name: "memory",
        summary: "resident memory idle, with 1000 to 10000 connections, and after them",
        options: [],
        notes: "Each connection has had one request answered before it idles. About 40 s."
    ) { (options, report) throws(BenchmarkFault) in
        try Memory().run(on: Testbed(options.program()), &report)
    }
}
