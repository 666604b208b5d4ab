// SPDX-License-Identifier: Apache-2.0

/// A text with places that are filled in: `@PORT@`, capitals and underscores.
///
/// What else stands between two of these signs, as `"@type"` in Envoy's files, is text.
package struct Template {
    private let text: String

    package init(_ text: String) { self.text = text }

    /// - Parameter values: more than there are places for is fine.
    package func filled(_ values: [String: String]) throws(BenchmarkFault) -> String {
        var result = ""
        var rest = text[...]
        while let sign = rest.firstIndex(of: "@") {
            result += rest[..<sign]
            rest = rest[rest.index(after: sign)...]
            guard let end = rest.firstIndex(of: "@"), Self.isName(rest[..<end]) else {
                result += "@"
                continue
            }
            let name = String(rest[..<end])
            guard let value = values[name] else { throw .failed("nothing stands for @\(name)@") }
            result += value
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }

    private static func isName(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x41...0x5A).contains($0) || $0 == 0x5F }
    }
}
