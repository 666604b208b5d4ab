// SPDX-License-Identifier: Apache-2.0

/// The access log: one line a request, and what it says is what the client saw.
extension World {
    func checkLog(_ log: [UInt8]) {
        var lines: [Int: [(status: Int, code: String)]] = [:]
        for line in log.split(separator: 10) {
            let text = String(decoding: line, as: UTF8.self)
            guard let path = Self.value(of: "path", in: text),
                let number = path.split(separator: "/").last.flatMap({ Int($0) }),
                call(number) != nil
            else { continue }
            let status = Self.value(of: "status", in: text).flatMap { Int($0) } ?? 0
            lines[number, default: []].append((status, Self.value(of: "code", in: text) ?? ""))
        }
        for call in calls where call.own == nil {
            let found = lines[call.id] ?? []
            if found.count > 1 { fail(.twice, "logged \(found.count) times", call) }
            guard let line = found.first else {
                if call.arrivals > 0 { fail(.broken, "went upstream, and is not in the log", call) }
                continue
            }
            if call.isPoisoned { continue }
            switch call.outcome {
            case .answered(let status) where line.status != status || line.code != "ok":
                fail(.broken, "logged as \(line)", call)
            case .refused(let code) where line.code != code && call.method != .head:
                fail(.broken, "logged as \(line)", call)
            default: break
            }
        }
    }

    /// A member's value, without its quotation marks.
    private static func value(of name: String, in line: String) -> String? {
        let key = Array("\"\(name)\":".utf8)
        let bytes = Array(line.utf8)
        var at = 0
        while at + key.count < bytes.count {
            if bytes[at] == 34, bytes[at..<at + key.count].elementsEqual(key) {
                let rest = bytes[(at + key.count)...]
                let isText = rest.first == 34
                let value = isText ? rest.dropFirst().prefix { $0 != 34 } : rest.prefix { $0 != 44 }
                return String(decoding: value, as: UTF8.self)
            }
            at += 1
        }
        return nil
    }
}
