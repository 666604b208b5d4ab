// SPDX-License-Identifier: Apache-2.0

import Bytes
import CBenchmarks
import JSON
import Reactor

/// Where the figures come from: without it they say nothing.
struct Machine {
    private static let kernelBytesMax = 128

    let processor = Machine.processorName()
    let cores = Process.coresAllowed
    let kernel = Machine.kernelRelease()
    let date = Machine.now()

    var text: String { "\(date), \(processor), \(cores) cores, Linux \(kernel)" }

    func write(to writer: inout JSONWriter) {
        writer.name("machine")
        writer.object {
            $0.member("processor", processor)
            $0.member("cores", cores)
            $0.member("kernel", kernel)
        }
        writer.member("date", date)
    }

    private static func processorName() -> String {
        guard let file = try? Files.read("/proc/cpuinfo", limit: 1 << 20) else { return "unknown" }
        for line in String(decoding: file.bytes, as: UTF8.self).split(separator: "\n")
        where line.hasPrefix("model name") || line.hasPrefix("CPU part") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            return String(line[line.index(after: colon)...].drop { $0 == " " })
        }
        return "unknown"
    }

    private static func kernelRelease() -> String {
        var text = [CChar](repeating: 0, count: kernelBytesMax)
        // SAFETY: the text is ended with a zero byte within its size.
        unsafe text.withUnsafeMutableBufferPointer { room in
            if let start = room.baseAddress { unsafe cb_kernel(start, room.count) }
        }
        return String(
            decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func now() -> String {
        var pool = SlabPool(bound: 1)
        var text = Buffer()
        guard text.attach(from: &pool) else { return "" }
        defer { text.release(to: &pool) }
        text.append(rfc3339Seconds: Clock.wallNanoseconds() / 1_000_000_000)
        return text.readable.string
    }
}
