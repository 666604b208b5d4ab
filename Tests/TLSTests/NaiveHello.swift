// SPDX-License-Identifier: Apache-2.0

import Bytes
import TLS
import TestSupport

/// What was learned of the first bytes, as a comparable value.
struct Finding: Equatable {
    var inspection: ClientHello.Inspection
    var serverName = ""
    var flags = ""

    static func of(_ bytes: [UInt8]) -> Finding {
        var hello = ClientHello()
        let inspection = hello.inspect(bytes.span)
        guard inspection == .hello else { return Finding(inspection: inspection) }
        let name = hello.serverName
        return Finding(
            inspection: inspection,
            serverName: name.span.extracting(0..<hello.serverNameCount).string,
            flags: (hello.offersTLS13 ? "3" : "") + (hello.offersALPN ? "a" : "")
                + (hello.offersHTTP11 ? "h" : ""))
    }
}

/// The plain way: join the records, then take the message apart with arrays.
struct NaiveHello {
    private struct Malformed: Error {}
    private var rest: ArraySlice<UInt8>

    static func find(_ bytes: [UInt8]) -> Finding {
        var message: [UInt8] = []
        var offset = 0
        while message.count < 4 || message.count < 4 + length(message) {
            guard bytes.count >= offset + 5 else { return Finding(inspection: .needMore) }
            let size = Int(bytes[offset + 3]) << 8 | Int(bytes[offset + 4])
            guard bytes[offset] == 22, bytes[offset + 1] == 3, (1...16_384).contains(size) else {
                return Finding(inspection: .malformed)
            }
            guard bytes.count >= offset + 5 + size else { return Finding(inspection: .needMore) }
            message += bytes[(offset + 5)..<(offset + 5 + size)]
            offset += 5 + size
        }
        guard message[0] == 1, length(message) <= 16_384 else {
            return Finding(inspection: .malformed)
        }
        var hello = NaiveHello(rest: message[4..<(4 + length(message))])
        return (try? hello.read()) ?? Finding(inspection: .malformed)
    }

    private static func length(_ message: [UInt8]) -> Int {
        Int(message[1]) << 16 | Int(message[2]) << 8 | Int(message[3])
    }

    private mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
        guard rest.count >= count else { throw Malformed() }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    private mutating func number(_ size: Int) throws -> Int {
        try take(size).reduce(0) { $0 << 8 | Int($1) }
    }

    private mutating func read() throws -> Finding {
        _ = try take(34)
        _ = try take(number(1))
        _ = try take(number(2))
        _ = try take(number(1))
        var finding = Finding(inspection: .hello)
        var found: Set<Character> = []
        if !rest.isEmpty {
            guard try number(2) == rest.count else { throw Malformed() }
            while !rest.isEmpty {
                let type = try number(2)
                var content = NaiveHello(rest: try take(number(2)))
                try content.readExtension(type, &finding, &found)
            }
        }
        finding.flags = String("3ah".filter { found.contains($0) })
        return finding
    }

    private mutating func readExtension(
        _ type: Int, _ finding: inout Finding, _ found: inout Set<Character>
    ) throws {
        switch type {
        case 0 where rest.count >= 5:
            _ = try take(2)
            guard try number(1) == 0 else { return }
            let name = try take(number(2))
            guard name.count <= 255 else { throw Malformed() }
            finding.serverName = String(decoding: name, as: UTF8.self).lowercased()
        case 16:
            found.insert("a")
            guard try number(2) == rest.count else { throw Malformed() }
            while !rest.isEmpty {
                if try take(number(1)).elementsEqual("http/1.1".utf8) { found.insert("h") }
            }
        case 43:
            guard try number(1) == rest.count, rest.count % 2 == 0 else { throw Malformed() }
            while !rest.isEmpty {
                if try number(2) == 0x0304 { found.insert("3") }
            }
        default: return
        }
    }
}
