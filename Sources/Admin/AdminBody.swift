// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import JSON

/// A call's body: one JSON object whose members are known; each fault says where.
struct AdminBody {
    private let value: JSONValue
    private let bytes: SecretBytes

    /// - Parameters:
    ///   - known: the members there may be.
    ///   - secret: one that is not to be copied.
    init(_ bytes: SecretBytes, known: [String], secret: String? = nil) throws(AdminProblem) {
        do throws(JSONFault) {
            value = try JSONReader.read(bytes.span, withholding: secret)
        } catch {
            throw AdminProblem(
                400, "json_malformed", "The body is not well-formed JSON",
                detail: "At byte \(error.offset): \(error.reason).",
                pointer: error.pointer.description)
        }
        self.bytes = bytes
        guard let members = value.object else {
            throw .body("An object is needed, not \(value.kind).", at: "")
        }
        for member in members where !known.contains(member.name) {
            let pointer = JSONPointer().appending(member.name).description
            throw .body(
                "Only these members are known: \(known.joined(separator: ", ")).", at: pointer)
        }
    }

    func text(_ name: String) throws(AdminProblem) -> String? {
        guard let member = value[name], !member.isNull else { return nil }
        guard let text = member.string else {
            throw .body("A string is needed, not \(member.kind).", at: "/\(name)")
        }
        return text
    }

    func required(_ name: String) throws(AdminProblem) -> String {
        guard let text = try text(name) else { throw .body("`\(name)` is missing.", at: "") }
        return text
    }

    func flag(_ name: String) throws(AdminProblem) -> Bool? {
        guard let member = value[name] else { return nil }
        guard let flag = member.bool else {
            throw .body("true or false is needed, not \(member.kind).", at: "/\(name)")
        }
        return flag
    }

    func secret(_ name: String) throws(AdminProblem) -> SecretBytes {
        guard let member = value[name] else { throw .body("`\(name)` is missing.", at: "") }
        guard let range = member.withheld else {
            throw .body("A string is needed, not \(member.kind).", at: "/\(name)")
        }
        let text = bytes.span.extracting(range)
        do throws(JSONEscapeFault) {
            return try SecretBytes(capacity: text.count) {
                (output: inout OutputSpan<UInt8>) throws(JSONEscapeFault) in
                try Self.unescape(text, into: &output)
            }
        } catch {
            throw .body("An escape in the string is none that text of ASCII needs.", at: "/\(name)")
        }
    }

    private struct JSONEscapeFault: Error {}

    /// Of the escapes, those of characters of ASCII (RFC 8259 §7): no other is in any secret.
    private static func unescape(
        _ text: Span<UInt8>, into output: inout OutputSpan<UInt8>
    ) throws(JSONEscapeFault) {
        var index = 0
        while index < text.count {
            guard text[index] == .backslash else {
                output.append(text[index])
                index += 1
                continue
            }
            guard index + 1 < text.count else { throw JSONEscapeFault() }
            switch text[index + 1] {
            case .quote, .backslash, UInt8(ascii: "/"): output.append(text[index + 1])
            case UInt8(ascii: "b"): output.append(0x08)
            case UInt8(ascii: "f"): output.append(0x0C)
            case UInt8(ascii: "n"): output.append(.lineFeed)
            case UInt8(ascii: "r"): output.append(.carriageReturn)
            case UInt8(ascii: "t"): output.append(.tab)
            case UInt8(ascii: "u"):
                output.append(try character(text, at: index + 2))
                index += 4
            default: throw JSONEscapeFault()
            }
            index += 2
        }
    }

    /// The character of `00XX`.
    private static func character(
        _ text: Span<UInt8>, at start: Int
    ) throws(JSONEscapeFault) -> UInt8 {
        guard start + 4 <= text.count else { throw JSONEscapeFault() }
        var value = 0
        for index in start..<start + 4 {
            guard let digit = Hex.value(text[index]) else { throw JSONEscapeFault() }
            value = value << 4 | Int(digit)
        }
        guard value < 0x80 else { throw JSONEscapeFault() }
        return UInt8(value)
    }

    /// Milliseconds since the epoch.
    func time(_ name: String) throws(AdminProblem) -> UInt64? {
        guard let text = try text(name) else { return nil }
        guard let time = RFC3339.parse(text) else {
            throw .body("A time is needed, as in `2026-06-01T12:00:00Z`.", at: "/\(name)")
        }
        return time
    }
}
