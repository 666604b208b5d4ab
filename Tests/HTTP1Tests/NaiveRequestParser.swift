// SPDX-License-Identifier: Apache-2.0
import HTTP1

/// RFC 9112 read with arrays and strings, slowly and plainly: what the fast parser must agree with.
enum NaiveRequestParser {
    struct Head: Equatable {
        var start: [String]
        var fields: [[[UInt8]]]
        var framing: BodyFraming
        var count: Int
    }

    /// `nil` for a head that is refused or not all there.
    static func parse(_ bytes: [UInt8]) -> Head? {
        let start = bytes.starts(with: [13, 10]) ? 2 : 0
        guard
            let end = (start..<max(start, bytes.count - 3)).first(where: {
                Array(bytes[$0..<($0 + 4)]) == [13, 10, 13, 10]
            })
        else { return nil }
        let lines = split(Array(bytes[start..<end]))
        guard !lines.joined().contains(where: { $0 == 10 || $0 == 13 }) else { return nil }
        let words = lines[0].split(separator: 32, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard words.count == 3, isToken(words[0]), words[0].utf8.count <= 32,
            words[0] != "CONNECT", words[2] == "HTTP/1.1" || words[2] == "HTTP/1.0",
            words[1].utf8.allSatisfy({ $0 > 32 && $0 < 127 && !Array("#\"<>".utf8).contains($0) })
        else { return nil }
        var fields: [[[UInt8]]] = []
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: 58) else { return nil }
            let name = Array(line[..<colon])
            guard isToken(String(decoding: name, as: UTF8.self)), name.count <= 255 else {
                return nil
            }
            var value = Array(line[(colon + 1)...])
            while value.first == 32 || value.first == 9 { value.removeFirst() }
            while value.last == 32 || value.last == 9 { value.removeLast() }
            guard !value.contains(where: { $0 < 32 && $0 != 9 || $0 == 127 }) else { return nil }
            fields.append([name, value])
        }
        func values(_ name: String) -> [String] {
            fields.filter { String(decoding: $0[0], as: UTF8.self).lowercased() == name }
                .map { String(decoding: $0[1], as: UTF8.self) }
        }
        let isOld = words[2] == "HTTP/1.0"
        let hosts = values("host")
        guard hosts.count == 1 || isOld && hosts.isEmpty, hosts.allSatisfy(isAuthority),
            isTarget(words[1], method: words[0], host: hosts.first)
        else { return nil }
        for option in values("connection").joined(separator: ",").split(separator: ",") {
            let option = trim(String(option)).lowercased()
            guard option.isEmpty || isToken(option), option != "host", option != "content-length"
            else { return nil }
        }
        var framing = BodyFraming.none
        let lengths = values("content-length"), codings = values("transfer-encoding")
        guard lengths.count + codings.count <= 1 else { return nil }
        if let length = lengths.first {
            guard !length.isEmpty, length.utf8.count <= 20,
                length.utf8.allSatisfy({ 48...57 ~= $0 }),
                let count = UInt64(length), count < 1 << 63
            else { return nil }
            framing = .length(count)
        }
        if let coding = codings.first {
            guard coding.lowercased() == "chunked", !isOld else { return nil }
            framing = .chunked
        }
        return Head(start: words, fields: fields, framing: framing, count: end + 4)
    }

    private static func split(_ bytes: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = [[]]
        var index = 0
        while index < bytes.count {
            if bytes[index] == 13, index + 1 < bytes.count, bytes[index + 1] == 10 {
                lines.append([])
                index += 2
            } else {
                lines[lines.count - 1].append(bytes[index])
                index += 1
            }
        }
        return lines
    }

    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.unicodeScalars.allSatisfy {
                $0.isASCII
                    && ($0.properties.isAlphabetic
                        || "0123456789!#$%&'*+-.^_`|~".contains(Character($0)))
            }
    }

    private static func isAuthority(_ text: String) -> Bool {
        var host = text[...]
        let isAddress = text.hasPrefix("[")
        if let colon = text.lastIndex(of: ":"), !text.hasSuffix("]") {
            let port = text[text.index(after: colon)...]
            guard 1...5 ~= port.utf8.count, port.utf8.allSatisfy({ 48...57 ~= $0 }),
                let number = Int(port), 1...65535 ~= number
            else { return false }
            host = text[..<colon]
        }
        if isAddress {
            guard host.hasSuffix("]"), host.utf8.count <= 47 else { return false }
            let inner = host.dropFirst().dropLast()
            return inner.allSatisfy { "0123456789abcdefABCDEF:.".contains($0) }
                && inner.filter { $0 == ":" }.count >= 2
        }
        return !host.isEmpty
            && host.unicodeScalars.allSatisfy {
                $0.isASCII
                    && ($0.properties.isAlphabetic || "0123456789-._".contains(Character($0)))
            }
    }

    private static func isTarget(_ target: String, method: String, host: String?) -> Bool {
        if target.hasPrefix("/") { return true }
        if target == "*" { return method == "OPTIONS" }
        let lower = target.lowercased()
        let scheme = lower.hasPrefix("http://") ? 7 : lower.hasPrefix("https://") ? 8 : 0
        guard scheme > 0 else { return false }
        let authority = String(lower.dropFirst(scheme).prefix { $0 != "/" && $0 != "?" })
        return isAuthority(authority) && (host == nil || host?.lowercased() == authority)
    }

    private static func trim(_ text: String) -> String {
        var text = text[...]
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }
}
