// SPDX-License-Identifier: Apache-2.0

/// Writes the lines of the Prometheus text format, version 0.0.4.
struct PrometheusWriter {
    enum Kind: String {
        case counter, gauge, histogram
    }

    typealias Label = (name: StaticString, value: String)

    private(set) var bytes: [UInt8] = []

    init() {
        bytes.reserveCapacity(32 * 1024)
    }

    mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        append("# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n")
    }

    mutating func sample(_ name: String, _ labels: [Label], _ value: UInt64) {
        series(name, "", labels, last: nil)
        append("\(value)\n")
    }

    /// A value that is counted in nanoseconds and told in seconds, to the last digit.
    mutating func sample(_ name: String, _ labels: [Label], nanoseconds: UInt64) {
        series(name, "", labels, last: nil)
        append(Self.seconds(nanoseconds))
        append("\n")
    }

    /// - Parameter words: the value at an offset of the totals.
    mutating func histogram(
        _ name: String, _ labels: [Label], _ histogram: Histogram, _ words: (Int) -> UInt64
    ) {
        let bounds = histogram.scale.bounds
        var count: UInt64 = 0
        for bucket in 0..<histogram.bucketCount {
            count &+= words(histogram.base + bucket)
            let isLast = bucket == bounds.count
            let bound = isLast ? "+Inf" : Self.seconds(bounds.bound(bucket))
            series(name, "_bucket", labels, last: ("le", bound))
            append("\(count)\n")
        }
        series(name, "_sum", labels, last: nil)
        append(Self.seconds(words(histogram.sum)))
        series("\n" + name, "_count", labels, last: nil)
        append("\(count)\n")
    }

    /// Decimal seconds without trailing zeros: `0.00005`, `2.5`, `60`.
    static func seconds(_ nanoseconds: UInt64) -> String {
        let whole = "\(nanoseconds / 1_000_000_000)"
        var fraction = nanoseconds % 1_000_000_000
        guard fraction > 0 else { return whole }
        var width = 9
        while fraction % 10 == 0 {
            fraction /= 10
            width -= 1
        }
        let digits = "\(fraction)"
        return whole + "." + String(repeating: "0", count: width - digits.utf8.count) + digits
    }

    private mutating func series(
        _ name: String, _ suffix: String, _ labels: [Label], last: Label?
    ) {
        append(name)
        append(suffix)
        let all = labels + (last.map { [$0] } ?? [])
        for (index, label) in all.enumerated() {
            append(index == 0 ? "{" : ",")
            append("\(label.name)=\"")
            escape(label.value)
            append("\"")
        }
        append(all.isEmpty ? " " : "} ")
    }

    /// Backslash, quote and line feed are what the format escapes in a label's value.
    private mutating func escape(_ value: String) {
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): append("\\\\")
            case UInt8(ascii: "\""): append("\\\"")
            case UInt8(ascii: "\n"): append("\\n")
            default: bytes.append(byte)
            }
        }
    }

    private mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }
}
