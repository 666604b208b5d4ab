// SPDX-License-Identifier: Apache-2.0

import Bytes

/// Reads one JSON text into a ``JSONValue``, or says where and why it is none.
///
/// Both dialects refuse what two parsers may read differently: duplicate names, lone surrogates,
/// invalid UTF-8, trailing bytes.
package struct JSONReader: ~Copyable, ~Escapable {
    package enum Dialect: Sendable {
        /// RFC 8259 to the letter.
        case strict
        /// What people write by hand: comments (`//` and `/* */`, which do not nest), one comma
        /// after the last item, and a byte order mark are let through.
        case policy
    }

    /// How many arrays and objects may stand inside each other.
    package static let depthMax = 64

    let text: Span<UInt8>
    let dialect: Dialect
    /// A member of the whole document whose string is not copied out of the text.
    private let withheldName: String?
    var offset = 0
    private var depth = 0
    /// The value being read, for faults.
    private var pointer = JSONPointer()

    @_lifetime(copy text)
    private init(_ text: Span<UInt8>, _ dialect: Dialect, withholding name: String?) {
        self.text = text
        self.dialect = dialect
        withheldName = name
    }

    /// - Parameter name: of a member of the whole document that is a secret: its string stays where
    ///   it is, escapes and all (``JSONValue/withheld``), so that whoever wipes the text has wiped
    ///   it.
    package static func read(
        _ text: Span<UInt8>, dialect: Dialect = .strict, withholding name: String? = nil
    ) throws(JSONFault) -> JSONValue {
        var reader = JSONReader(text, dialect, withholding: name)
        return try reader.readText()
    }

    static func hasByteOrderMark(_ text: Span<UInt8>) -> Bool {
        text.count >= 3 && text[0] == 0xEF && text[1] == 0xBB && text[2] == 0xBF
    }

    private mutating func readText() throws(JSONFault) -> JSONValue {
        if let bad = firstInvalidUTF8(in: text) { throw fault(.invalidUTF8, at: bad) }
        if Self.hasByteOrderMark(text) {
            // RFC 8259 §8.1 forbids sending one and lets a parser ignore it.
            guard dialect == .policy else { throw fault(.byteOrderMark, at: 0) }
            offset = 3
        }
        try skipSpace()
        let value = try readValue()
        try skipSpace()
        guard offset == text.count else { throw fault(.trailingBytes) }
        return value
    }

    private mutating func readValue() throws(JSONFault) -> JSONValue {
        let start = offset
        guard start < text.count else { throw fault(.unexpectedEnd) }
        switch text[start] {
        case UInt8(ascii: "{"):
            return JSONValue(.object(try readObject()), offset: start)
        case UInt8(ascii: "["):
            return JSONValue(.array(try readArray()), offset: start)
        case .quote:
            return JSONValue(.string(try readString()), offset: start)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return JSONValue(.number(try readNumber()), offset: start)
        default:
            if skip("true") { return JSONValue(.bool(true), offset: start) }
            if skip("false") { return JSONValue(.bool(false), offset: start) }
            if skip("null") { return JSONValue(.null, offset: start) }
            throw fault(.expectedValue)
        }
    }

    private mutating func readSecret() throws(JSONFault) -> JSONValue {
        let start = offset
        guard start < text.count, text[start] == .quote else { return try readValue() }
        offset += 1
        while offset < text.count, text[offset] != .quote {
            if text[offset] == .backslash { offset += 1 }
            guard offset < text.count else { break }
            if text[offset] < 0x20 { throw fault(.controlInString) }
            offset += 1
        }
        guard offset < text.count else { throw fault(.unclosedString, at: start) }
        offset += 1
        return JSONValue(.withheld(start + 1..<offset - 1), offset: start)
    }

    private mutating func readArray() throws(JSONFault) -> [JSONValue] {
        try enter()
        let outer = pointer
        var values: [JSONValue] = []
        while try !reachedEnd(of: UInt8(ascii: "]"), first: values.isEmpty) {
            pointer = outer.appending(values.count)
            values.append(try readValue())
            pointer = outer
        }
        depth -= 1
        return values
    }

    private mutating func readObject() throws(JSONFault) -> [JSONMember] {
        try enter()
        let outer = pointer
        var members: [JSONMember] = []
        // By bytes: names that Swift holds for equal may be different to the peer behind us.
        var names: Set<[UInt8]> = []
        while try !reachedEnd(of: UInt8(ascii: "}"), first: members.isEmpty) {
            let nameOffset = offset
            guard offset < text.count else { throw fault(.unexpectedEnd) }
            guard text[offset] == .quote else { throw fault(.expectedName) }
            let name = try readString()
            pointer = outer.appending(name)
            guard names.insert(Array(name.utf8)).inserted else {
                throw fault(.duplicateName, at: nameOffset)
            }
            try skipSpace()
            guard offset < text.count else { throw fault(.unexpectedEnd) }
            guard text[offset] == .colon else { throw fault(.expectedColon) }
            offset += 1
            try skipSpace()
            let isSecret = depth == 1 && name == withheldName
            let value = isSecret ? try readSecret() : try readValue()
            members.append(JSONMember(name: name, nameOffset: nameOffset, value: value))
            pointer = outer
        }
        depth -= 1
        return members
    }

    /// Steps over the opening bracket.
    private mutating func enter() throws(JSONFault) {
        guard depth < Self.depthMax else { throw fault(.tooDeep) }
        depth += 1
        offset += 1
    }

    /// Steps over what stands before the next item (space, and a comma unless it is the first),
    /// or over the closing bracket.
    private mutating func reachedEnd(of closing: UInt8, first: Bool) throws(JSONFault) -> Bool {
        try skipSpace()
        guard offset < text.count else { throw fault(.unexpectedEnd) }
        if text[offset] == closing {
            offset += 1
            return true
        }
        if first { return false }
        guard text[offset] == .comma else { throw fault(.expectedCommaOrEnd) }
        offset += 1
        try skipSpace()
        if dialect == .policy, offset < text.count, text[offset] == closing {
            offset += 1
            return true
        }
        return false
    }

    func fault(_ reason: JSONFault.Reason, at place: Int? = nil) -> JSONFault {
        JSONFault(reason: reason, offset: place ?? offset, pointer: pointer)
    }
}
