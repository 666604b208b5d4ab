// SPDX-License-Identifier: Apache-2.0

/// Numbers as people read them.
enum NumberText {
    static func fixed(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite else { return "-" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let scaled = Int((abs(value) * scale).rounded())
        let whole = String(scaled / Int(scale))
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard digits > 0 else { return sign + whole }
        let fraction = String(scaled % Int(scale))
        let zeros = String(repeating: "0", count: digits - fraction.count)
        return sign + whole + "." + zeros + fraction
    }

    /// Three digits or so, whatever the size.
    static func short(_ value: Double) -> String {
        fixed(value, abs(value) < 10 ? 2 : abs(value) < 100 ? 1 : 0)
    }
}
