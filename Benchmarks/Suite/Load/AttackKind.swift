// SPDX-License-Identifier: Apache-2.0

/// How a siege is laid.
package enum AttackKind: String, CaseIterable, Sendable {
    /// A request's head, a byte a second, each in a record of its own.
    case slow
    /// A large answer is asked for and, but for its beginning, never read.
    case stalled

    /// Long enough for half a minute.
    private static let slowHead = "GET /slow HTTP/1.1\r\nhost: \(RequestMaker.host)\r\nx: "
    /// Header, the byte and its type, the tag.
    private static let oneByteRecord = 5 + 2 + 16

    package var meaning: String {
        switch self {
        case .slow: "a request's head at a byte a second, in records of one byte"
        case .stalled: "\(Upstream.largeBytes / 1_000_000) MB asked for, 4 KB of it read"
        }
    }

    package var attackersStandard: Int {
        switch self {
        case .slow: 5000
        case .stalled: 1000
        }
    }

    /// What each attacker says, a record each.
    var pieces: [[UInt8]] {
        switch self {
        case .slow: Self.slowHead.utf8.map { [$0] }
        case .stalled:
            [
                Array(
                    "GET \(Upstream.largePath) HTTP/1.1\r\nhost: \(RequestMaker.host)\r\n\r\n"
                        .utf8)
            ]
        }
    }

    /// What is sent at a time.
    var recordBytes: Int {
        switch self {
        case .slow: Self.oneByteRecord
        case .stalled: Int.max / 2
        }
    }

    /// - Parameter text: names with commas between them.
    package static func list(_ text: String) throws(BenchmarkFault) -> [AttackKind] {
        var kinds: [AttackKind] = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let kind = AttackKind(rawValue: String(word)) else {
                let known = allCases.map(\.rawValue).joined(separator: ", ")
                throw .usage("`--attack \(word)` is none of \(known)")
            }
            if !kinds.contains(kind) { kinds.append(kind) }
        }
        return kinds
    }
}
