// SPDX-License-Identifier: Apache-2.0

import CBenchmarks
import Reactor

/// Processor time by process, in nanoseconds.
struct ProcessorUse {
    /// All processes of what stands in front of the upstream.
    var proxy: UInt64 = 0
    var upstream: UInt64 = 0
    var generator: UInt64 = 0
    /// What all the rest of the machine used: where it is much, the figures are worth little.
    var others: UInt64 = 0
    var elapsed: UInt64 = 0

    mutating func merge(_ other: ProcessorUse) {
        proxy += other.proxy
        upstream += other.upstream
        generator += other.generator
        others += other.others
        elapsed += other.elapsed
    }

    /// Beyond this many cores used by others a figure is worth little.
    private static let othersMax = 0.15
    static let noiseNote = "rows marked ! were measured while others used the machine"

    var isNoisy: Bool { othersShare > Self.othersMax }
    var othersText: String { Self.text(othersShare: othersShare) }

    static func text(othersShare: Double) -> String {
        NumberText.fixed(othersShare, 2) + (othersShare > othersMax ? " !" : "")
    }

    /// In cores.
    var othersShare: Double { elapsed == 0 ? 0 : Double(others) / Double(elapsed) }
}

/// Looks at the processor time of the proxy and its surroundings at two moments.
struct ProcessorWatch {
    /// Listed beforehand: to look for processes takes longer than requests may wait.
    let proxy: [Int32]
    let upstream: Int32?
    private(set) var isRunning = false
    private(set) var hasEnded = false
    private var before = ProcessorUse()

    init(proxy: [Int32] = [], upstream: Int32? = nil) {
        self.proxy = proxy
        self.upstream = upstream
    }

    mutating func begin() {
        guard !hasEnded else { return }
        isRunning = true
        before = sample()
    }

    mutating func end() -> ProcessorUse {
        isRunning = false
        hasEnded = true
        let now = sample()
        var use = ProcessorUse()
        // One that has ended since has no time any more.
        use.proxy = now.proxy > before.proxy ? now.proxy - before.proxy : 0
        use.upstream = now.upstream - before.upstream
        use.generator = now.generator - before.generator
        use.elapsed = now.elapsed - before.elapsed
        let known = use.proxy + use.upstream + use.generator
        let all = now.others - before.others
        use.others = all > known ? all - known : 0
        return use
    }

    /// Since the start of each; `others` is all that the machine did.
    private func sample() -> ProcessorUse {
        var use = ProcessorUse()
        use.elapsed = Clock.monotonicNanoseconds()
        use.proxy = proxy.reduce(0) { $0 + cb_processor_time($1) }
        use.upstream = upstream.map(cb_processor_time) ?? 0
        use.generator = Clock.processorNanoseconds()
        use.others = Self.machineBusyNanoseconds()
        return use
    }

    /// The first line of /proc/stat, in ticks of 10 ms, less the fourth and fifth: idle times.
    private static func machineBusyNanoseconds() -> UInt64 {
        guard let file = try? Files.read("/proc/stat", limit: 1 << 20) else { return 0 }
        let line = String(decoding: file.bytes.prefix { $0 != 0x0A }, as: UTF8.self)
        let ticks = line.split(separator: " ").dropFirst().compactMap { UInt64($0) }
        guard ticks.count >= 8 else { return 0 }
        return (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7]) * 10_000_000
    }
}
