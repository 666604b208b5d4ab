// SPDX-License-Identifier: Apache-2.0

/// What the rows are compared by.
package enum PeerTest: String, CaseIterable {
    case saturation, rate, handshake, resumed, memory, start

    /// Whether rows that do more than TLS and proxying have a part in it.
    var isOfRequests: Bool { self == .saturation || self == .rate }

    /// - Parameter text: names with commas between them.
    package static func list(_ text: String) throws(BenchmarkFault) -> [PeerTest] {
        var tests: [PeerTest] = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let test = PeerTest(rawValue: String(word)) else {
                let known = allCases.map(\.rawValue).joined(separator: ", ")
                throw .usage("`--tests`: `\(word)` is none of \(known)")
            }
            if !tests.contains(test) { tests.append(test) }
        }
        return tests
    }
}
