// SPDX-License-Identifier: Apache-2.0

import SimulatedKernel

/// What happened on the connections of interest, kept until something has failed.
enum Trace {
    struct Entry {
        let at: UInt64
        let link: UInt32
        let what: Int32
        let a: Int64
        let b: Int64
    }

    nonisolated(unsafe) private(set) static var isOn = false
    nonisolated(unsafe) private static var entries: [Entry] = []

    static func begin() {
        unsafe isOn = true
        unsafe entries = []
    }

    static func add(_ link: UInt32, _ what: Int32, _ a: Int64, _ b: Int64) {
        unsafe entries.append(Entry(at: sk_now(), link: link, what: what, a: a, b: b))
    }

    /// The lines of these connections, of all where there are none.
    static func print(of links: [UInt32]) {
        for entry in unsafe entries where links.isEmpty || links.contains(entry.link) {
            Swift.print(line(entry))
        }
    }

    /// What came last, on all connections.
    static func printLast(_ count: Int) {
        for entry in unsafe entries.suffix(count) where names.indices.contains(Int(entry.what)) {
            Swift.print(line(entry))
        }
    }

    private static func line(_ entry: Entry) -> String {
        let name = names[Int(entry.what)]
        return "\(entry.at / 1000) µs  #\(entry.link)  \(name) \(entry.a) \(entry.b)"
    }

    /// In the order of the kernel's numbers; what a and b are.
    private static let names = [
        "", "connect (by world, port or fd)", "accept (by world, fd)",
        "gateway reads (count, peek)",
        "gateway sends (count, sum)", "gateway shuts (how)", "gateway closes (reset, unread)",
        "network moves (to world, count)", "FIN arrives (at world)", "RST arrives (at world)",
        "gateway is told (bits, interest)", "world reads (count)", "world sends (count, sum)",
        "world shuts", "world closes (reset, unread)", "lost (count, sum)",
        "nothing happens (timeout)", "client (deed)", "client begins call",
        "client is done with call",
        "upstream gets call", "upstream answers call", "upstream has answered call",
    ]
}
