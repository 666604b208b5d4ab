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
        return SecretBytes(copying: bytes.span.extracting(range))
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
