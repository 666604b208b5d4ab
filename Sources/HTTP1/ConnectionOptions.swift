// SPDX-License-Identifier: Apache-2.0
import Bytes

/// What the Connection fields of a head say (RFC 9110 §7.6.1).
package struct ConnectionOptions: Equatable, Sendable {
    package var close = false
    package var keepAlive = false
    package var upgrade = false
    /// Some option is none of those three, so it names fields that are for this hop alone.
    package var namesFields = false

    init() {}

    /// Options must be tokens; empty list elements are allowed (RFC 9110 §5.6.1.2). One that names
    /// Host or Content-Length is refused: to take such a field out would change the message.
    init(_ fields: borrowing FieldSection, in bytes: Span<UInt8>) throws(HeadFault) {
        var next = fields.first(.connection)
        if let only = next, !fields.isRepeated(.connection),
            readCommonOption(bytes.extracting(fields[only].valueRange))
        {
            return
        }
        while let index = next {
            var list = ListCursor(range: fields[index].valueRange)
            while let element = list.next(in: bytes) {
                try add(bytes.extracting(element))
            }
            next = fields.next(.connection, from: index &+ 1)
        }
    }

    /// The two values that nearly all such fields have, by words: setting bit 5 folds case, and of
    /// what a value may hold only a letter becomes that letter.
    @inline(__always)
    private mutating func readCommonOption(_ value: Span<UInt8>) -> Bool {
        let fold: UInt64 = 0x2020_2020_2020_2020
        if value.count == 10, value.word(at: 0) | fold == ("keep-alive" as StaticString).firstWord,
            value.word(at: 2) | fold == ("keep-alive" as StaticString).lastWord
        {
            keepAlive = true
            return true
        }
        if value.count == 5,
            value.word(at: 0, count: 5) | (fold &>> 24) == ("close" as StaticString).firstWord
        {
            close = true
            return true
        }
        return false
    }

    private mutating func add(_ option: Span<UInt8>) throws(HeadFault) {
        for index in option.indices where !option[index].isTokenCharacter {
            throw .malformed(.connectionOption)
        }
        if option.equalsIgnoringCase("keep-alive") {
            keepAlive = true
        } else if option.equalsIgnoringCase("close") {
            close = true
        } else if option.equalsIgnoringCase("upgrade") {
            upgrade = true
        } else {
            let name = FieldName.classify(option)
            guard name != .host, name != .contentLength else {
                throw .malformed(.connectionOption)
            }
            namesFields = true
        }
    }

    /// Whether the connection outlives the message (RFC 9112 §9.3).
    func keepsAlive(minorVersion: UInt8) -> Bool {
        if close { return false }
        return minorVersion >= 1 || keepAlive
    }
}

/// Walks over the elements of a comma-separated list (RFC 9110 §5.6.1), skipping empty ones.
///
/// It knows no quoted strings: for lists of tokens.
package struct ListCursor {
    private var offset: Int
    private let end: Int

    package init(range: Range<Int>) {
        offset = range.lowerBound
        end = range.upperBound
    }

    /// The next element without the white space around it, or `nil` at the end.
    package mutating func next(in bytes: Span<UInt8>) -> Range<Int>? {
        while offset < end {
            var low = offset
            var high = low
            while high < end, bytes[high] != .comma { high &+= 1 }
            offset = high &+ 1
            while low < high, bytes[low] == .space || bytes[low] == .tab { low &+= 1 }
            while low < high, bytes[high &- 1] == .space || bytes[high &- 1] == .tab { high &-= 1 }
            if low < high { return low..<high }
        }
        return nil
    }
}

extension FieldSection {
    /// Whether some Connection field lists the name of field `index`, which makes it hop-by-hop.
    package func isNamedByConnection(_ index: Int, in bytes: Span<UInt8>) -> Bool {
        let name = self[index].name(in: bytes)
        var next = first(.connection)
        while let connection = next {
            var list = ListCursor(range: self[connection].valueRange)
            while let element = list.next(in: bytes) {
                if name.equalsIgnoringCase(bytes.extracting(element)) { return true }
            }
            next = self.next(.connection, from: connection &+ 1)
        }
        return false
    }
}
