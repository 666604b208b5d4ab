// SPDX-License-Identifier: Apache-2.0

import Bytes
import CLinux

/// What the kernel says of this process, and what the process asks of the kernel for itself.
package enum Process {
    package static var identifier: Int32 { getpid() }

    package static func environment() -> [String: String] {
        var result: [String: String] = [:]
        // SAFETY: environ is a null-terminated list of terminated strings, unchanged while there
        // is one thread.
        guard var entry = unsafe cl_environment() else { return result }
        while let text = unsafe entry.pointee {
            let line = unsafe String(cString: text)
            if let equals = line.firstIndex(of: "=") {
                result[String(line[..<equals])] = String(line[line.index(after: equals)...])
            }
            unsafe entry += 1
        }
        return result
    }

    /// The path of the running program.
    package static var executable: String {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = unsafe bytes.withUnsafeMutableBytes { region in
            unsafe region.withMemoryRebound(to: CChar.self) { text in
                guard let start = text.baseAddress else { return -1 }
                return unsafe readlink("/proc/self/exe", start, text.count)
            }
        }
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : "agentport"
    }

    /// Cores that affinity and the cgroup's quota allow, at least one.
    package static var coresAllowed: Int {
        let cores = max(1, Int(cl_cores_allowed()))
        guard let quota = cgroupQuota() else { return cores }
        return max(1, min(cores, Int(quota.rounded(.up))))
    }

    /// The cgroup's processor quota in cores, or `nil` where there is none.
    package static func cgroupQuota() -> Double? {
        guard let file = try? Files.read("/sys/fs/cgroup/cpu.max", limit: 256) else { return nil }
        let words = String(decoding: file.bytes, as: UTF8.self).split { $0 == " " || $0 == "\n" }
        guard words.count == 2, let quota = Double(words[0]), let period = Double(words[1]),
            period > 0
        else { return nil }
        return quota / period
    }

    /// Keeps secrets out of core dumps.
    package static func forbidDumps() {
        _ = cl_forbid_dumps()
    }

    /// Raises the limit on open descriptors to what the kernel allows; returns it.
    @discardableResult
    package static func raiseDescriptorLimit() -> Int {
        Int(cl_raise_descriptor_limit())
    }

    package static var openDescriptors: Int { Int(cl_open_descriptors()) }

    /// Resident memory in bytes.
    package static var residentBytes: Int {
        guard let file = try? Files.read("/proc/self/statm", limit: 256) else { return 0 }
        let words = String(decoding: file.bytes, as: UTF8.self).split(separator: " ")
        return words.count > 1 ? (Int(words[1]) ?? 0) * 4096 : 0
    }

    /// Gives memory that was freed back to the kernel, after a burst.
    package static func trimMemory() {
        _ = malloc_trim(0)
    }

    package static func exit(_ status: Int32) -> Never {
        CLinux.exit(status)
    }

    /// At once, without running what is registered for exit.
    package static func exitNow(_ status: Int32) -> Never {
        _exit(status)
    }

    package static func pause(milliseconds: Int) {
        _ = poll(nil, 0, Int32(clamping: milliseconds))
    }
}
