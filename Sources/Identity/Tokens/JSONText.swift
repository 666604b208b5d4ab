// SPDX-License-Identifier: Apache-2.0

/// The little JSON that tokens and key sets need to be written.
enum JSONText {
    /// A string with its quotes. Everything from space on but quote and backslash stands for
    /// itself (RFC 8259 §7); Swift strings are valid UTF-8, so lone surrogates cannot occur.
    static func append(_ text: String, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                output.append(UInt8(ascii: "\\"))
                output.append(byte)
            case 0..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                output.append(contentsOf: "\\u00".utf8)
                output.append(digits[Int(byte >> 4)])
                output.append(digits[Int(byte & 15)])
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }

    /// `"name":"text"`, after a comma unless it comes first.
    static func append(member name: String, _ text: String, to output: inout [UInt8]) {
        if let last = output.last, last != UInt8(ascii: "{") { output.append(UInt8(ascii: ",")) }
        append(name, to: &output)
        output.append(UInt8(ascii: ":"))
        append(text, to: &output)
    }
}
